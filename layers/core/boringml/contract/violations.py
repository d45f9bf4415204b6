"""What is wrong with a record, by code and field.

Serving decodes with msgspec, whose messages are no contract of ours; this explains a refusal on
the error path alone, where microseconds do not count. Batch explains its rows with it too.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# A name that no contract has is the client's own text: told, but not at any length.
_SHOWN = 64


@dataclass(frozen=True)
class Violation:
    """One broken rule: a stable code, the JSON path of the field, and words for a person."""

    code: str
    field: str
    message: str


def violations(record: Any, schema: Mapping[str, Any], path: str = "$") -> list[Violation]:
    """Return every broken rule of a parsed record, in the order of the schema; [] when it is good.

    `schema` is contract.json's `request`.
    """
    if not isinstance(record, dict):
        return [Violation("wrong_type", path, "A record is a JSON object.")]
    properties: Mapping[str, Mapping[str, Any]] = schema["properties"]
    found = [
        Violation("unknown_field", f"{path}.{_shown(name)}", "The contract has no such field.")
        for name in record
        if name not in properties
    ]
    required = frozenset(schema.get("required", ()))
    for name, rule in properties.items():
        where = f"{path}.{name}"
        if name in record:
            found.extend(_of_value(record[name], rule, where))
        elif name in required:
            found.append(Violation("missing_field", where, "This field is required."))
    return found


def _shown(name: str) -> str:
    # A JSON name may hold half of a surrogate pair ("\ud800"), which no UTF-8 answer can repeat.
    return name[:_SHOWN].encode(errors="replace").decode()


def _of_value(value: Any, rule: Mapping[str, Any], where: str) -> Iterator[Violation]:
    if value is None and rule.get("nullable"):
        return
    kind = rule["type"]
    if kind == "string":
        yield from _of_string(value, rule, where)
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield Violation("wrong_type", where, "This field is a number.")
    elif not _finite(value):
        yield Violation("not_finite", where, "This field is a finite number.")
    elif kind == "integer" and isinstance(value, float):
        yield Violation("wrong_type", where, "This field is a whole number.")
    elif not rule.get("minimum", value) <= value <= rule.get("maximum", value):
        yield Violation("out_of_bounds", where, _bounds(rule.get("minimum"), rule.get("maximum")))


def _of_string(value: Any, rule: Mapping[str, Any], where: str) -> Iterator[Violation]:
    if not isinstance(value, str):
        yield Violation("wrong_type", where, "This field is text.")
    elif "enum" in rule:
        if value not in rule["enum"]:
            yield Violation("unknown_category", where, f"One of: {', '.join(rule['enum'])}.")
    elif _halved(value):
        yield Violation("malformed_json", where, "This text has half of a surrogate pair.")
    elif len(value) < rule["minLength"]:
        yield Violation("text_too_short", where, f"At least {rule['minLength']} characters.")
    elif len(value) > rule["maxLength"]:
        yield Violation("text_too_long", where, f"At most {rule['maxLength']} characters.")


def _halved(text: str) -> bool:
    # JSON may escape what no UTF-8 holds ("\ud800"), so it can be no model's input.
    return any("\ud800" <= character <= "\udfff" for character in text)


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that no double can hold
        return False


def _bounds(low: float | None, high: float | None) -> str:
    if low is None:
        return f"At most {high}."
    return f"At least {low}." if high is None else f"Between {low} and {high}."
