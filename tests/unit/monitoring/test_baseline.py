import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boringml.monitoring.baseline import (
    bin_shares,
    categorical_baseline,
    numeric_baseline,
    text_baseline,
)

finite = st.floats(-1e9, 1e9, allow_nan=False)


def test_deciles_of_one_to_a_hundred_hold_a_tenth_each() -> None:
    found = numeric_baseline([float(n) for n in range(1, 101)])
    assert found["edges"] == [10, 20, 30, 40, 50, 60, 70, 80, 90]
    assert found["shares"] == pytest.approx([0.1] * 10)
    assert (found["minimum"], found["maximum"], found["mean"]) == (1, 100, 50.5)
    assert found["deviation"] == pytest.approx(math.sqrt((100**2 - 1) / 12))


def test_a_value_on_an_edge_belongs_to_the_bin_below_it() -> None:
    assert bin_shares([1.0, 2.0, 2.5], [1.0, 2.0]) == pytest.approx([1 / 3, 1 / 3, 1 / 3])


def test_a_feature_that_is_nearly_always_zero_has_one_edge() -> None:
    found = numeric_baseline([0.0] * 99 + [7.0])
    assert found["edges"] == [0.0]
    assert found["shares"] == pytest.approx([0.99, 0.01])


def test_each_bin_has_its_mean_and_an_empty_one_its_edge() -> None:
    assert numeric_baseline([float(n) for n in range(1, 101)])["means"] == pytest.approx(
        [5.5 + 10 * i for i in range(10)]
    )
    assert numeric_baseline([3.0, 3.0])["means"] == [3.0, 3.0]


def test_missing_numbers_are_counted_and_left_out_of_the_moments() -> None:
    found = numeric_baseline([1.0, math.nan, 3.0])
    assert (found["count"], found["nulls"], found["mean"]) == (3, 1, 2.0)


def test_no_values_have_no_moments() -> None:
    found = numeric_baseline([math.nan])
    assert (found["nulls"], found["mean"], found["edges"], found["shares"]) == (1, None, [], [])


@given(st.lists(finite, min_size=1))
def test_shares_add_up_to_one_whatever_the_values(values: list[float]) -> None:
    found = numeric_baseline(values)
    assert math.fsum(found["shares"]) == pytest.approx(1)
    assert len(found["shares"]) == len(found["edges"]) + 1


@given(st.lists(finite, min_size=1), st.randoms())
def test_the_order_of_the_values_changes_nothing(values: list[float], random: object) -> None:
    turned = list(values)
    random.shuffle(turned)  # type: ignore[attr-defined]
    assert numeric_baseline(turned) == numeric_baseline(values)


def test_a_category_without_a_row_is_listed_with_zero() -> None:
    found = categorical_baseline(["a", "a", "b", ""], ["a", "b", "c"])
    assert found["shares"] == pytest.approx({"a": 2 / 3, "b": 1 / 3, "c": 0})
    assert (found["count"], found["nulls"]) == (4, 1)


def test_categories_of_no_values_are_zero() -> None:
    assert categorical_baseline([], ["a"])["shares"] == {"a": 0.0}


def test_a_text_is_told_by_its_lengths_in_characters_and_words() -> None:
    found = text_baseline(["good tea", "", "é \n 美味しい", "a"])
    assert (found["kind"], found["count"], found["nulls"]) == ("text", 4, 1)
    assert found["empty_share"] == 0.25
    assert found["characters"] == numeric_baseline([8.0, 8.0, 1.0])
    assert found["words"] == numeric_baseline([2.0, 2.0, 1.0])


def test_texts_of_no_rows_have_no_lengths() -> None:
    found = text_baseline([])
    assert (found["empty_share"], found["characters"]["edges"]) == (0.0, [])


@given(st.lists(st.text(max_size=5)))
def test_the_shares_of_lengths_are_those_of_the_texts_that_are_there(values: list[str]) -> None:
    found = text_baseline(values)
    there = found["count"] - found["nulls"]
    for lengths in (found["characters"], found["words"]):
        assert lengths["count"] == there
        assert math.fsum(lengths["shares"]) == pytest.approx(1 if there else 0)
