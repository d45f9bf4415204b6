"""How good the versions were, once the labels were known: by day, with intervals and counts."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time

from boringml.monitoring.page import words
from boringml.monitoring.page.answers import FINE, UNKNOWN
from boringml.monitoring.page.document import ModelDocument, Unread
from boringml.monitoring.page.drawing import (
    Span,
    band_path,
    colour,
    drawing,
    label,
    level,
    line_path,
    stretched,
    time_axis,
)
from boringml.monitoring.page.fall import fall
from boringml.monitoring.page.markup import Child, Markup
from boringml.monitoring.page.parts import (
    Section,
    badge,
    fold,
    legend,
    note,
    nothing,
    paragraph,
    table,
    unread,
)
from boringml.monitoring.page.reports import QualityDay, QualityView, quality_of
from boringml.monitoring.report import FINE as REPORT_FINE
from boringml.monitoring.report import NOT_EVALUATED, RAISED, Report

_PLOT = 130.0
_TOP = 22.0
# Newest versions that are drawn.
_MOST_VERSIONS = 4


def quality_section(document: ModelDocument) -> Section:
    """Return the section."""
    return Section("quality", "Quality over time", list(_body(document)))


def _body(document: ModelDocument) -> Iterator[Child]:
    if isinstance(document.quality, Unread):
        yield unread(document.quality)
        return
    newest: dict[int | None, Report] = {report.version: report for report in document.quality}
    if not newest:
        yield nothing("Quality has not been measured yet: it needs labels.")
        return
    reports = sorted(newest.values(), key=lambda report: report.version or 0)[-_MOST_VERSIONS:]
    for report in reversed(reports):
        yield paragraph(badge(_tone(document, report)), f" {words.short(report.says)}")
    views = [quality_of(report) for report in reports]
    judged = [
        view for view, report in zip(views, reports, strict=True) if report.status != NOT_EVALUATED
    ]
    drawn = [view for view in judged if any(day.value is not None for day in view.days)]
    if len({day.day for view in drawn for day in view.days}) > 1:
        yield legend([(colour(view.version or 0), f"version {view.version}") for view in drawn])
        yield _drawing(drawn)
        yield note(
            f"{_name(drawn[-1].metric)} of each day's predictions, with its interval of 95 %; "
            "dashes are what a version scored on its holdout, before it was released. "
            "Labels that come late change the newest days."
        )
    yield table(
        "Quality by version, over the days that have their labels",
        ("Version", "Measure", "Value", "95 % interval", "Labels", "Of all"),
        [*(_row(view) for view in reversed(views)), *(_others(judged[-1]) if judged else ())],
        numbers=(2, 3, 4, 5),
    )
    if drawn:
        yield fold("Each day in numbers", _days(drawn))


def _tone(document: ModelDocument, report: Report) -> str:
    if report.status == RAISED:
        return fall(document, report)[0]
    return FINE if report.status == REPORT_FINE else UNKNOWN


def _row(view: QualityView) -> Sequence[Child]:
    return (
        f"version {view.version}",
        _name(view.metric),
        words.number(view.value),
        _interval(view.low, view.high),
        words.number(view.labelled),
        "-" if view.coverage is None else words.per_cent(view.coverage),
    )


def _others(view: QualityView) -> list[Sequence[Child]]:
    """Return the measures of the newest version that it is not judged by."""
    labels = words.number(view.labelled)
    return [
        (f"version {view.version}", _name(name), words.number(value), "-", labels, "-")
        for name, value in view.others
    ]


def _days(views: Sequence[QualityView]) -> Markup:
    rows = [
        (
            f"version {view.version}, {day.day.isoformat()}",
            words.number(day.value),
            _interval(day.low, day.high),
            words.number(day.labelled),
            words.number(day.predictions),
        )
        for view in views
        for day in view.days
    ]
    columns = ("Day", _name(views[-1].metric), "95 % interval", "Labels", "Predictions")
    return table("Quality by day", columns, rows, numbers=(1, 2, 3, 4), hidden=True)


def _drawing(views: Sequence[QualityView]) -> Markup:
    days = [_noon(day) for view in views for day in view.days]
    span = Span(min(days), max(days))
    values = [v for view in views for v in _values(view)]
    low, high = min(values), max(values)
    room = (high - low) * 0.08 or 0.05
    low, high = low - room, high + room

    def up(value: float) -> float:
        return (value - low) / (high - low)

    parts: list[Markup] = []
    for view in views:
        known = [day for day in view.days if day.value is not None]
        band = [
            (span.share(_noon(day)), up(max(low, day.low)), up(min(high, day.high)))
            for day in known
            if day.low is not None and day.high is not None
        ]
        version = colour(view.version or 0)
        parts.append(band_path(band, f"band {version}"))
        line = [(span.share(_noon(day)), up(day.value or 0.0)) for day in known]
        parts.append(line_path(line, f"line p95 {version}"))
        if view.holdout is not None:
            parts.append(
                line_path([(0, up(view.holdout)), (1, up(view.holdout))], f"line holdout {version}")
            )
    told = "; ".join(_in_words(view) for view in views)
    return drawing(
        "quality-by-day",
        _TOP + _PLOT + 24,
        f"{_name(views[-1].metric)} by day and version",
        told,
        level(_TOP, "guide"),
        label(0, 14, f"{high:.3f}", "tick"),
        stretched(_TOP, _PLOT, parts),
        label(0, _TOP + _PLOT - 5, f"{low:.3f}", "tick"),
        time_axis(span, _TOP + _PLOT),
    )


def _values(view: QualityView) -> Iterator[float]:
    for day in view.days:
        for value in (day.value, day.low, day.high):
            if value is not None:
                yield value
    if view.holdout is not None:
        yield view.holdout


def _in_words(view: QualityView) -> str:
    known = [day for day in view.days if day.value is not None]
    if not known:
        return f"version {view.version}: no day has enough labels"
    last = known[-1]
    return (
        f"version {view.version}: {words.number(last.value)} on {last.day.isoformat()}, "
        f"of {words.number(last.labelled)} labels"
    )


def _noon(day: QualityDay) -> datetime:
    return datetime.combine(day.day, time(12), UTC)


def _interval(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"{low:.3f} to {high:.3f}"


def _name(metric: str) -> str:
    return {"roc_auc": "ROC AUC", "log_loss": "log loss", "brier": "Brier score"}.get(
        metric, metric.replace("_", " ") or "measure"
    )
