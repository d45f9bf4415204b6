"""What was live on a given day: read from the history, never inferred."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from boringml.errors import BoringError
from boringml.registry.items import route_of
from boringml.registry.records import APPLIED, LIVE, MOVED, SPLIT, HistoryEvent, Route


@dataclass(frozen=True)
class Served:
    """Which versions answered live's requests at a moment: each with its share.

    `moving_to` is set while Lambda had not been told yet: then either may have answered.
    """

    shares: Mapping[int, float]
    moving_to: Mapping[int, float] | None = None

    def may_answer(self, version: int) -> bool:
        """Return whether a request of that moment may have been answered by a version."""
        return version in self.shares or version in (self.moving_to or {})


def alias_at(events: Iterable[HistoryEvent], alias: str, at: datetime) -> int | None:
    """Return the version that `alias` pointed at, at the moment `at`; None where it had none.

    `events` is one model's history, oldest first. A move counts from its own moment on, and `at`
    grows with `sequence`, so the answer for a moment that is past never changes.
    Raises BoringError `time_without_zone` for a naive `at`.
    """
    _check_zone(at)
    version: int | None = None
    for event in events:
        if event.at > at:
            break
        if event.kind == MOVED and event.alias == alias:
            version = event.to_version
    return version


def live_at(events: Iterable[HistoryEvent], at: datetime) -> int | None:
    """Return the version that was live at the moment `at`: see `alias_at`."""
    return alias_at(events, LIVE, at)


def served_at(events: Iterable[HistoryEvent], at: datetime) -> Served:
    """Return what answered live's requests at the moment `at`, canaries with their shares.

    `events` is one model's history, oldest first. A move is decided in the registry, then told to
    Lambda: between the two, requests may go either way, which `moving_to` says.
    Raises BoringError `time_without_zone` for a naive `at`.
    """
    _check_zone(at)
    now, decided = Route(), Route()
    for event in events:
        if event.at > at:
            break
        if event.alias != LIVE:
            continue
        if event.kind in (MOVED, SPLIT):
            decided = route_of(event)
            if decided.function_version is None:
                now = decided
        elif event.kind == APPLIED:
            now = decided = route_of(event)
    return Served(_shares(now), None if now == decided else _shares(decided))


def brought(
    events: Iterable[HistoryEvent], version: int, function_version: str | None, at: datetime
) -> HistoryEvent | None:
    """Return the last decision before `at` that gave a version requests of live; None without one.

    It is a move or a share of a canary, and its `why` and `by` say how the version came there.
    `events` is one model's history, oldest first. Raises as `served_at` does.
    """
    _check_zone(at)
    found: HistoryEvent | None = None
    for event in events:
        if event.at > at:
            break
        if event.alias != LIVE or event.kind not in (MOVED, SPLIT):
            continue
        route = route_of(event)
        served = [(route.version, route.function_version)]
        if route.canary is not None:
            served.append((route.canary.version, route.canary.function_version))
        if (version, function_version) in served:
            found = event
    return found


def previous_release(events: Iterable[HistoryEvent], current: Route) -> Route | None:
    """Return what was live before `current` was released, or None where nothing was.

    Rolling back twice goes back twice: what was live before a version is asked of its release, not
    of the rollback that brought it back.
    """
    before: Route | None = None
    last = Route()
    for event in events:
        if event.kind != MOVED or event.alias != LIVE:
            continue
        route = route_of(event)
        this = (route.version, route.function_version)
        if this == (current.version, current.function_version) and not event.details.get("back"):
            before = last
        last = Route(version=route.version, function_version=route.function_version)
    return before if before and before.version is not None else None


def _shares(route: Route) -> dict[int, float]:
    if route.version is None:
        return {}
    if route.canary is None:
        return {route.version: 1.0}
    shares = {route.version: 1.0 - route.canary.weight}
    # New code of the same model: both answer as the same version.
    shares[route.canary.version] = shares.get(route.canary.version, 0.0) + route.canary.weight
    return shares


def _check_zone(at: datetime) -> None:
    if at.utcoffset() is None:
        raise BoringError(
            "time_without_zone", f"{at.isoformat()} has no time zone: give UTC, as in ...Z.", 422
        )
