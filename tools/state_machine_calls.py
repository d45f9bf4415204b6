"""Arguments of a state machine's service calls, held against botocore's service models."""

import re
from collections.abc import Iterator
from typing import Any

import botocore.session
from botocore.exceptions import UnknownServiceError
from botocore.model import ListShape, MapShape, OperationNotFoundError, Shape, StructureShape

from tools.state_machine_rules import Machine, machines, tasks

# arn:aws:states:::lambda:invoke, ...:sagemaker:createTrainingJob.sync, ...:aws-sdk:s3:getObject
RESOURCE = re.compile(
    r"arn:[\w-]+:states:::(?:aws-sdk:)?(?P<service>\w+):(?P<action>\w+)(?:\.\S+)?"
)
# Step Functions names these services otherwise than botocore does.
SERVICES = {"states": "stepfunctions", "sfn": "stepfunctions", "eventbridge": "events"}
# Step Functions takes JSON for these texts and serializes it.
JSON_TEXTS = ("Input", "Detail", "Payload")
SCALARS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
}


def calls(machine: Machine) -> Iterator[str]:
    """Yield what is wrong with the service calls of all levels of a machine."""
    for level in machines(machine):
        for name, state in tasks(level):
            for finding in call(state):
                yield f"{name}: {finding}"


def call(state: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with one Task's Resource and Arguments."""
    resource = str(state.get("Resource", ""))
    parts = RESOURCE.fullmatch(resource)
    if parts is None:
        yield f"Resource {resource} is no service call"
        return
    shape = input_shape(parts["service"], parts["action"])
    if shape is None:
        yield f"Resource {resource}: no such service or action"
    else:
        yield from misfits(state.get("Arguments", {}), shape, "Arguments")


def input_shape(service: str, action: str) -> Shape | None:
    """Return the model of an action's input, None when AWS has no such action."""
    operation = action[:1].upper() + action[1:]
    try:
        model = botocore.session.get_session().get_service_model(SERVICES.get(service, service))
        return model.operation_model(operation).input_shape or StructureShape("Empty", {})
    except (UnknownServiceError, OperationNotFoundError):
        return None


def is_expression(value: Any) -> bool:
    """Tell whether a value is known at run time only: JSONata, or a substitution."""
    return isinstance(value, str) and ("{%" in value or "${" in value)


def misfits(value: Any, shape: Shape, path: str) -> Iterator[str]:
    """Yield where a value does not fit a shape; expressions fit every shape."""
    if is_expression(value) or path.rpartition(".")[2] in JSON_TEXTS:
        return
    if isinstance(shape, StructureShape):
        yield from structure_misfits(value, shape, path)
    elif isinstance(shape, ListShape):
        if not isinstance(value, list):
            yield f"{path} is not a list"
            return
        for index, item in enumerate(value):
            yield from misfits(item, shape.member, f"{path}[{index}]")
    elif isinstance(shape, MapShape):
        if not isinstance(value, dict):
            yield f"{path} is not a map"
            return
        for key, item in value.items():
            yield from misfits(item, shape.value, f"{path}[{key!r}]")
    else:
        yield from scalar_misfits(value, shape, path)


def structure_misfits(value: Any, shape: StructureShape, path: str) -> Iterator[str]:
    """Yield members that are unknown, missing or do not fit."""
    if not isinstance(value, dict):
        yield f"{path} is not a structure"
        return
    # Step Functions writes the first letter of every member large, whatever the service does.
    members = {name[:1].upper() + name[1:]: member for name, member in shape.members.items()}
    required = {name[:1].upper() + name[1:] for name in shape.required_members}
    for name in sorted(value.keys() - members.keys()):
        yield f"{path}.{name} is not a member of {shape.name}"
    for name in sorted(required - value.keys()):
        yield f"{path}.{name} is required"
    for name in sorted(value.keys() & members.keys()):
        yield from misfits(value[name], members[name], f"{path}.{name}")


def scalar_misfits(value: Any, shape: Shape, path: str) -> Iterator[str]:
    """Yield a text, number or boolean of the wrong type, and a text that is not in its enum."""
    types = SCALARS.get(shape.type_name)
    if types is None:
        return
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        yield f"{path} is not of type {shape.type_name}"
    elif (allowed := getattr(shape, "enum", None)) and value not in allowed:
        yield f"{path} is not one of {', '.join(allowed)}"
