"""How far the traffic is from the data that the live version was trained on, feature by feature."""

from collections.abc import Iterator, Sequence

from boringml.monitoring.page import words
from boringml.monitoring.page.answers import FINE, UNKNOWN, WATCH
from boringml.monitoring.page.checks import newest
from boringml.monitoring.page.document import ModelDocument, Unread
from boringml.monitoring.page.drawing import bar, drawing, label, level
from boringml.monitoring.page.markup import Child, Markup, element
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
from boringml.monitoring.page.reports import FeatureDrift, drift_of
from boringml.monitoring.report import FINE as REPORT_FINE
from boringml.monitoring.report import RAISED

_TONES = {REPORT_FINE: FINE, RAISED: WATCH}
# Drawn at once; the others are folded away.
_DRAWN = 6
_PLOT = 64.0


def drift_section(document: ModelDocument) -> Section:
    """Return the section."""
    return Section("drift", "Drift against the training data", list(_body(document)))


def _body(document: ModelDocument) -> Iterator[Child]:
    if isinstance(document.drift, Unread):
        yield unread(document.drift)
        return
    live = None if isinstance(document.route, Unread) else document.route.version
    report = newest(document.drift, live)
    if report is None:
        yield nothing(f"Drift of version {words.number(live)} has not been measured yet.")
        return
    yield paragraph(
        badge(_TONES.get(report.status, UNKNOWN)),
        f" {words.short(report.says)}",
    )
    yield note(f"{words.moment(report.begin)} to {words.moment(report.end)}.")
    features = sorted(drift_of(report), key=_by_news)
    if not features:
        return
    told = [feature for feature in features if feature.watched or feature.drifted]
    yield _numbers("By feature, what drifted first", told)
    if others := [feature for feature in features if feature not in told]:
        which = "that nobody watches, and that did not drift"
        summary = f"{words.counted(len(others), 'feature')} {which}"
        yield fold(summary, _numbers(f"Features {which}", others))
    yield note(
        "PSI must pass its limit, which is the larger of what matters and what chance makes at so "
        "many rows. The distance is in deviations of the training data for numbers, and the share "
        "of rows that changed places for categories."
    )
    pictures = [feature for feature in features if feature.bins]
    if pictures:
        yield legend([("baseline", "training data"), ("c0", "this window")])
        yield element(
            "div", [_picture(f, i) for i, f in enumerate(pictures[:_DRAWN])], class_="small"
        )
        rest = [_picture(f, i) for i, f in enumerate(pictures[_DRAWN:], _DRAWN)]
        if rest:
            yield fold(f"{len(rest)} more features", element("div", rest, class_="small"))
        yield fold("The distributions in numbers", [_shares(feature) for feature in pictures])


def _by_news(feature: FeatureDrift) -> tuple[bool, bool, float]:
    return not feature.drifted, not feature.watched, -(feature.psi or 0.0)


def _numbers(caption: str, features: Sequence[FeatureDrift]) -> Markup:
    rows: list[Sequence[Child]] = []
    for feature in features:
        watched = None if feature.watched else element("span", " not watched", class_="quiet")
        rows.append(
            (
                [feature.name, watched],
                [badge(_tone(feature), _said(feature)), f" {'; '.join(feature.reasons)}"],
                words.index(feature.psi),
                words.index(feature.limit),
                words.index(feature.distance),
                words.number(feature.rows),
            )
        )
    columns = ("Feature", "Drift", "PSI", "Limit", "Distance", "Rows")
    return table(caption, columns, rows, numbers=(2, 3, 4, 5))


def _tone(feature: FeatureDrift) -> str:
    return (
        UNKNOWN
        if feature.drifted is None
        else WATCH
        if feature.drifted and feature.watched
        else FINE
    )


def _said(feature: FeatureDrift) -> str:
    return "not known" if feature.drifted is None else "drifted" if feature.drifted else "no drift"


def _picture(feature: FeatureDrift, index: int) -> Markup:
    shares = list(zip(feature.bins, feature.baseline, feature.window, strict=False))
    most = max((value for _, one, two in shares for value in (one, two)), default=1.0) or 1.0
    width = 1 / len(shares)
    bars: list[Markup] = []
    for place, (_, before, now) in enumerate(shares):
        x = place * width
        for offset, share, class_ in ((0.08, before, "baseline"), (0.5, now, "c0")):
            height = share / most * _PLOT
            bars.append(
                bar(x + offset * width, 4 + _PLOT - height, 0.4 * width, height, f"fill {class_}")
            )
    furthest = max(shares, key=lambda item: abs(item[2] - item[1]))
    told = (
        f"Shares in {len(shares)} bins. The largest change is in {furthest[0]}: "
        f"{words.per_cent(furthest[1])} in training, {words.per_cent(furthest[2])} now."
    )
    return element(
        "figure",
        element(
            "figcaption",
            element("strong", feature.name),
            f" PSI {words.index(feature.psi)} ",
            badge(_tone(feature), _said(feature)) if feature.drifted else None,
        ),
        drawing(
            f"drift-{index}",
            _PLOT + 24,
            f"{feature.name}: training data and this window",
            told,
            bars,
            level(4 + _PLOT, "axis"),
            label(0, _PLOT + 20, words.short(feature.bins[0], 18), "tick"),
            label(1, _PLOT + 20, words.short(feature.bins[-1], 18), "tick"),
        ),
    )


def _shares(feature: FeatureDrift) -> Markup:
    rows = [
        (name, words.per_cent(before), words.per_cent(now))
        for name, before, now in zip(feature.bins, feature.baseline, feature.window, strict=False)
    ]
    columns = (feature.name, "Training data", "This window")
    return table(f"Distribution of {feature.name}", columns, rows, numbers=(1, 2))
