"""How far two distributions over the same bins are apart."""

import math
from collections.abc import Sequence
from typing import TypeAlias

Pairs: TypeAlias = Sequence[tuple[int, int]]

# Rows that a bin needs to be judged by itself, expected in the smaller sample if nothing drifted.
# Thresholds lie far out in the tail of chi-square. There the index crosses them up to 20 times too
# often with Cochran's 5 rows, and at most 2.3 times with 10 (benchmarks/monitoring/small_bins.py).
LEAST_EXPECTED = 10


def is_small(here: int, there: int, pairs: Pairs) -> bool:
    """Return whether a bin of `pairs` has too few rows in both samples to be judged by itself."""
    return here + there < _least(pairs)


def ordered_bins(pairs: Pairs) -> list[tuple[int, int]]:
    """Return (window, baseline) counts of bins with enough rows: small ones join a neighbour.

    Enough is told by both samples together: what only one of them had room for would be no bin at
    all where nothing drifted.
    """
    merged: list[tuple[int, int]] = []
    window, baseline = 0, 0
    least = _least(pairs)
    for here, there in pairs:
        window, baseline = window + here, baseline + there
        if window + baseline >= least:
            merged.append((window, baseline))
            window, baseline = 0, 0
    if window + baseline:
        last = merged.pop() if merged else (0, 0)
        merged.append((last[0] + window, last[1] + baseline))
    return merged


def unordered_bins(pairs: Pairs) -> list[tuple[int, int]]:
    """Return (window, baseline) counts of categories with enough rows: small ones are joined."""
    return ordered_bins(sorted(pairs, key=sum))


def stability_index(pairs: Pairs) -> float:
    """Return the population stability index of (window, baseline) counts: 0 for the same shares.

    PSI = sum (p - q) ln(p / q) over the bins (Siddiqi, "Credit Risk Scorecards", 2006), which is
    Jeffreys' divergence. An empty bin has no logarithm, so half a row per bin is added to each
    side, spread as both sides together are: equal shares stay equal.
    """
    window, baseline = _totals(pairs)
    if not window or not baseline:
        return 0.0
    added = len(pairs) / 2
    index = 0.0
    for here, there in pairs:
        both = (here + there) / (window + baseline)
        if both:
            p = (here + added * both) / (window + added)
            q = (there + added * both) / (baseline + added)
            index += (p - q) * math.log(p / q)
    return max(index, 0.0)


def total_variation(pairs: Pairs) -> float:
    """Return half the sum of the differences of shares: the share of rows that changed places."""
    window, baseline = _totals(pairs)
    if not window or not baseline:
        return 0.0
    return sum(abs(here / window - there / baseline) for here, there in pairs) / 2


def wasserstein(pairs: Pairs, places: Sequence[float]) -> float:
    """Return the Wasserstein-1 distance of binned numbers, in their own unit.

    It is the area between the two cumulative distributions. All rows of a bin are taken to lie at
    its place, a number each, in order: what happens within a bin is not seen.
    """
    window, baseline = _totals(pairs)
    if not window or not baseline:
        return 0.0
    ahead = area = 0.0
    for (here, there), place, following in zip(pairs, places, places[1:], strict=False):
        ahead += here / window - there / baseline
        area += abs(ahead) * (following - place)
    return area


def _totals(pairs: Pairs) -> tuple[int, int]:
    return sum(here for here, _ in pairs), sum(there for _, there in pairs)


def _least(pairs: Pairs) -> float:
    window, baseline = _totals(pairs)
    smaller = min(window, baseline)
    return LEAST_EXPECTED * (window + baseline) / smaller if smaller else math.inf
