"""A request against botocore's model of the operation: what AWS's front end refuses.

botocore's own validator stops at types and minima; the patterns, maxima, enumerations and
unknown members that the model also declares are checked here, because state machines reach
the service without a client that would have looked.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

from botocore.model import ServiceModel
from botocore.session import get_session

from local.aws.sagemaker.errors import SageMakerError, invalid

_PYTHON_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float, str, datetime),
    "structure": dict,
    "map": dict,
    "list": list,
}
# Classes that Java's regular expressions know and Python's do not.
_JAVA_CLASSES = {r"\p{L}": r"\w", r"\p{N}": r"\d", r"\p{Z}": r"\s", r"\p{Alnum}": "a-zA-Z0-9"}


@lru_cache(maxsize=1)
def service_model() -> ServiceModel:
    """Return botocore's model of SageMaker."""
    return get_session().get_service_model("sagemaker")


def check(operation: str, request: dict[str, Any]) -> None:
    """Raise SageMakerError where `request` does not fit the operation's input model."""
    shape = service_model().operation_model(operation).input_shape
    if shape is None:
        return
    problems = list(_problems(request, shape, ""))
    if problems:
        plural = "s" if len(problems) > 1 else ""
        raise invalid(f"{len(problems)} validation error{plural} detected: " + "; ".join(problems))


def _problems(value: Any, shape: Any, path: str) -> Iterator[str]:
    expected = _PYTHON_TYPES.get(shape.type_name, object)
    fits = isinstance(value, expected)
    if not fits or (isinstance(value, bool) and shape.type_name != "boolean"):
        raise SageMakerError(
            "SerializationException",
            f"{type(value).__name__} at '{path}' cannot be converted to {shape.type_name}",
        )
    yield from _constraints(value, shape, path)
    if shape.type_name == "structure":
        yield from _structure(value, shape, path)
    elif shape.type_name == "list":
        for number, item in enumerate(value, start=1):
            yield from _problems(item, shape.member, f"{path}.{number}.member")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from _problems(key, shape.key, f"{path}.{key}.key")
            yield from _problems(item, shape.value, f"{path}.{key}.value")


def _structure(value: dict[str, Any], shape: Any, path: str) -> Iterator[str]:
    for name in sorted(value.keys() - shape.members.keys()):
        raise SageMakerError(
            "SerializationException", f"Unknown member '{_at(path, name)}' in the request"
        )
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"Value at '{_at(path, name)}' failed to satisfy constraint: " + (
                "Member must not be null"
            )
    for name, item in value.items():
        if item is not None:
            yield from _problems(item, shape.members[name], _at(path, name))


def _constraints(value: Any, shape: Any, path: str) -> Iterator[str]:
    failed = f"Value '{value}' at '{path}' failed to satisfy constraint: Member must "
    sized = shape.type_name in ("string", "list", "map")
    size, what = (len(value), "have length ") if sized else (value, "have value ")
    if isinstance(size, int | float):
        if "min" in shape.metadata and size < shape.metadata["min"]:
            yield f"{failed}{what}greater than or equal to {shape.metadata['min']}"
        if "max" in shape.metadata and size > shape.metadata["max"]:
            yield f"{failed}{what}less than or equal to {shape.metadata['max']}"
    if "enum" in shape.metadata and value not in shape.metadata["enum"]:
        yield f"{failed}satisfy enum value set: [{', '.join(shape.metadata['enum'])}]"
    if "pattern" in shape.metadata and not _pattern(shape.metadata["pattern"]).fullmatch(value):
        yield f"{failed}satisfy regular expression pattern: {shape.metadata['pattern']}"


@lru_cache(maxsize=256)
def _pattern(java: str) -> re.Pattern[str]:
    for theirs, ours in _JAVA_CLASSES.items():
        java = java.replace(theirs, ours)
    return re.compile(java, re.DOTALL)


def _at(path: str, name: str) -> str:
    """The path of a member as AWS's messages write it: each name begins in lower case."""
    name = name[:1].lower() + name[1:]
    return f"{path}.{name}" if path else name
