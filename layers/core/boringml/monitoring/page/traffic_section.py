"""Requests, failures and latency of live, by version."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from boringml.monitoring.page import words
from boringml.monitoring.page.document import ModelDocument, Traffic, Unread, VersionTraffic
from boringml.monitoring.page.drawing import (
    Span,
    bar,
    colour,
    drawing,
    label,
    level,
    line_path,
    stretched,
    time_axis,
    upright,
)
from boringml.monitoring.page.markup import Child, Markup, element
from boringml.monitoring.page.parts import Section, legend, note, nothing, table, unread
from boringml.registry.records import LIVE, MOVED, HistoryEvent

_PLOT = 120.0
_TOP = 40.0
# So close to each other the names of two releases would lie on each other.
_APART = 0.14


def traffic_section(document: ModelDocument) -> Section:
    """Return the section."""
    return Section("traffic", "Requests, errors and latency", list(_body(document)))


def _body(document: ModelDocument) -> Iterator[Child]:
    traffic = document.traffic
    if isinstance(traffic, Unread):
        yield unread(traffic)
        return
    if traffic is None:
        yield nothing("No function answers for this model: it is asked in batches alone.")
        return
    asked = [one for one in traffic.versions if one.requests]
    begin, end = words.moment(traffic.begin), words.moment(traffic.end)
    if not asked:
        yield nothing(f"Nobody asked between {begin} and {end}.")
        return
    moves = () if isinstance(document.history, Unread) else _moves(document.history, traffic)
    yield legend(
        [
            *((colour(one.version), _named(one)) for one in asked),
            ("failed", "failed"),
        ]
    )
    yield element(
        "div",
        element("div", element("h3", "Requests"), _requests(traffic, asked, moves)),
        element("div", element("h3", "Latency"), _latency(traffic, asked, moves)),
        class_="pair",
    )
    yield table(
        f"Live's requests, {begin} to {end}",
        ("Version", "Requests", "Failed", "p50", "p95"),
        [
            (
                _named(one),
                f"{one.requests:,}",
                words.of_all(one.failures, one.requests).replace(f" of {one.requests:,}", ""),
                words.milliseconds(one.p50_ms),
                words.milliseconds(one.p95_ms),
            )
            for one in asked
        ],
        numbers=(1, 2, 3, 4),
    )
    yield note(
        "Latency is that in the handler. p50 and p95 of the whole time are means of those of its "
        f"periods of {_period(traffic)}, weighted by requests."
    )


def _named(one: VersionTraffic) -> str:
    return f"version {one.version} (function {one.function_version})"


def _period(traffic: Traffic) -> str:
    return words.lasting(timedelta(seconds=traffic.period_seconds))


def _moves(
    history: Sequence[HistoryEvent], traffic: Traffic
) -> tuple[tuple[datetime, int | None], ...]:
    return tuple(
        (event.at, event.to_version)
        for event in history
        if event.kind == MOVED and event.alias == LIVE and traffic.begin < event.at <= traffic.end
    )


def _requests(
    traffic: Traffic,
    asked: Sequence[VersionTraffic],
    moves: Sequence[tuple[datetime, int | None]],
) -> Markup:
    span = Span(traffic.begin, traffic.end)
    by_time: dict[datetime, list[tuple[int, int, int]]] = {}
    for one in asked:
        for point in one.points:
            if point.requests:
                counts = (one.version, point.requests, point.failures)
                by_time.setdefault(point.at, []).append(counts)
    most = max(sum(requests for _, requests, _ in found) for found in by_time.values())
    width = traffic.period_seconds / span.length.total_seconds()
    bars: list[Markup] = []
    for at, found in by_time.items():
        y = _TOP + _PLOT
        parts = [(colour(version), requests - failures) for version, requests, failures in found]
        parts.append(("failed", sum(failures for _, _, failures in found)))
        for class_, count in parts:
            if count > 0:
                height = count / most * _PLOT
                y -= height
                bars.append(bar(span.share(at), y, width * 0.92, height, f"fill {class_}"))
    total, failed = sum(one.requests for one in asked), sum(one.failures for one in asked)
    told = (
        f"{words.counted(total, 'request')}, {failed:,} failed. The most in a period of "
        f"{_period(traffic)} were {most:,}."
    )
    return drawing(
        "requests",
        _TOP + _PLOT + 24,
        "Requests by version, and those that failed",
        told,
        level(_TOP, "guide"),
        label(0, 14, f"{most:,} in {_period(traffic)}", "tick"),
        bars,
        _releases(span, moves),
        time_axis(span, _TOP + _PLOT),
    )


def _latency(
    traffic: Traffic,
    asked: Sequence[VersionTraffic],
    moves: Sequence[tuple[datetime, int | None]],
) -> Markup:
    span = Span(traffic.begin, traffic.end)
    values = [p.p95_ms for one in asked for p in one.points if p.p95_ms is not None]
    most = max(values, default=1.0) or 1.0
    half = traffic.period_seconds / span.length.total_seconds() / 2
    lines: list[Markup] = []
    for one in asked:
        there: Mapping[datetime, tuple[float | None, float | None]] = {
            point.at: (point.p50_ms, point.p95_ms) for point in one.points
        }
        times = sorted({point.at for other in asked for point in other.points})
        for place, style in enumerate(("p50", "p95")):
            points = [
                (span.share(at) + half, None if (v := _at(there, at, place)) is None else v / most)
                for at in times
            ]
            lines.append(line_path(points, f"line {style} {colour(one.version)}"))
    told = "; ".join(
        f"{_named(one)}: p50 {words.milliseconds(one.p50_ms)}, p95 {words.milliseconds(one.p95_ms)}"
        for one in asked
    )
    return drawing(
        "latency",
        _TOP + _PLOT + 24,
        "Latency by version: p95 drawn full, p50 dotted",
        told,
        level(_TOP, "guide"),
        label(0, 14, f"{words.milliseconds(most)}; p95 full, p50 dotted", "tick"),
        stretched(_TOP, _PLOT, lines),
        _releases(span, moves),
        time_axis(span, _TOP + _PLOT),
    )


def _at(
    there: Mapping[datetime, tuple[float | None, float | None]], at: datetime, place: int
) -> float | None:
    return there[at][place] if at in there else None


def _releases(span: Span, moves: Sequence[tuple[datetime, int | None]]) -> list[Markup]:
    """Mark each move of live: a dashed line, and the version that went live."""
    marks, named = [], -1.0
    for at, version in moves:
        x = span.share(at)
        marks.append(upright(x, _TOP - 4, _TOP + _PLOT, "move"))
        if x - named > _APART:
            marks.append(label(x, _TOP - 8, f"v{version} live" if version else "none", "move"))
            named = x
    return marks
