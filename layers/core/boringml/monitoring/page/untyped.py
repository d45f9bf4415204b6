"""Parts of JSON that somebody else wrote: each is there in the form that is asked for, or not."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard


def is_number(value: object) -> TypeGuard[int | float]:
    """Return whether it is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def number_of(value: object) -> float | None:
    """Return a finite number, or None of anything else."""
    return value if is_number(value) else None


def count_of(value: object) -> int | None:
    """Return a finite number as a whole one, or None of anything else."""
    return int(value) if is_number(value) else None


def text_of(value: object) -> str:
    """Return a text; an empty one in place of anything else."""
    return value if isinstance(value, str) else ""


def map_of(value: object) -> Mapping[str, Any]:
    """Return a mapping; an empty one in place of anything else."""
    return value if isinstance(value, Mapping) else {}


def list_of(value: object) -> Sequence[Any]:
    """Return a list; an empty one in place of anything else."""
    return value if isinstance(value, list | tuple) else ()
