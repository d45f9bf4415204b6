"""Whether a window of traffic has drifted from the baseline of a package, and what of it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from boringml.monitoring.drift_checks import (
    Shape,
    categories,
    constant_reasons,
    known_rows,
    null_reasons,
    rare_reasons,
    shape_of,
    shape_told,
)
from boringml.monitoring.drift_settings import DriftSettings
from boringml.monitoring.report import FINE, NOT_EVALUATED, RAISED
from boringml.monitoring.window import Counts, NumericCounts, Window

# Parts of the false alarms of one feature; together they are all of them.
_SHAPE: Final = 0.5
_NULLS: Final = 0.25
_RARE: Final = 0.125
_CONSTANT: Final = 0.125


@dataclass(frozen=True)
class Finding:
    """What a look found of one feature or answer. `reasons` are phrases for people."""

    name: str
    watched: bool
    status: str
    reasons: tuple[str, ...]
    entry: Mapping[str, Any]
    counts: Counts
    shape: Shape | None

    def document(self) -> dict[str, Any]:
        """Return it as JSON, with both distributions over the same bins or categories.

        What could not be told is null. `window_shares` and `baseline_shares` are of known values.
        """
        shape, counts, entry = self.shape, self.counts, self.entry
        rows, known = counts.known + counts.nulls, counts.known
        found = {
            "kind": entry["kind"],
            "watched": self.watched,
            "status": self.status,
            "reasons": list(self.reasons),
            "psi": shape and _rounded(shape.psi),
            "threshold": shape and _rounded(shape.threshold),
            "chance": shape and _rounded(shape.chance),
            "p_value": shape and shape.p_value,
            "bins_compared": shape and shape.bins,
            "distance": shape and _rounded(shape.distance),
            "distance_kind": shape and shape.distance_kind,
            "rows": rows,
            "nulls": counts.nulls,
            "null_share": _share(counts.nulls, rows),
            "baseline_rows": entry["count"],
            "baseline_null_share": _share(entry["nulls"], entry["count"]),
        }
        if isinstance(counts, NumericCounts):
            return found | {
                "edges": list(counts.edges),
                "baseline_shares": list(entry["shares"]),
                "window_shares": [_share(n, known) for n in counts.bins],
                "below_range": _share(counts.below, known),
                "above_range": _share(counts.above, known),
                "mean": counts.total / known if known and math.isfinite(counts.total) else None,
                "minimum": counts.minimum if known else None,
                "maximum": counts.maximum if known else None,
                "baseline_mean": entry["mean"],
                "baseline_deviation": entry["deviation"],
                "baseline_minimum": entry["minimum"],
                "baseline_maximum": entry["maximum"],
            }
        names = categories(entry, counts)
        return found | {
            "categories": names,
            "baseline_shares": [entry["shares"].get(name, 0.0) for name in names],
            "window_shares": [_share(counts.words[name], known) for name in names],
        }


@dataclass(frozen=True)
class Drift:
    """A look at a whole window. `unseen` are watched features that the window does not show."""

    rows: int
    features: tuple[Finding, ...]
    outputs: tuple[Finding, ...]
    unseen: tuple[str, ...]

    @property
    def evaluated(self) -> list[Finding]:
        """The watched findings that there were rows enough for."""
        found = (*self.features, *self.outputs)
        return [one for one in found if one.watched and one.status != NOT_EVALUATED]

    @property
    def drifted(self) -> list[Finding]:
        """The watched findings that are raised."""
        return [one for one in self.evaluated if one.status == RAISED]

    @property
    def share(self) -> float | None:
        """Share of what is watched and was evaluated that drifted; None of nothing."""
        return len(self.drifted) / len(self.evaluated) if self.evaluated else None

    @property
    def status(self) -> str:
        """raised, fine, or not_evaluated."""
        if not self.evaluated:
            return NOT_EVALUATED
        return RAISED if self.drifted else FINE


def judge_drift(window: Window, watched: Sequence[str], settings: DriftSettings) -> Drift:
    """Return what a window shows of each feature and answer of its baseline.

    `watched` are the contract's names; a text stands for its two lengths, and the answers are
    watched always. What is not watched is judged alike, and raises nothing. The false alarms of a
    look are shared out among what is watched (Bonferroni), so that their share holds for the whole
    look, however its features hang together.
    """
    names = [name for name in window.features if window.feature_of[name] in watched]
    each = settings.false_alarms / max(len(names) + len(window.outputs), 1)

    def found(name: str, is_watched: bool, entry: Mapping[str, Any], counts: Counts) -> Finding:
        return _finding(Finding(name, is_watched, FINE, (), entry, counts, None), settings, each)

    features = [
        found(name, name in names, window.entries[name], counts)
        for name, counts in window.features.items()
    ]
    outputs = [
        found(name, True, window.output_entries[name], counts)
        for name, counts in window.outputs.items()
    ]
    shown = {window.feature_of[name] for name in names}
    unseen = tuple(name for name in watched if name not in shown)
    return Drift(window.rows, tuple(features), tuple(outputs), unseen)


def _finding(of: Finding, settings: DriftSettings, false_alarms: float) -> Finding:
    entry, counts = of.entry, of.counts
    reasons: list[str] = []
    shape = None
    if counts.known + counts.nulls >= settings.min_samples:
        reasons += null_reasons(entry, counts, settings, false_alarms * _NULLS)
    if counts.known >= settings.min_samples and known_rows(entry):
        shape = shape_of(entry, counts, settings, false_alarms * _SHAPE)
        reasons += rare_reasons(entry, counts, settings, false_alarms * _RARE)
        reasons += constant_reasons(entry, counts, false_alarms * _CONSTANT)
        if shape.drifted:
            reasons.append(shape_told(shape, entry, counts))
    status = RAISED if reasons else FINE if shape else NOT_EVALUATED
    return Finding(of.name, of.watched, status, tuple(reasons), entry, counts, shape)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
