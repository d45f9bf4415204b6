"""What was live on a given day: read from the history, never inferred."""

from collections.abc import Iterable
from datetime import datetime

from boringml.errors import BoringError
from boringml.registry.records import LIVE, MOVED, HistoryEvent


def alias_at(events: Iterable[HistoryEvent], alias: str, at: datetime) -> int | None:
    """Return the version that `alias` pointed at, at the moment `at`; None where it had none.

    `events` is one model's history, oldest first. A move counts from its own moment on, and `at`
    grows with `sequence`, so the answer for a moment that is past never changes.
    Raises BoringError `time_without_zone` for a naive `at`.
    """
    if at.utcoffset() is None:
        raise BoringError(
            "time_without_zone", f"{at.isoformat()} has no time zone: give UTC, as in ...Z.", 422
        )
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
