import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boringml.training.split import data_digest, is_held_out, row_key

numbers = st.lists(st.floats(allow_infinity=False), min_size=3, max_size=3)
texts = st.lists(st.text(st.characters(codec="utf-8"), max_size=5), min_size=2, max_size=2)


EXPECTED_KEY = "f2589a78c3d5b26235cb4ee8ab05220d3edf93d0b7903a1a36fa9839b0d5e92d"
EXPECTED_SIDES = [False, False, False, False, False, False, False, False, True, False, False, False]


def keys(count: int) -> list[bytes]:
    return [row_key([float(n)], ["x"]) for n in range(count)]


def test_the_side_of_a_row_never_changes_between_releases_of_this_code() -> None:
    # A literal on purpose: another hash would let live models meet rows that they learned from.
    assert row_key([1.0, -2.5], ["CA", "A1"]).hex() == EXPECTED_KEY
    assert [is_held_out(key, 0.2) for key in keys(12)] == EXPECTED_SIDES


@given(numbers, texts)
def test_a_key_depends_on_the_row_alone(row: list[float], words: list[str]) -> None:
    assert row_key(row, words) == row_key(list(row), list(words))
    assert len(row_key(row, words)) == 32


def test_zero_and_minus_zero_are_one_row_and_so_is_every_nan() -> None:
    assert row_key([0.0], []) == row_key([-0.0], [])
    assert row_key([math.nan], []) == row_key([-math.nan], [])


def test_a_letter_that_moves_to_the_next_column_makes_another_row() -> None:
    assert row_key([], ["ab", "c"]) != row_key([], ["a", "bc"])


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_the_holdout_has_about_its_share(share: float) -> None:
    held = sum(is_held_out(key, share) for key in keys(10_000))
    # Four standard deviations of a binomial.
    assert abs(held - 10_000 * share) < 4 * math.sqrt(10_000 * share * (1 - share))


def test_a_larger_share_holds_out_every_row_of_a_smaller_one() -> None:
    assert all(is_held_out(k, 0.3) for k in keys(2_000) if is_held_out(k, 0.2))


def test_no_row_is_held_out_of_a_share_of_zero_and_every_row_of_one() -> None:
    assert not any(is_held_out(key, 0.0) for key in keys(100))
    assert all(is_held_out(key, 1.0) for key in keys(100))


def test_the_data_digest_knows_rows_and_labels_but_no_order() -> None:
    three = keys(3)
    digest = data_digest(three, [0, 1, 0])
    assert digest.startswith("sha256:")
    assert data_digest([three[1], three[0], three[2]], [1, 0, 0]) == digest
    assert data_digest(three, [1, 1, 0]) != digest
    assert data_digest(three[:2], [0, 1]) != digest
    assert data_digest([*three, three[0]], [0, 1, 0, 0]) != digest
