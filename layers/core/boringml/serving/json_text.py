"""JSON as text, and in pieces: on the hot path it is joined from them."""

from collections.abc import Mapping
from typing import Any

import orjson


def json_of(value: Any) -> str:
    """Return a value as JSON. Raises TypeError for what is none, or text that is no UTF-8."""
    return orjson.dumps(value).decode()


def members_of(fields: Mapping[str, Any]) -> str:
    """Return the members of an object without its braces. Raises TypeError as `json_of` does."""
    return orjson.dumps(fields)[1:-1].decode()
