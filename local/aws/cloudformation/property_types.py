"""Types of properties.

CloudFormation gives a resource each property in the type that its schema has, whatever the type of
the parameter, mapping or literal that it came from: "5" is a number for MaximumConcurrency, and 5 a
text in a function's environment.
MiniStack 1.5.33 passes values on as they are: its poller then compares a text with a number and
polls no queue at all, and a process gets an environment that is no text.
Seams: the CloudFormation handlers of AWS::Lambda::EventSourceMapping and AWS::Lambda::Function.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ministack.services.cloudformation import provisioners

from local.aws.seams import seam

NUMBERS = (
    "BatchSize",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "TumblingWindowInSeconds",
)


def mapping_of(props: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties of an event source mapping with whole numbers where they belong."""
    typed = {name: int(value) if name in NUMBERS else value for name, value in props.items()}
    scaling = props.get("ScalingConfig") or {}
    if "MaximumConcurrency" in scaling:
        most = int(scaling["MaximumConcurrency"])
        typed["ScalingConfig"] = {**scaling, "MaximumConcurrency": most}
    return typed


def function_of(props: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties of a function with an environment of texts."""
    environment = props.get("Environment") or {}
    variables = environment.get("Variables") or {}
    if not variables:
        return dict(props)
    texts = {name: _text(value) for name, value in variables.items()}
    return {**props, "Environment": {**environment, "Variables": texts}}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def install() -> None:
    """Give both kinds of resources properties of the right type."""
    handlers = seam(provisioners, "_RESOURCE_HANDLERS")
    _typed(seam(handlers, "AWS::Lambda::EventSourceMapping"), mapping_of)
    _typed(seam(handlers, "AWS::Lambda::Function"), function_of)


def _typed(handler: dict[str, Any], of: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
    create, update = seam(handler, "create"), seam(handler, "update")

    def create_typed(logical_id: str, props: dict[str, Any], *rest: Any) -> Any:
        return create(logical_id, of(props), *rest)

    def update_typed(physical_id: str, old: dict[str, Any], new: dict[str, Any], *rest: Any) -> Any:
        return update(physical_id, of(old), of(new), *rest)

    handler["create"], handler["update"] = create_typed, update_typed
