"""Chance is computed as scipy computes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from boringml.monitoring.significance import chi_square_quantile, chi_square_tail, share_tail

TAILS = (0.5, 0.05, 1e-3, 1e-5, 1e-8)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 9, 10, 34, 99])
def test_the_chi_square_distribution_is_that_of_scipy(degrees: int) -> None:
    for tail in TAILS:
        value = stats.chi2.isf(tail, degrees)
        assert chi_square_quantile(tail, degrees) == pytest.approx(value, rel=1e-8)
        assert chi_square_tail(value, degrees) == pytest.approx(tail, rel=1e-8)
    assert chi_square_tail(0, degrees) == 1


@given(st.integers(0, 60), st.integers(0, 300), st.integers(1, 300), st.integers(1, 500))
def test_the_tail_of_a_share_is_fishers_exact_test(
    found: int, known: int, rows: int, baseline: int
) -> None:
    found, known = min(found, rows), min(known, baseline)
    whole = rows + baseline
    exact = stats.hypergeom.sf(found - 1, whole, found + known, rows)
    assert share_tail(found, rows, known, baseline) == pytest.approx(exact, rel=1e-6, abs=1e-300)


def test_the_tail_of_a_share_holds_for_millions_of_rows() -> None:
    exact = stats.hypergeom.sf(3_200, 6_000_000, 9_000, 2_000_000)
    assert share_tail(3_201, 2_000_000, 5_799, 4_000_000) == pytest.approx(exact, rel=1e-4)
