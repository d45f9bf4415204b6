"""When each version had which share of live's requests, and what else happened to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from boringml.registry.items import route_of
from boringml.registry.records import (
    LIVE,
    MOVED,
    REGISTERED,
    SPLIT,
    STEP,
    HistoryEvent,
    Route,
)

BORN: Final = "registered"
STOPPED: Final = "stopped"
WENT_LIVE: Final = "went live"
CAME_BACK: Final = "came back"


@dataclass(frozen=True)
class Segment:
    """From `begin` to `end` the version had `share` of the requests; 1 is all of them."""

    begin: datetime
    end: datetime
    share: float


@dataclass(frozen=True)
class Mark:
    """Something that happened to a version in a moment."""

    at: datetime
    kind: str


@dataclass(frozen=True)
class Lane:
    """A version with all that is drawn of it, oldest first."""

    version: int
    segments: Sequence[Segment]
    marks: Sequence[Mark]


def lanes(history: Sequence[HistoryEvent], now: datetime, most: int) -> list[Lane]:
    """Return the lanes of the `most` newest versions and of what is live, newest version first."""
    segments: dict[int, list[Segment]] = {}
    marks: dict[int, list[Mark]] = {}
    route, since = Route(), now
    for event in history:
        if mark := _mark(event):
            marks.setdefault(mark[0], []).append(mark[1])
        if event.alias == LIVE and event.kind in (MOVED, SPLIT):
            _add(segments, route, since, event.at)
            route, since = route_of(event), event.at
    _add(segments, route, since, now)
    known = sorted({*segments, *marks}, reverse=True)
    shown = known[:most]
    if route.version is not None and route.version not in shown:
        shown = [*shown[: most - 1], route.version]
    return [Lane(version, segments.get(version, ()), marks.get(version, ())) for version in shown]


def _add(found: dict[int, list[Segment]], route: Route, begin: datetime, end: datetime) -> None:
    """Add what the versions of a route had; a canary of new code answers as the same version."""
    if route.version is None or end <= begin:
        return
    shares = {route.version: 1.0}
    if route.canary is not None and route.canary.version != route.version:
        shares[route.version] -= route.canary.weight
        shares[route.canary.version] = route.canary.weight
    for version, share in shares.items():
        found.setdefault(version, []).append(Segment(begin, end, share))


def _mark(event: HistoryEvent) -> tuple[int, Mark] | None:
    version = event.to_version
    if version is None:
        return None
    if event.kind == REGISTERED:
        return version, Mark(event.at, BORN)
    if event.kind == STEP and event.details.get("outcome") == "abandoned":
        return version, Mark(event.at, STOPPED)
    if event.kind == MOVED and event.alias == LIVE:
        return version, Mark(event.at, CAME_BACK if event.details.get("back") else WENT_LIVE)
    return None
