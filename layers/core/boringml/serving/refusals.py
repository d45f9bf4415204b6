"""Why a body was refused: read again, slowly, with Python's parser and the contract's rules."""

import json
import math
from typing import Any

from boringml.contract.contract import Contract
from boringml.contract.violations import violations
from boringml.errors import BoringError


class _GivenTwiceError(ValueError):
    """A name that stands twice in one object."""


def body_too_large(most: int) -> BoringError:
    """Return the refusal of a body of more than `most` bytes."""
    return BoringError("body_too_large", f"A body has at most {most} bytes.")


def refusal_of(body: bytes, contract: Contract) -> BoringError:
    """Return the refusal of a body that the contract's decoder does not take.

    Its `field` is the JSON path of the first broken rule, such as `$[3].term`.
    """
    try:
        # Python's parser takes NaN and 1e999, which lets them be told from broken JSON.
        value = json.loads(body.decode(), object_pairs_hook=_once, parse_int=_whole)
    except _GivenTwiceError as error:
        return BoringError("malformed_json", f"An object has the name {error} twice.")
    except (ValueError, RecursionError):
        return BoringError("malformed_json", "The body is not one JSON value in UTF-8.")
    if isinstance(value, list):
        if not value:
            return BoringError("list_empty", "The list has no records.", field="$")
        if len(value) > contract.max_records:
            most = contract.max_records
            return BoringError("list_too_long", f"A list has at most {most} records.", field="$")
        places = [(f"$[{index}]", record) for index, record in enumerate(value)]
    else:
        places = [("$", value)]
    for path, record in places:
        found = violations(record, contract.schema, path)
        if found:
            return BoringError(found[0].code, found[0].message, field=found[0].field)
    # Nothing is broken, yet the decoder refused: the two disagree, which a property test denies.
    return BoringError("malformed_json", "The body is not one JSON value of the contract.")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Parsers disagree on which of the two counts, so neither is explained.
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _GivenTwiceError(ascii(name[:64]))
        found[name] = value
    return found


def _whole(digits: str) -> float | int:
    # int() gives up beyond 4,300 digits; what no double can hold is infinite here, like 1e999.
    number = float(digits)
    return number if math.isinf(number) else int(digits)
