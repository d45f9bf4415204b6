"""Counts of parts add up to those of the whole, in any order."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boringml.monitoring.baseline import (
    bin_shares,
    categorical_baseline,
    numeric_baseline,
    text_baseline,
)
from boringml.monitoring.window import CategoryCounts, NumericCounts, Rows, Window

BASELINE = {
    "features": {
        "rate": numeric_baseline([1.0, 2.0, 3.0, 4.0, 50.0]),
        "term": categorical_baseline(["a", "b", "b"], ["a", "b", "c"]),
        "note": text_baseline(["one", "two words", ""]),
    },
    "probability": numeric_baseline([0.1, 0.2, 0.3]),
    "prediction": categorical_baseline(["good", "bad"], ["good", "bad"]),
}
records = st.lists(
    st.fixed_dictionaries(
        {
            "rate": st.none() | st.floats(-60, 60) | st.just(math.nan),
            "term": st.sampled_from(["a", "b", "c", "", None]),
            "note": st.none() | st.text(max_size=6),
        }
    ),
    max_size=30,
)


def rows_of(found: Sequence[dict[str, Any]]) -> Rows:
    return Rows(
        {name: [record[name] for record in found] for name in ("rate", "term", "note")},
        ["good"] * len(found),
        [0.2] * len(found),
    )


def told(window: Window) -> Any:
    return [
        (name, vars(counts) | {"total": pytest.approx(getattr(counts, "total", 0))})
        for name, counts in (*window.features.items(), *window.outputs.items())
    ]


@given(records, st.integers(0, 30), st.integers(0, 30))
def test_parts_add_up_to_the_whole_and_either_may_come_first(
    found: list[dict[str, Any]], first: int, second: int
) -> None:
    whole = Window(BASELINE)
    whole.add(rows_of(found))
    first, second = sorted((first, second))
    parts = [found[:first], found[first:second], found[second:]]
    in_batches = Window(BASELINE)
    for part in reversed(parts):
        in_batches.add(rows_of(part))
    merged = Window(BASELINE)
    for part in parts:
        one = Window(BASELINE)
        one.add(rows_of(part))
        merged.merge(one)
    assert told(whole) == told(in_batches) == told(merged)
    assert whole.rows == in_batches.rows == merged.rows == len(found)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1))
def test_a_window_has_the_bins_of_its_baseline(values: list[float]) -> None:
    entry = numeric_baseline(values)
    counts = NumericCounts(entry["edges"])
    counts.add(values)
    assert [n / len(values) for n in counts.bins] == pytest.approx(entry["shares"])
    assert bin_shares(values, entry["edges"]) == pytest.approx(entry["shares"])
    assert (counts.minimum, counts.maximum) == (entry["minimum"], entry["maximum"])


def test_nulls_are_none_nan_and_the_empty_text() -> None:
    numbers, words = NumericCounts([1.0]), CategoryCounts()
    numbers.add([None, math.nan, 1.0, 2.0])
    words.add(["a", "", None, "a"])
    assert (numbers.nulls, numbers.bins, words.nulls, words.known) == (2, [1, 1], 2, 2)
    assert words.is_constant
    assert not numbers.is_constant
    numbers.add(np.array([], np.float64))
    assert numbers.known == 2


def test_a_text_is_counted_by_its_lengths_and_a_missing_one_is_null_in_both() -> None:
    window = Window(BASELINE)
    window.add(Rows({"note": ["good tea", "", "é"]}))
    characters, words = window.features["note.characters"], window.features["note.words"]
    assert isinstance(characters, NumericCounts)
    assert isinstance(words, NumericCounts)
    assert (characters.total, words.total, characters.nulls, words.nulls) == (9, 3, 1, 1)
    assert window.entries["note.words"]["count"] == 3
    assert window.entries["note.words"]["nulls"] == 1


def test_a_feature_that_no_row_has_is_null_in_each_and_one_left_out_is_not_looked_at() -> None:
    window = Window(BASELINE, without=["term"])
    window.add(Rows({"rate": [1.0, 2.0]}))
    assert "term" not in window.features
    assert window.features["note.words"].nulls == 2


def test_answers_of_a_batch_come_apart_from_its_rows() -> None:
    window = Window({**BASELINE, "features": {"rate": BASELINE["features"]["rate"]}})
    window.add(Rows({"rate": [1.0, 2.0]}))
    window.add(Rows(predictions=["good"], probabilities=[0.3]))
    assert (window.rows, window.features["rate"].nulls) == (2, 0)
    assert (window.outputs["prediction"].known, window.outputs["probability"].known) == (1, 1)


def test_a_package_from_before_has_no_baseline_of_labels() -> None:
    window = Window({name: entry for name, entry in BASELINE.items() if name != "prediction"})
    window.add(rows_of([{"rate": 1.0, "term": "a", "note": "x"}]))
    assert list(window.outputs) == ["probability"]
