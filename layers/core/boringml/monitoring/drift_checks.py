"""What may be wrong with one feature of a window: its shape, its nulls, its values.

Each check takes the share of false alarms that it may have. A difference counts when it is both
more than chance makes at these numbers of rows, and more than model.yaml says matters: ADR 20.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from boringml.monitoring.distances import (
    Pairs,
    is_small,
    ordered_bins,
    stability_index,
    total_variation,
    unordered_bins,
    wasserstein,
)
from boringml.monitoring.drift_settings import DriftSettings
from boringml.monitoring.significance import chi_square_quantile, chi_square_tail, share_tail
from boringml.monitoring.window import CategoryCounts, Counts, NumericCounts

WASSERSTEIN: Final = "wasserstein"
TOTAL_VARIATION: Final = "total_variation"

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Shape:
    """How a distribution changed.

    `psi` exceeds `chance` by chance no more often than it may; None where fewer than two bins have
    rows enough to compare. `distance` is in deviations of the baseline for numbers, None where it
    has none, and the share of rows that changed places for categories.
    """

    psi: float
    chance: float | None
    matters: float
    p_value: float | None
    bins: int
    distance: float | None
    distance_kind: str

    @property
    def threshold(self) -> float | None:
        """What the index must exceed: chance, and what matters."""
        return None if self.chance is None else max(self.chance, self.matters)

    @property
    def drifted(self) -> bool:
        """Whether the index exceeds its threshold."""
        return self.threshold is not None and self.psi > self.threshold


def known_rows(entry: Entry) -> int:
    """Return the values of the baseline that are there."""
    return int(entry["count"] - entry["nulls"])


def categories(entry: Entry, counts: CategoryCounts) -> list[str]:
    """Return the baseline's categories, then the new ones."""
    known = list(entry["shares"])
    return known + sorted(set(counts.words) - set(known))


def shape_of(entry: Entry, counts: Counts, settings: DriftSettings, false_alarms: float) -> Shape:
    """Return how the known values of a window are spread, beside those of the baseline."""
    pairs = _pairs(entry, counts)
    if isinstance(counts, NumericCounts):
        bins, kind = ordered_bins(pairs), WASSERSTEIN
        distance = _deviations(pairs, entry, counts)
    else:
        bins, kind = unordered_bins(pairs), TOTAL_VARIATION
        distance = total_variation(pairs)
    psi = stability_index(bins)
    # Without drift, PSI n m / (n + m) is nearly chi-square with one degree less than bins.
    scale = 1 / counts.known + 1 / known_rows(entry)
    degrees = len(bins) - 1
    return Shape(
        psi=psi,
        chance=scale * chi_square_quantile(false_alarms, degrees) if degrees else None,
        matters=settings.psi,
        p_value=chi_square_tail(psi / scale, degrees) if degrees else None,
        bins=len(bins),
        distance=distance,
        distance_kind=kind,
    )


def shape_told(shape: Shape, entry: Entry, counts: Counts) -> str:
    """Return in words how far a shape is from where it was."""
    told = f"PSI {shape.psi:.2f} where {shape.threshold:.2f} is tolerated"
    if isinstance(counts, NumericCounts) and entry["deviation"] and math.isfinite(counts.total):
        moved = (counts.total / counts.known - entry["mean"]) / entry["deviation"]
        told += f", mean {'up' if moved > 0 else 'down'} by {abs(moved):.2f} deviations"
    return told


def null_reasons(
    entry: Entry, counts: Counts, settings: DriftSettings, false_alarms: float
) -> Iterator[str]:
    """Yield a reason where more or fewer values are missing."""
    rows, baseline = counts.known + counts.nulls, entry["count"]
    if not baseline:
        return
    now, before = counts.nulls / rows, entry["nulls"] / baseline
    if abs(now - before) < settings.null_share:
        return
    if now > before:
        chance = share_tail(counts.nulls, rows, entry["nulls"], baseline)
    else:
        chance = share_tail(counts.known, rows, known_rows(entry), baseline)
    if chance < false_alarms / 2:
        yield f"nulls in {now:.1%} of the rows, in {before:.1%} of the baseline"


def rare_reasons(
    entry: Entry, counts: Counts, settings: DriftSettings, false_alarms: float
) -> Iterator[str]:
    """Yield a reason for each category or bin that was rare in the baseline, or absent, and grew.

    The index looks at rare ones together with others, since of few rows it knows no distribution;
    the exact test does. What is new is named however many rows it has: a category, and numbers
    outside the range of the baseline, which for the index are in its outer bins.
    """
    pairs = _pairs(entry, counts)
    window, baseline = counts.known, known_rows(entry)
    outside = _outside(entry, counts)
    each = false_alarms / (len(pairs) + len(outside))
    for place, (here, there) in enumerate(pairs):
        new = isinstance(counts, CategoryCounts) and not there
        if not here or not (new or is_small(here, there, pairs)):
            continue
        now, before = here / window, there / baseline
        if new:
            matters = now >= settings.new_category_share
        else:
            apart = stability_index([(here, there), (window - here, baseline - there)])
            matters = now > before and apart > settings.psi
        if matters and share_tail(here, window, there, baseline) < each:
            told = f"in {before:.1%} of" if there else "never in"
            yield f"{_named(place, entry, counts)} in {now:.1%} of the rows, {told} the baseline"
    for named, here in outside.items():
        now = here / window
        # Exact though the limit is itself a row of the baseline: without drift, that the highest
        # k of all n + m rows are of the window is as likely as that k new ones are.
        if now >= settings.new_category_share and share_tail(here, window, 0, baseline) < each:
            yield f"{named} in {now:.1%} of the rows, never in the baseline"


def constant_reasons(entry: Entry, counts: Counts, false_alarms: float) -> Iterator[str]:
    """Yield a reason where there is one value alone, and the baseline has others.

    The baseline has the value at most as often as the bin that it is in.
    """
    if not counts.is_constant:
        return
    if isinstance(counts, NumericCounts):
        value, constant = f"{counts.minimum:g}", entry["minimum"] == entry["maximum"]
    else:
        value = repr(next(iter(counts.words)))
        constant = max(entry["shares"].values()) == 1
    (there,) = (there for here, there in _pairs(entry, counts) if here)
    chance = share_tail(counts.known, counts.known, there, known_rows(entry))
    if not constant and chance < false_alarms:
        yield f"nothing but {value} in {counts.known} rows"


def _pairs(entry: Entry, counts: Counts) -> Pairs:
    """Return (window, baseline) rows of each bin or category. The baseline has shares, not rows."""
    baseline = known_rows(entry)
    if isinstance(counts, NumericCounts):
        here: Sequence[int] = counts.bins
        shares: Sequence[float] = entry["shares"]
    else:
        names = categories(entry, counts)
        here = [counts.words[name] for name in names]
        shares = [entry["shares"].get(name, 0.0) for name in names]
    return list(zip(here, (round(share * baseline) for share in shares), strict=True))


def _outside(entry: Entry, counts: Counts) -> dict[str, int]:
    """Return the rows below and above the range of the baseline; of categories there is none."""
    if not isinstance(counts, NumericCounts):
        return {}
    low, high = entry["minimum"], entry["maximum"]
    return {f"values below {low:g}": counts.below, f"values above {high:g}": counts.above}


def _deviations(pairs: Pairs, entry: Entry, counts: NumericCounts) -> float | None:
    """Return the Wasserstein-1 distance in deviations of the baseline.

    A bin lies at its mean; packages from before there were means have its middle. The bins know
    nothing of what happens within them, and the means of all do: their difference is never above
    the distance, so it stands where it is larger.
    """
    if not entry["deviation"]:
        return None
    limits = (entry["minimum"], *counts.edges, entry["maximum"])
    middles = [(low + high) / 2 for low, high in pairwise(limits)]
    moved = abs(counts.total / counts.known - entry["mean"])
    binned = wasserstein(pairs, entry.get("means", middles))
    distance = float(max(binned, moved) / entry["deviation"])
    return distance if math.isfinite(distance) else None


def _named(place: int, entry: Entry, counts: Counts) -> str:
    if isinstance(counts, CategoryCounts):
        return repr(categories(entry, counts)[place])
    edges = counts.edges
    if place == 0:
        return f"values up to {edges[0]:g}"
    if place == len(edges):
        return f"values above {edges[-1]:g}"
    return f"values above {edges[place - 1]:g} up to {edges[place]:g}"
