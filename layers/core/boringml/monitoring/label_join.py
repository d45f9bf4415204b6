"""Predictions beside what became of them.

Predictions are few columns of many rows, so all of it is arrays: `Predictions` by day, one label or
none for each, and a count of where every label went.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

UNLABELLED: Final = -1
MILLISECONDS_A_DAY: Final = 86_400_000
# Named in a report, so that a person can look them up.
_SHOWN = 5


@dataclass(frozen=True)
class Predictions:
    """N predictions. `names` tell them apart, or are keys that repeat; `at` is ms since 1970."""

    names: Any
    at: Any
    version: Any
    probability: Any

    def __len__(self) -> int:
        return len(self.at)


@dataclass
class Fate:
    """Where the labels went: their sum is what was stored."""

    used: int = 0
    # Equal in prediction, time and label to one that is counted here too.
    duplicates: int = 0
    # Known before another of the same prediction, which counts in their place.
    replaced: int = 0
    # Of the same prediction and time, and not the same: none of them counts.
    contradicted: int = 0
    # No prediction within the horizon has that name, or not yet: the lake is minutes behind.
    unmatched: int = 0
    contradictions: list[str] = field(default_factory=list)

    @property
    def stored(self) -> int:
        """All labels that were there."""
        return self.used + self.duplicates + self.replaced + self.contradicted + self.unmatched

    def add(self, other: "Fate") -> None:
        """Count another part of the labels as well."""
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))
        del self.contradictions[_SHOWN:]

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"stored": self.stored, **vars(self)}


@dataclass(frozen=True)
class Joined:
    """Predictions with their labels: 1, 0 or UNLABELLED."""

    at: Any
    version: Any
    probability: Any
    label: Any
    fate: Fate

    def of_version(self, version: int) -> "Joined":
        """Return those of one model version; `fate` stays that of all."""
        return self.where(self.version == version)

    def where(self, chosen: Any) -> "Joined":
        """Return those that are chosen, by a mask."""
        return Joined(
            self.at[chosen],
            self.version[chosen],
            self.probability[chosen],
            self.label[chosen],
            self.fate,
        )

    @property
    def day(self) -> Any:
        """UTC days since 1970 of the predictions."""
        return self.at // MILLISECONDS_A_DAY

    @property
    def labelled(self) -> "Joined":
        """Return those whose label is known."""
        return self.where(self.label != UNLABELLED)


def names_of_requests(request_id: Any, record: Any) -> Any:
    """Return what names a prediction that was asked for: its request and its place in it."""
    place = pc.cast(pc.fill_null(record, 0), pa.string())
    return pc.binary_join_element_wise(request_id, place, "/")


def join_requests(days: Iterable[Predictions], labels: Any) -> Joined:
    """Return predictions beside their labels, by request and record.

    `labels` is a table of `label_rows.LABELS`. `days` are read one after the other, and a label is
    looked for no more once its prediction was found, so what is held at a time is the labels and a
    day. A prediction that is there twice (logs are delivered at least once) counts once.
    """
    ours = labels.filter(pc.is_valid(labels["request_id"]))
    # One chunk, whose rows can be taken by their numbers.
    names = _flat(names_of_requests(ours["request_id"], ours["record"]))
    at, positive = _milliseconds(ours["at"]), _numpy(ours["positive"]).astype(np.int8)
    fate, parts = Fate(), list[Joined]()
    for raw in days:
        day = _without_repetitions(raw)
        place = pc.fill_null(pc.index_in(names, value_set=day.names), -1).to_numpy(
            zero_copy_only=False
        )
        found = place >= 0
        label, part = fold(place[found], at[found], positive[found], len(day), day.names)
        fate.add(part)
        parts.append(Joined(day.at, day.version, day.probability, label, fate))
        left = ~found
        names, at, positive = names.filter(pa.array(left)), at[left], positive[left]
    fate.unmatched += len(names)
    return joined(parts, fate)


def join_keys(scores: Iterable[Predictions], labels: Any) -> Joined:
    """Return scores beside their labels, each joined to the newest score of its key before it."""
    ours = labels.filter(pc.is_valid(labels["key"]))
    parts = [part for part in scores if len(part)]
    if not parts:
        return joined([], Fate(unmatched=len(ours)))
    names = pa.concat_arrays([_flat(part.names) for part in parts])
    at = np.concatenate([part.at for part in parts])
    known, label_at = _flat(ours["key"]), _milliseconds(ours["at"])
    positive = _numpy(ours["positive"]).astype(np.int8)

    keys = pc.unique(names)
    times = np.unique(at)
    # A key and a time as one number, so that one search finds the newest score before a label.
    steps = len(times) + 1
    score_key = pc.index_in(names, value_set=keys).to_numpy(zero_copy_only=False)
    order_of = score_key.astype(np.int64) * steps + np.searchsorted(times, at) + 1
    order = np.argsort(order_of, kind="stable")
    label_key = pc.fill_null(pc.index_in(known, value_set=keys), -1).to_numpy(zero_copy_only=False)
    before = np.searchsorted(times, label_at)  # scores of the very time of a label are not before
    wanted = label_key.astype(np.int64) * steps + before
    last = np.searchsorted(order_of[order], wanted, side="right") - 1
    found = (label_key >= 0) & (before > 0) & (last >= 0)
    found &= score_key[order[np.maximum(last, 0)]] == label_key
    place = order[np.maximum(last, 0)][found]
    label, fate = fold(place, label_at[found], positive[found], len(at), names)
    fate.unmatched += int((~found).sum())
    version = np.concatenate([part.version for part in parts])
    probability = np.concatenate([part.probability for part in parts])
    return Joined(at, version, probability, label, fate)


def fold(place: Any, at: Any, positive: Any, count: int, names: Any) -> tuple[Any, Fate]:
    """Return a label for each of `count` predictions, and where the found labels went.

    `place` is each label's prediction. The label that became known last counts; what contradicts
    itself at that time does not; the order in which labels came does not matter.
    """
    label = np.full(count, UNLABELLED, np.int8)
    if not len(place):
        return label, Fate()
    order = np.lexsort((positive, at, place))
    place, at, positive = place[order], at[order], positive[order]
    same_place = place[1:] == place[:-1]
    same_time = same_place & (at[1:] == at[:-1])
    first = np.concatenate(([True], ~(same_time & (positive[1:] == positive[:-1]))))
    place, at, positive = place[first], at[first], positive[first]

    # Of each prediction's labels, those of its last time are the last one or two.
    is_last = np.concatenate((place[1:] != place[:-1], [True]))
    newest = at[is_last][np.cumsum(np.concatenate(([0], is_last[:-1])))]
    at_last = at == newest
    twice = np.bincount(place[at_last], minlength=count) > 1
    used = at_last & ~twice[place]
    label[place[used]] = positive[used]
    bad = np.flatnonzero(twice)
    fate = Fate(
        used=int(used.sum()),
        duplicates=int((~first).sum()),
        replaced=int((~at_last).sum()),
        contradicted=int((at_last & twice[place]).sum()),
        contradictions=[str(names[int(index)]) for index in bad[:_SHOWN]],
    )
    return label, fate


def joined(parts: list[Joined], fate: Fate) -> Joined:
    """Return parts as one."""
    if not parts:
        none = np.empty(0, np.int64)
        return Joined(none, none, np.empty(0), np.empty(0, np.int8), fate)
    return Joined(
        np.concatenate([part.at for part in parts]),
        np.concatenate([part.version for part in parts]),
        np.concatenate([part.probability for part in parts]),
        np.concatenate([part.label for part in parts]),
        fate,
    )


def merged(one: Joined, other: Joined) -> Joined:
    """Return what was asked for and what batches scored, of a model that has both."""
    fate = Fate()
    fate.add(one.fate)
    fate.add(other.fate)
    return joined([one, other], fate)


def milliseconds(moment: datetime) -> int:
    """Return ms since 1970."""
    return int(moment.timestamp() * 1000)


def moment(milliseconds_: float) -> datetime:
    """Return the time of ms since 1970, in UTC."""
    return datetime.fromtimestamp(milliseconds_ / 1000, UTC)


def _without_repetitions(day: Predictions) -> Predictions:
    """Return the earliest prediction of each name, in the old order."""
    codes = day.names.dictionary_encode().indices.to_numpy(zero_copy_only=False)
    order = np.lexsort((day.at, codes))
    is_first = np.ones(len(order), bool)
    is_first[1:] = codes[order][1:] != codes[order][:-1]
    rows = np.sort(order[is_first])
    return Predictions(
        day.names.take(pa.array(rows)), day.at[rows], day.version[rows], day.probability[rows]
    )


def _flat(column: Any) -> Any:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _milliseconds(column: Any) -> Any:
    return _numpy(pc.cast(column, pa.int64()))


def _numpy(column: Any) -> Any:
    return (
        column.to_numpy(zero_copy_only=False) if isinstance(column, pa.Array) else column.to_numpy()
    )
