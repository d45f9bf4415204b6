"""Distances are 0 for the same shares, and never below."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from boringml.monitoring.distances import (
    LEAST_EXPECTED,
    is_small,
    ordered_bins,
    stability_index,
    total_variation,
    unordered_bins,
    wasserstein,
)

counts = st.integers(0, 2000)
pairs = st.lists(st.tuples(counts, counts), min_size=1, max_size=40)
some = pairs.filter(lambda found: all(sum(side) for side in zip(*found, strict=True)))


@given(some)
def test_no_distance_is_negative_and_an_empty_bin_has_one(found: list[tuple[int, int]]) -> None:
    assert 0 <= stability_index(found) < float("inf")
    assert 0 <= total_variation(found) <= 1


@given(st.lists(st.integers(1, 500), min_size=1, max_size=20), st.integers(1, 50))
def test_the_same_shares_are_no_distance_apart(shares: list[int], times: int) -> None:
    same = [(times * rows, rows) for rows in shares]
    places = list(range(len(same)))
    assert stability_index(same) == pytest.approx(0, abs=1e-12)
    assert total_variation(same) == pytest.approx(0, abs=1e-12)
    assert wasserstein(same, places) == pytest.approx(0, abs=1e-9)


@given(some, st.randoms())
def test_the_order_of_categories_and_of_the_sides_changes_nothing(
    found: list[tuple[int, int]], random: object
) -> None:
    turned = [(there, here) for here, there in found]
    random.shuffle(turned)  # type: ignore[attr-defined]
    assert stability_index(turned) == pytest.approx(stability_index(found))
    assert total_variation(turned) == pytest.approx(total_variation(found))


def test_the_index_is_that_of_the_books_where_rows_are_many() -> None:
    found = [(100_000, 300_000), (300_000, 500_000), (600_000, 200_000)]
    by_hand = sum((p - q) * np.log(p / q) for p, q in ((0.1, 0.3), (0.3, 0.5), (0.6, 0.2)))
    assert stability_index(found) == pytest.approx(by_hand, rel=1e-5)


@given(some)
def test_joining_bins_loses_no_row_and_leaves_none_small(found: list[tuple[int, int]]) -> None:
    for join in (ordered_bins, unordered_bins):
        bins = join(found)
        assert [sum(side) for side in zip(*bins, strict=True)] == [
            sum(side) for side in zip(*found, strict=True)
        ]
        window, baseline = (sum(side) for side in zip(*found, strict=True))
        if len(bins) > 1:
            smaller = min(window, baseline) / (window + baseline)
            assert all(sum(one) * smaller >= LEAST_EXPECTED - 1e-9 for one in bins)
            assert not any(is_small(*one, bins) for one in bins)


def test_bins_join_their_neighbours_and_categories_the_other_small_ones() -> None:
    found = [(100, 100), (2, 2), (100, 100), (3, 3), (100, 100), (9, 9)]
    assert ordered_bins(found) == [(100, 100), (102, 102), (112, 112)]
    assert unordered_bins(found) == [(14, 14), (100, 100), (100, 100), (100, 100)]


def test_the_area_between_bins_is_the_wasserstein_distance_of_their_places() -> None:
    found, places = [(5, 1), (3, 2), (2, 7)], [0.5, 1.0, 6.0]
    window, baseline = zip(*found, strict=True)
    exact = stats.wasserstein_distance(places, places, window, baseline)
    assert wasserstein(found, places) == pytest.approx(exact)
