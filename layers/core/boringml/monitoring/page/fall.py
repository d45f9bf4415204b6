"""A fall of quality: is it the release's, or the data's?"""

from datetime import UTC, date, datetime
from typing import Final

from boringml.monitoring.page import words
from boringml.monitoring.page.answers import BAD, WATCH
from boringml.monitoring.page.document import ModelDocument, Unread
from boringml.monitoring.page.reports import quality_of
from boringml.monitoring.report import Report
from boringml.registry.records import LIVE, MOVED, HistoryEvent

# As the looks name what a window is compared with: boringml.monitoring.quality, which needs numpy.
_BEFORE: Final = "days_before"


def fall(document: ModelDocument, report: Report) -> tuple[str, str]:
    """Return the tone of a raised report of quality, and what is to be done about it, in words.

    A version that is worse than on its holdout, which it was released by, is bad. One that is worse
    than it was itself, days before, meets other data: the version before would meet it too, so that
    is watched, as drift is. Unless its code changed within those days.
    """
    view = quality_of(report)
    if view.fell_against != {_BEFORE}:
        return BAD, ""
    if move := _new_code(document, report.version, view.compared_from, view.compared_to):
        told = f"New code of this version went live on {words.moment(move.at)}, within these days."
        return BAD, told
    told = "It is worse than it was itself, so the data changed and not the release: "
    return WATCH, f"{told}look at drift and at the labels, then train again."


def _new_code(
    document: ModelDocument, version: int | None, begin: date | None, end: date | None
) -> HistoryEvent | None:
    """Return the last move that put other code beside a version, in the days that were compared."""
    if isinstance(document.history, Unread) or begin is None or end is None:
        return None
    moves = [
        event
        for event in document.history
        if event.kind == MOVED
        and event.alias == LIVE
        and event.from_version == event.to_version == version
        and _midnight(begin) < event.at < _midnight(end)
    ]
    return moves[-1] if moves else None


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
