"""What the demonstration holds its requests to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from boringml.registry.records import APPLIED, SPLIT, HistoryEvent
from local.release_demo import Caught, broken_promises, share_of_traffic
from local.traffic import Sent

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
RICH, POOR = 7, 0


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def event(kind: str, seconds: float, canary: int | None) -> HistoryEvent:
    details = {"canary": {"version": canary, "weight": 0.1} if canary else None}
    return HistoryEvent(
        model="credit",
        sequence=1,
        at=at(seconds),
        kind=kind,
        alias="live",
        from_version=1,
        to_version=1,
        by="t",
        why="t",
        details=details,
    )


# A good version's canary, then that of version 5, which fails some and is taken off after 40 s.
HISTORY = [
    event(SPLIT, 0, 2),
    event(APPLIED, 1, 2),
    event(SPLIT, 30, None),
    event(APPLIED, 31, None),
    event(SPLIT, 100, 5),
    event(APPLIED, 101, 5),
    event(SPLIT, 140, None),
    event(APPLIED, 141, None),
]


def sent(seconds: float, status: int = 200, version: int | None = 2, record: int = POOR) -> Sent:
    return Sent(at(seconds), at(seconds + 0.1), status, version, 100.0, record)


def caught(version: int, fault: str, seconds: float | None = None) -> Caught:
    return Caught(fault, "says", version, "step", "reason", 1, seconds)


CAUGHT = [caught(3, "slow"), caught(4, "wrong"), caught(5, "throws", 20.0)]
GOOD = [sent(10), sent(110, version=5), sent(121, 500, None, RICH), sent(140.95, version=5)]


def broken(traffic: list[Sent], results: list[Caught] = CAUGHT) -> list[str]:
    return broken_promises(traffic, results, HISTORY, lambda item: item.record == RICH)


def test_failures_of_the_version_that_throws_in_its_share_are_expected() -> None:
    assert broken(GOOD) == []


@pytest.mark.parametrize(
    "bad",
    [
        sent(142, 500, None, RICH),  # hours later, or a moment: traffic was restored
        sent(20, 500, None, RICH),  # in another version's share
        sent(121, 500, None, POOR),  # that this version does not fail
        sent(121, 502, None, RICH),
        sent(142, version=5),  # answered by it after it was taken off
        sent(99, version=5),
        sent(121, version=3),  # one that was to be caught before it had a share
    ],
)
def test_any_other_failure_or_answer_breaks_the_promise(bad: Sent) -> None:
    assert len(broken([*GOOD, bad])) == 1


@pytest.mark.parametrize("seconds", [None, 121.0])
def test_harm_was_there_and_short(seconds: float | None) -> None:
    results = [*CAUGHT[:2], replace(CAUGHT[2], harmed_seconds=seconds)]
    assert len(broken(GOOD, results)) == 1


def test_without_any_failure_nothing_was_shown() -> None:
    assert len(broken([item for item in GOOD if item.status == 200])) == 1


def test_a_version_that_was_not_taken_off_is_told() -> None:
    assert share_of_traffic(3, HISTORY) is None
    with pytest.raises(RuntimeError, match="nothing says that it was taken off"):
        share_of_traffic(5, HISTORY[:-1])


def test_a_share_that_grows_is_one_share() -> None:
    grown: list[Any] = [*HISTORY[:6], event(SPLIT, 120, 5), event(APPLIED, 121, 5), *HISTORY[6:]]
    share = share_of_traffic(5, grown)
    assert share is not None
    assert (share.begin, share.end) == (at(100), at(141))
