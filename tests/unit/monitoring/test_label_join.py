"""Labels find their predictions, count once, and every label went somewhere."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from boringml.monitoring.label_join import (
    Joined,
    Predictions,
    join_keys,
    join_requests,
    milliseconds,
    names_of_requests,
)
from boringml.monitoring.label_rows import counted, table_of
from boringml.monitoring.labels import Label

START = datetime(2026, 11, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)


def day(ids: list[str], records: list[int] | None = None, hour: int = 0) -> Predictions:
    count = len(ids)
    names = names_of_requests(
        pa.array(ids, pa.string()), pa.array(records or [0] * count, pa.int32())
    )
    at = np.array([milliseconds(START + (hour + n) * HOUR) for n in range(count)], np.int64)
    return Predictions(names, at, np.ones(count, np.int64), np.linspace(0.1, 0.9, count))


def label(id_: str, hours: int, positive: bool, record: int = 0) -> Label:
    word = "bad" if positive else "good"
    return Label(START + hours * HOUR, word, positive, request_id=id_, record=record)


def joined(labels: list[Label], *days: Predictions) -> Joined:
    return join_requests(days, table_of(labels, START))


def test_a_label_finds_the_record_of_its_request() -> None:
    found = joined([label("a", 9, True, record=1)], day(["a", "a", "b"], [0, 1, 0]))
    assert found.label.tolist() == [-1, 1, -1]


def test_a_label_may_come_for_any_day() -> None:
    found = joined([label("b", 99, False), label("a", 98, True)], day(["a"]), day(["b"], hour=24))
    assert found.label.tolist() == [1, 0]
    assert (found.fate.used, found.fate.unmatched) == (2, 0)


def test_the_same_label_twice_counts_once() -> None:
    found = joined([label("a", 9, True)] * 3, day(["a"]))
    assert (found.label.tolist(), found.fate.used, found.fate.duplicates) == ([1], 1, 2)


def test_a_later_label_replaces_an_earlier_one_whichever_comes_first() -> None:
    both = [label("a", 9, True), label("a", 10, False)]
    for labels in (both, both[::-1]):
        found = joined(labels, day(["a"]))
        assert (found.label.tolist(), found.fate.replaced) == ([0], 1)


def test_a_contradiction_counts_for_neither_and_is_told() -> None:
    found = joined([label("a", 9, True), label("a", 9, False)], day(["a", "b"]))
    assert found.label.tolist() == [-1, -1]
    assert (found.fate.contradicted, found.fate.contradictions) == (2, ["a/0"])
    settled = joined(
        [label("a", 9, True), label("a", 9, False), label("a", 10, True)], day(["a", "b"])
    )
    assert settled.label.tolist() == [1, -1]
    assert (settled.fate.contradicted, settled.fate.replaced) == (0, 2)


def test_a_line_of_the_log_that_came_twice_is_one_prediction() -> None:
    found = joined([label("a", 9, True)], day(["a", "b", "a"]))
    assert found.label.tolist() == [1, -1]


def test_what_finds_no_prediction_is_counted() -> None:
    assert joined([label("z", 9, True)], day(["a"])).fate.unmatched == 1
    assert joined([label("z", 9, True)]).fate.document()["stored"] == 1
    assert joined([], day(["a"])).fate.stored == 0


LABELS = st.lists(
    st.builds(label, st.sampled_from("abcdz"), st.integers(1, 3), st.booleans()), max_size=40
)


@given(LABELS, st.randoms(use_true_random=False))
def test_the_fold_is_that_of_one_prediction_at_a_time_in_any_order(
    labels: list[Label], random: Random
) -> None:
    days = (day(["a", "b"]), day(["c", "d"], hour=24))
    found = joined(labels, *days)
    mine = defaultdict(list)
    for one in labels:
        mine[one.request_id].append(one)
    expected = [counted(mine[name]) for name in "abcd"]
    assert found.label.tolist() == [-1 if one is None else int(one.positive) for one in expected]
    assert found.fate.stored == len(labels)
    assert found.fate.unmatched == len(mine["z"])
    random.shuffle(labels)
    again = joined(labels, *days)
    assert again.label.tolist() == found.label.tolist()
    assert again.fate == found.fate


def scores(keys: list[str], hour: int, version: int) -> Predictions:
    count = len(keys)
    at = np.full(count, milliseconds(START + hour * HOUR))
    return Predictions(pa.array(keys), at, np.full(count, version), np.full(count, version / 10))


def keyed(key: str, hours: int, positive: bool) -> Label:
    return Label(START + hours * HOUR, "Yes" if positive else "No", positive, key=key)


def test_a_key_finds_its_newest_score_before_the_label() -> None:
    parts = [scores(["a", "b"], 0, 1), scores(["b", "a"], 24, 2), scores(["a"], 48, 3)]
    labels = [keyed("a", 30, True), keyed("b", 20, False), keyed("a", 24, False)]
    found = join_keys(parts, table_of(labels, START))
    # "a" at hour 24 is not after the score of that hour: it is of the first one.
    assert found.label.tolist() == [0, 0, -1, 1, -1]
    assert found.version.tolist() == [1, 1, 2, 2, 3]


def test_a_label_before_any_score_finds_none() -> None:
    labels = [keyed("a", 0, True), keyed("c", 9, True)]
    found = join_keys([scores(["a", "b"], 0, 1)], table_of(labels, START))
    assert (found.label.tolist(), found.fate.unmatched) == ([-1, -1], 2)
    assert join_keys([], table_of(labels, START)).fate.unmatched == 2


KEYED = st.lists(
    st.builds(keyed, st.sampled_from("abcz"), st.integers(0, 60), st.booleans()), max_size=30
)
RUNS = st.lists(
    st.tuples(st.lists(st.sampled_from("abc"), unique=True), st.integers(0, 50)), max_size=5,
    unique_by=lambda run: run[1],
)  # fmt: skip


@given(KEYED, RUNS)
def test_keys_find_what_a_search_by_hand_finds(
    labels: list[Label], runs: list[tuple[list[str], int]]
) -> None:
    parts = [scores(keys, hour, number) for number, (keys, hour) in enumerate(runs, 1)]
    flat = [(key, START + hour * HOUR) for keys, hour in runs for key in keys]
    mine: dict[Any, list[Label]] = defaultdict(list)
    for one in labels:
        before = [
            (at, place) for place, (key, at) in enumerate(flat) if key == one.key and at < one.at
        ]
        mine[max(before)[1] if before else None].append(one)
    found = join_keys(parts, table_of(labels, START))
    expected = [counted(mine[place]) for place in range(len(flat))]
    assert found.label.tolist() == [-1 if one is None else int(one.positive) for one in expected]
    assert found.fate.stored == len(labels)
    assert found.fate.unmatched == len(mine[None])
