"""Which time a page's traffic is of, and which function versions were asked in it."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from boringml.registry.items import route_of
from boringml.registry.records import LIVE, MOVED, SPLIT, HistoryEvent, Route

_LONGEST = timedelta(days=1)
# Of a model that is new, or locally: so much is shown before its first version went live.
_LEAST_MINUTES = 15
# Bars that a phone can show. Periods are so many minutes; a day of real ones takes 15.
_MOST_PERIODS = 96
_PERIODS = (1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 960)
# What is asked for stays below the 500 queries of one GetMetricData.
_MOST_PAIRS = 40

Pair = tuple[int, str]


@dataclass(frozen=True)
class Window:
    """Whole periods of so many seconds, the last of which has not ended."""

    begin: datetime
    end: datetime
    period_seconds: int


def traffic_window(
    history: Iterable[HistoryEvent], now: datetime, minute_seconds: int = 60
) -> Window:
    """Return the last day, or the time since live was moved first where that is less.

    `minute_seconds` is 60, but on the local AWS, where a release takes seconds.
    """
    first = next((e.at for e in history if e.kind == MOVED and e.alias == LIVE), now)
    least = timedelta(seconds=_LEAST_MINUTES * minute_seconds)
    length = min(_LONGEST, max(now - first, least))
    most = _MOST_PERIODS * minute_seconds
    minutes = next((m for m in _PERIODS if length.total_seconds() <= m * most), _PERIODS[-1])
    period = minutes * minute_seconds
    end = math.ceil(now.timestamp() / period) * period
    begin = math.floor((now - length).timestamp() / period) * period
    return Window(_utc(begin), _utc(end), period)


def asked_pairs(history: Sequence[HistoryEvent], window: Window) -> list[Pair]:
    """Return the (version, function version) that live sent requests to, newest last, each once."""
    found: dict[Pair, None] = {}
    for route, end in _routes(history, window.end):
        if end <= window.begin:
            continue
        canary = route.canary
        told = [(route.version, route.function_version)]
        told += [(canary.version, canary.function_version)] if canary else []
        for version, function_version in told:
            if version is not None and function_version is not None:
                found[version, function_version] = None
    return list(found)[-_MOST_PAIRS:]


def _routes(history: Sequence[HistoryEvent], end: datetime) -> Iterator[tuple[Route, datetime]]:
    """Yield each route of live with the time of its end."""
    moves = [e for e in history if e.alias == LIVE and e.kind in (MOVED, SPLIT)]
    for place, event in enumerate(moves, 1):
        yield route_of(event), moves[place].at if place < len(moves) else end


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
