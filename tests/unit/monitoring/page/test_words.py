"""Numbers and times as people read them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from boringml.monitoring.page import words

NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "told"),
    [
        (timedelta(0), "now"),
        (timedelta(seconds=-5), "now"),
        (timedelta(seconds=1), "1 second ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(days=400), "400 days ago"),
    ],
)
def test_ago_is_told_by_the_largest_unit(before: timedelta, told: str) -> None:
    assert words.ago(NOW - before, NOW) == told


def test_a_time_of_another_zone_is_told_in_utc() -> None:
    there = datetime(2026, 11, 26, 10, 30, tzinfo=timezone(timedelta(hours=1)))
    assert words.moment(there) == "26 Nov 2026, 09:30 UTC"


@pytest.mark.parametrize(
    ("share", "told"),
    [(0, "0 %"), (0.0042, "0.42 %"), (0.05, "5 %"), (0.114, "11.4 %"), (1, "100 %")],
)
def test_shares(share: float, told: str) -> None:
    assert words.per_cent(share) == told


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0, "0 USD"),
        (0.0000051, "0.0000051 USD"),
        (0.0109, "0.011 USD"),
        (0.12, "0.12 USD"),
        (1234.5, "1,234.50 USD"),
        (1e-12, "0.00000000 USD"),
    ],
)
def test_amounts_have_two_digits_that_matter_below_a_dollar(value: float, told: str) -> None:
    assert words.usd(value) == told


def test_nothing_of_nothing_is_no_share() -> None:
    assert words.of_all(0, 0) == "0 of 0"
    assert words.of_all(9, 79) == "9 of 79 (11.4 %)"


def test_who_did_it_is_short() -> None:
    arn = "arn:aws:states:us-east-1:123456789012:execution:s-RollbackStateMachine-x:e3f6bb28-349f"
    assert words.actor(arn) == "rollback e3f6bb28"
    assert words.actor("arn:aws:iam::123456789012:user/ana") == "user/ana"
    assert words.actor("demo") == "demo"


def test_a_long_text_is_cut() -> None:
    assert words.short("a" * 1000, 10) == "a" * 9 + "\N{HORIZONTAL ELLIPSIS}"
