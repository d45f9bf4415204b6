"""When a callback is tried again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boringml.jobs.callback_schedule import (
    ATTEMPTS,
    HOUR,
    JITTER,
    LONGEST_SECONDS,
    WAITS,
    is_last,
    retry_after,
    wait_seconds,
)

attempts = st.integers(1, ATTEMPTS - 1)
draws = st.floats(0, 1, exclude_max=True)


@given(attempts, draws, st.floats(0, 1e7))
def test_no_wait_is_longer_than_sqs_hides_a_message(
    attempt: int, draw: float, asked: float
) -> None:
    assert 0 <= wait_seconds(attempt, draw, asked_seconds=asked) <= LONGEST_SECONDS < 43_200


@given(attempts, draws)
def test_jitter_stays_within_its_share(attempt: int, draw: float) -> None:
    longest = WAITS[attempt - 1] * HOUR
    assert longest * (1 - JITTER) - 1 <= wait_seconds(attempt, draw) <= longest + 1


@given(attempts, draws, st.integers(0, 40_000))
def test_a_receiver_may_ask_for_more_time_and_never_for_less(
    attempt: int, draw: float, asked: int
) -> None:
    wait = wait_seconds(attempt, draw, asked_seconds=asked)
    assert wait >= wait_seconds(attempt, draw)
    assert wait >= asked


def test_waits_grow_up_to_the_longest_and_reach_over_three_days() -> None:
    assert list(WAITS) == sorted(WAITS)
    assert [round(hours * HOUR) for hours in WAITS[:6]] == [5, 300, 1800, 7200, 18000, 36000]
    assert 72 <= sum(WAITS) <= 80


def test_two_callbacks_of_one_outage_do_not_come_back_together() -> None:
    assert len({wait_seconds(4, draw / 100) for draw in range(100)}) > 90


def test_the_last_attempt_has_no_next_one() -> None:
    assert [is_last(n) for n in (1, ATTEMPTS - 1, ATTEMPTS, ATTEMPTS + 1)] == [
        False, False, True, True
    ]  # fmt: skip
    with pytest.raises(ValueError, match="no next one"):
        wait_seconds(ATTEMPTS, 0.5)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120), (None, 0), ("Wed, 25 Nov 2026 04:00:00 GMT", 0), ("-5", 0), ("²", 0)],
)
def test_retry_after_in_seconds_is_heard(header: str | None, seconds: float) -> None:
    assert retry_after(header) == seconds
