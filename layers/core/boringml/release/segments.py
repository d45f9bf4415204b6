"""Which segment of a key feature a value lies in, and what is typical of a feature."""

from bisect import bisect_left
from collections.abc import Mapping
from itertools import accumulate
from typing import Any, Final

MISSING: Final = "missing"


def segment_of(value: Any, baseline: Mapping[str, Any] | None) -> str:
    """Return the segment of a value: a category as it is, a number by the baseline's bins.

    `baseline` is the feature's own entry in baseline.json; bin i holds edges[i-1] < x <= edges[i].
    """
    if value is None or value == "":
        return MISSING
    edges = baseline.get("edges") if baseline else None
    if not edges or isinstance(value, str):
        return str(value)
    place = bisect_left(edges, value)
    if place == 0:
        return f"<= {edges[0]:g}"
    if place == len(edges):
        return f"> {edges[-1]:g}"
    return f"{edges[place - 1]:g} to {edges[place]:g}"


def typical_value(baseline: Mapping[str, Any] | None) -> Any:
    """Return the median of a numeric feature, the most frequent category of another.

    The median is the decile edge that half of the training rows do not exceed. None where the
    baseline has no such thing, as that of a text: its statistics are no text.
    """
    shares = baseline.get("shares") if baseline else None
    if not baseline or not shares:
        return None
    if isinstance(shares, Mapping):
        most = max(shares, key=lambda name: shares[name])
        return most if shares[most] else None
    for edge, share in zip(baseline["edges"], accumulate(shares), strict=False):
        # Shares are sums of floats.
        if share >= 0.5 - 1e-9:
            return edge
    return None
