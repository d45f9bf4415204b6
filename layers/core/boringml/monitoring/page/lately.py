"""Failures of the last minutes, by themselves: a good day hides an outage that has just begun."""

from datetime import timedelta
from typing import Final

from boringml.monitoring.page import words
from boringml.monitoring.page.answers import BAD, WATCH
from boringml.monitoring.page.document import Traffic, VersionTraffic
from boringml.release.shadow_judge import EARLY_CHANCE, chance_of_at_least

# Newest periods that are judged together. The newest one has not ended: it may be seconds old.
_PERIODS: Final = (1, 2)
# A page is written 96 times a day: what has so small a chance is worth a look, and no more.
_RARE: Final = 1e-3


def lately(traffic: Traffic, asked: VersionTraffic, tolerated: float) -> tuple[str, str] | None:
    """Return a tone and what was seen, or None where the last periods say nothing new.

    `tolerated` is the share of failures that a version may have. So many more that chance would
    make them once in a million looks are bad (EARLY_CHANCE), once in a thousand are watched.
    """
    seen = [_newest(traffic, asked, periods) for periods in _PERIODS]
    chance, failures, requests, length = min(
        (chance_of_at_least(failures, requests, tolerated), failures, requests, length)
        for failures, requests, length in seen
    )
    if chance >= _RARE:
        return None
    told = words.bad_of_all(failures, requests, "requests failed")
    told += f" in the last {words.lasting(length)}"
    if chance < EARLY_CHANCE:
        return BAD, f"{told}. That is beyond chance."
    return WATCH, f"{told}. That is more than is tolerated, and rarely chance."


def _newest(traffic: Traffic, asked: VersionTraffic, periods: int) -> tuple[int, int, timedelta]:
    """Return failures and requests of so many newest periods, and how long they are."""
    length = timedelta(seconds=periods * traffic.period_seconds)
    points = [point for point in asked.points if point.at >= traffic.end - length]
    return sum(p.failures for p in points), sum(p.requests for p in points), length
