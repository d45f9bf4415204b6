"""Typed settings: one frozen dataclass per function, read once from its environment."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar, get_type_hints

from boringml.errors import BoringError

T = TypeVar("T")


def load(cls: type[T], environ: Mapping[str, str]) -> T:
    """Return `cls` with each field from the variable of its name in upper case.

    Fields are str, int, float or bool ("true" or "false"); one with a default may be absent. A
    required one may not be empty: CloudFormation sets a parameter that was left out to "".
    Raises BoringError `settings_missing` or `settings_invalid`, naming the variable.
    """
    hints = get_type_hints(cls)
    values: dict[str, Any] = {}
    for field in fields(cls):  # type: ignore[arg-type]
        variable = field.name.upper()
        required = field.default is MISSING
        if variable in environ and not (required and not environ[variable]):
            values[field.name] = _parse(variable, environ[variable], hints[field.name])
        elif required:
            raise BoringError("settings_missing", f"Set the environment variable {variable}.")
    return cls(**values)


def _parse(variable: str, text: str, kind: type[Any]) -> Any:
    try:
        if kind is bool:
            return {"true": True, "false": False}[text.lower()]
        return kind(text)
    except (KeyError, ValueError) as error:
        told = f"{variable} is {text!r}, which is no {kind.__name__}."
        raise BoringError("settings_invalid", told) from error
