"""The timeline of versions: who was live when, what was tried, what was taken back."""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from boringml.monitoring.page import words
from boringml.monitoring.page.document import ModelDocument, Unread
from boringml.monitoring.page.drawing import (
    Span,
    bar,
    colour,
    drawing,
    label,
    level,
    symbol,
    time_axis,
)
from boringml.monitoring.page.happened import happened
from boringml.monitoring.page.lanes import (
    BORN,
    CAME_BACK,
    STOPPED,
    WENT_LIVE,
    Lane,
    Segment,
    lanes,
)
from boringml.monitoring.page.markup import Child, Markup, element
from boringml.monitoring.page.parts import Section, fold, nothing, table, unread
from boringml.registry.records import HistoryEvent

_MOST_VERSIONS = 8
_MOST_EVENTS = 40
_SHOWN_EVENTS = 8
_LANE = 40.0
_TOP = 6.0
# So that a canary of minutes is seen in a timeline of weeks.
_LEAST_WIDTH = 0.008
_SHAPES = {
    BORN: "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
    STOPPED: "M-4 -4L4 4M4 -4L-4 4",
    WENT_LIVE: "M0 -5L5 4H-5Z",
    CAME_BACK: "M-5 0L4 -5V5Z",
}
_CLASSES = {BORN: "born", STOPPED: "stopped", WENT_LIVE: "went", CAME_BACK: "back"}


def versions_section(document: ModelDocument) -> Section:
    """Return the section."""
    return Section("versions", "Versions over time", _body(document))


def _body(document: ModelDocument) -> Child:
    history = document.history
    if isinstance(history, Unread):
        return unread(history)
    if not history:
        return nothing("Nothing has happened to this model yet.")
    found = lanes(history, document.as_of, _MOST_VERSIONS)
    begin = min(_moments(found), default=document.as_of)
    span = Span(begin - (document.as_of - begin) * 0.02 - timedelta(seconds=1), document.as_of)
    return [_timeline(found, span), _key(), *_events(history, document)]


def _moments(found: Sequence[Lane]) -> Iterator[datetime]:
    for lane in found:
        yield from (segment.begin for segment in lane.segments)
        yield from (mark.at for mark in lane.marks)


def _timeline(found: Sequence[Lane], span: Span) -> Markup:
    rows = [
        part for row, lane in enumerate(found) for part in _lane(lane, _TOP + row * _LANE, span)
    ]
    bottom = _TOP + len(found) * _LANE
    told = "; ".join(_in_words(lane) for lane in found)
    return drawing(
        "timeline",
        bottom + 22,
        "Which version had live's requests when",
        f"From {words.moment(span.begin)} to {words.moment(span.end)}. {told}.",
        rows,
        time_axis(span, bottom),
    )


def _lane(lane: Lane, top: float, span: Span) -> Iterator[Child]:
    yield label(0, top + 10, f"version {lane.version}", "lane")
    if share := _share_now(lane, span):
        yield label(1, top + 10, f"{words.per_cent(share)} of the requests now", "quiet")
    middle = top + 23
    yield level(middle, "guide")
    for segment in lane.segments:
        x = span.share(segment.begin)
        width = min(1 - x, max(_LEAST_WIDTH, span.share(segment.end) - x))
        # All requests fill the lane; a share of them has its share of the height, and is seen.
        height = max(4.0, 16 * segment.share)
        yield bar(x, middle + 8 - height, width, height, f"fill {colour(lane.version)}")
    places = [span.share(mark.at) for mark in lane.marks]
    for mark, place, following in zip(lane.marks, places, [*places[1:], math.inf], strict=False):
        # Where a release follows at once, its end is what counts.
        if following - place < _LEAST_WIDTH:
            continue
        yield symbol(
            min(0.994, max(0.006, place)),
            middle,
            _SHAPES[mark.kind],
            f"mark {_CLASSES[mark.kind]}",
        )


def _share_now(lane: Lane, span: Span) -> float | None:
    return lane.segments[-1].share if lane.segments and lane.segments[-1].end == span.end else None


def _in_words(lane: Lane) -> str:
    live = sum(((s.end - s.begin) for s in _whole(lane.segments)), timedelta())
    told = [f"live for {words.lasting(live)}"] if live else []
    told += [f"canary {words.per_cent(s.share)}" for s in lane.segments if s.share < 0.5]
    told += [mark.kind for mark in lane.marks]
    return f"version {lane.version}: {', '.join(told) or 'nothing'}"


def _whole(segments: Sequence[Segment]) -> list[Segment]:
    return [segment for segment in segments if segment.share >= 0.5]


def _key() -> Markup:
    entries = (
        (BORN, "registered"),
        (WENT_LIVE, "went live"),
        (STOPPED, "release stopped"),
        (CAME_BACK, "came back by a rollback"),
    )
    return element(
        "ul",
        [
            element(
                "li",
                element(
                    "svg",
                    element("path", d=_SHAPES[kind], class_=f"mark {_CLASSES[kind]}"),
                    viewBox="-7 -7 14 14",
                    width="14",
                    height="14",
                    aria_hidden="true",
                ),
                said,
            )
            for kind, said in entries
        ],
        element("li", "the height of a bar is its share of the requests"),
        class_="legend",
    )


def _events(history: Sequence[HistoryEvent], document: ModelDocument) -> Iterator[Child]:
    told = [(event, said) for event in reversed(history) if (said := happened(event))]
    rows = [
        (
            words.time_element(event.at, words.clock_or_day(event.at, document.as_of)),
            element("span", said, class_="what"),
            [words.short(event.why), element("span", f" {words.actor(event.by)}", class_="quiet")],
        )
        for event, said in told[:_MOST_EVENTS]
    ]
    columns = ("When", "What", "Why, and by whom")
    yield table("What happened, the newest first", columns, rows[:_SHOWN_EVENTS], prose=True)
    if len(rows) > _SHOWN_EVENTS:
        earlier = table(
            "What happened before", columns, rows[_SHOWN_EVENTS:], hidden=True, prose=True
        )
        yield fold(f"{len(rows) - _SHOWN_EVENTS} earlier events", earlier)
