"""Statistics of the training data that later traffic is compared with.

Histograms over fixed edges are all that a population stability index needs; no row is kept.
"""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from typing import Any

# Ten bins are the convention for a population stability index.
BINS = 10


def numeric_baseline(values: Sequence[float]) -> dict[str, Any]:
    """Return count, nulls (NaN), moments, range, and shares of the values between decile edges.

    `shares` has one more item than `edges`: bin i holds edges[i-1] < x <= edges[i]. Equal deciles
    are one edge, so a feature that is nearly always 0 has few bins. `means` are those of the bins;
    an empty bin, which only the last can be, has its edge. Of no values at all, the moments and the
    range are None. Deviation is that of the population.
    """
    known = sorted(value for value in values if not math.isnan(value))
    summary: dict[str, Any] = {
        "kind": "numeric",
        "count": len(values),
        "nulls": len(values) - len(known),
        "mean": None,
        "deviation": None,
        "minimum": None,
        "maximum": None,
        "edges": [],
        "shares": [],
        "means": [],
    }
    if not known:
        return summary
    mean = math.fsum(known) / len(known)
    variance = math.fsum((value - mean) ** 2 for value in known) / len(known)
    edges = sorted({known[_rank(i, len(known))] for i in range(1, BINS)})
    return summary | {
        "mean": mean,
        "deviation": math.sqrt(variance),
        "minimum": known[0],
        "maximum": known[-1],
        "edges": edges,
        "shares": bin_shares(known, edges),
        "means": _bin_means(known, edges),
    }


def categorical_baseline(values: Sequence[str], categories: Sequence[str]) -> dict[str, Any]:
    """Return count, nulls (the empty text), and the share of each category of the contract.

    Categories without a row are listed with 0: traffic that brings them is drift.
    """
    counts = Counter(values)
    known = len(values) - counts[""]
    return {
        "kind": "categorical",
        "count": len(values),
        "nulls": counts[""],
        "shares": {name: counts[name] / known if known else 0.0 for name in categories},
    }


def text_baseline(values: Sequence[str]) -> dict[str, Any]:
    """Return count, nulls (the empty text), the share of nulls, and the lengths of the others.

    `characters` (code points) and `words` (what spaces part) are numeric baselines: deciles and the
    shares between them. No text is kept.
    """
    known = [value for value in values if value]
    return {
        "kind": "text",
        "count": len(values),
        "nulls": len(values) - len(known),
        "empty_share": (len(values) - len(known)) / (len(values) or 1),
        "characters": numeric_baseline([float(len(value)) for value in known]),
        "words": numeric_baseline([float(len(value.split())) for value in known]),
    }


def bin_shares(values: Sequence[float], edges: Sequence[float]) -> list[float]:
    """Return the share of the values in each of the len(edges) + 1 bins; zeros of no values."""
    counts = Counter(bisect_left(edges, value) for value in values)
    total = len(values) or 1
    return [counts[i] / total for i in range(len(edges) + 1)]


def _bin_means(known: Sequence[float], edges: Sequence[float]) -> list[float]:
    bins: list[list[float]] = [[] for _ in range(len(edges) + 1)]
    for value in known:
        bins[bisect_left(edges, value)].append(value)
    return [math.fsum(b) / len(b) if b else edges[-1] for b in bins]


def _rank(decile: int, count: int) -> int:
    """Index of the decile by the nearest-rank method."""
    return math.ceil(decile * count / BINS) - 1
