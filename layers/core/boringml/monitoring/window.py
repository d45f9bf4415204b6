"""Counts of a window of traffic, over the bins of a baseline.

They take the same memory for ten rows and for ten million, and those of two parts add up to those
of the whole: rows may be read in any batches, in any order.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

# A text is told by its lengths, each a number of its own: `review.characters`, `review.words`.
CHARACTERS = "characters"
WORDS = "words"
# Of a probability. A served model computes in single precision, its baseline was scored in double:
# what many rows share, such as the highest of all, must not change its bin by ulps.
ROUNDING = 1e-5


class NumericCounts:
    """Counts of numbers: bin i holds edges[i-1] < x <= edges[i], as in the baseline.

    The outer bins have no outer limits, so `below` and `above` count again what lies outside the
    baseline's range `limits`. A value that passes an edge or a limit by less than `rounding`, a
    share of it, has not passed. `total` is the sum of the known values, infinite where it is more
    than a number holds. Of no known value, minimum and maximum are infinite.
    """

    def __init__(
        self,
        edges: Sequence[float],
        limits: tuple[float, float] = (-math.inf, math.inf),
        rounding: float = 0.0,
    ) -> None:
        self.edges = tuple(edges)
        self._passed = [edge + rounding * abs(edge) for edge in edges]
        low, high = limits
        self._limits = (low - rounding * abs(low), high + rounding * abs(high))
        self.bins: list[int] = [0] * (len(self.edges) + 1)
        self.below = 0
        self.above = 0
        self.nulls = 0
        self.total = 0.0
        self.minimum = math.inf
        self.maximum = -math.inf

    @property
    def known(self) -> int:
        """Values that are there."""
        return sum(self.bins)

    @property
    def is_constant(self) -> bool:
        """Whether all known values are one."""
        return self.minimum == self.maximum

    def add(self, values: Iterable[float | None]) -> None:
        """Count values; None and NaN are nulls."""
        found = np.array([math.nan if v is None else v for v in values], np.float64)
        known = found[~np.isnan(found)]
        self.nulls += len(found) - len(known)
        if not len(known):
            return
        places = np.searchsorted(self._passed, known, side="left")
        counted = np.bincount(places, minlength=len(self.bins)).tolist()
        self.bins = [a + b for a, b in zip(self.bins, counted, strict=True)]
        self.below += int((known < self._limits[0]).sum())
        self.above += int((known > self._limits[1]).sum())
        self.total += _sum(known)
        self.minimum = min(self.minimum, float(known.min()))
        self.maximum = max(self.maximum, float(known.max()))

    def merge(self, other: "NumericCounts") -> None:
        """Add the counts of other rows over the same edges."""
        self.bins = [a + b for a, b in zip(self.bins, other.bins, strict=True)]
        self.nulls += other.nulls
        self.below += other.below
        self.above += other.above
        self.total += other.total
        self.minimum = min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)


class CategoryCounts:
    """Counts of words; None and the empty text are nulls.

    A served request and a scored row have met the contract, so there are no more words than it has.
    """

    def __init__(self) -> None:
        self.words: Counter[str] = Counter()
        self.nulls = 0

    @property
    def known(self) -> int:
        """Values that are there."""
        return self.words.total()

    @property
    def is_constant(self) -> bool:
        """Whether all known values are one."""
        return len(self.words) == 1

    def add(self, values: Iterable[str | None]) -> None:
        """Count values."""
        counted = Counter(value or "" for value in values)
        self.nulls += counted.pop("", 0)
        self.words.update(counted)

    def merge(self, other: "CategoryCounts") -> None:
        """Add the counts of other rows."""
        self.words.update(other.words)
        self.nulls += other.nulls


Counts: TypeAlias = NumericCounts | CategoryCounts


@dataclass(frozen=True)
class Rows:
    """Some rows of traffic: features by name, and what was answered. Each may be left out."""

    features: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    predictions: Sequence[str] = ()
    probabilities: Sequence[float] = ()


class Window:
    """Counts of the rows of a window: of each feature of a baseline but those in `without`.

    `baseline` is baseline.json, parsed. `features` and `outputs` are by the name of their entry in
    the baseline, which of a text are two; `feature_of` has the contract's name. Outputs are
    `probability` and, where the baseline has it, `prediction`.
    """

    def __init__(self, baseline: Mapping[str, Any], without: Iterable[str] = ()) -> None:
        left_out = frozenset(without)
        self.entries: dict[str, Mapping[str, Any]] = {}
        self.feature_of: dict[str, str] = {}
        self._texts: list[str] = []
        for name, entry in baseline["features"].items():
            if name in left_out:
                continue
            if entry["kind"] == "text":
                self._texts.append(name)
                for part in (CHARACTERS, WORDS):
                    nulls = {"count": entry["count"], "nulls": entry["nulls"]}
                    self.entries[f"{name}.{part}"] = {**entry[part], **nulls}
                    self.feature_of[f"{name}.{part}"] = name
            else:
                self.entries[name] = entry
                self.feature_of[name] = name
        self.output_entries: dict[str, Mapping[str, Any]] = {
            name: baseline[name] for name in ("prediction", "probability") if name in baseline
        }
        self.features = {name: _counts(entry) for name, entry in self.entries.items()}
        self.outputs = {
            name: _counts(entry, ROUNDING) for name, entry in self.output_entries.items()
        }
        self.rows = 0

    def add(self, rows: Rows) -> None:
        """Count rows. Features and answers may come apart: those of a batch lie in other files."""
        if rows.features:
            count = len(next(iter(rows.features.values())))
            self.rows += count
            columns = self._columns(rows.features, count)
            for name, counts in self.features.items():
                counts.add(columns[name])
        answers: dict[str, Sequence[Any]] = {
            "prediction": rows.predictions,
            "probability": rows.probabilities,
        }
        for name, counts in self.outputs.items():
            counts.add(answers[name])

    def merge(self, other: "Window") -> None:
        """Add the counts of other rows against the same baseline."""
        self.rows += other.rows
        for mine, theirs in ((self.features, other.features), (self.outputs, other.outputs)):
            for name, counts in mine.items():
                counts.merge(theirs[name])  # type: ignore[arg-type]  # one baseline, one kind

    def _columns(self, features: Mapping[str, Sequence[Any]], count: int) -> dict[str, Any]:
        """Return a column for each entry. A feature that is not there is null in each row."""
        nothing = [None] * count
        columns = {name: features.get(name, nothing) for name in self.entries}
        for name in self._texts:
            texts = features.get(name, nothing)
            columns[f"{name}.{CHARACTERS}"] = [len(text) if text else None for text in texts]
            columns[f"{name}.{WORDS}"] = [len(text.split()) if text else None for text in texts]
        return columns


def _counts(entry: Mapping[str, Any], rounding: float = 0.0) -> Counts:
    if entry["kind"] != "numeric":
        return CategoryCounts()
    if entry["minimum"] is None:
        return NumericCounts(entry["edges"])
    return NumericCounts(entry["edges"], (entry["minimum"], entry["maximum"]), rounding)


def _sum(values: NDArray[np.float64]) -> float:
    """Return the sum, or infinity: a client may send the largest number twice."""
    try:
        return math.fsum(values)
    except OverflowError:
        return math.inf
