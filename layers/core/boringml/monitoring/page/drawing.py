"""Small drawings in SVG that fit any width: across in per cent, down in pixels, text never scaled.

Lines, which know no per cent, lie in an inner SVG that is stretched; strokes in it are not.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from boringml.monitoring.page import words
from boringml.monitoring.page.markup import Child, Markup, element

# So many colours tell versions apart; page.css has them for light and dark.
COLOURS = 6
# Units of the stretched inner SVG.
_UNITS = 1000.0
_TICKS = 3


@dataclass(frozen=True)
class Span:
    """A stretch of time that is drawn across."""

    begin: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it is; never nothing."""
        return max(self.end - self.begin, timedelta(seconds=1))

    def share(self, at: datetime) -> float:
        """Return where a moment lies, 0 at the beginning and 1 at the end; never outside."""
        return min(1.0, max(0.0, (at - self.begin) / self.length))


def drawing(identity: str, height: float, title: str, says: str, *parts: Child) -> Markup:
    """Return a drawing with its title and what it says in words. `identity` is unique in a page."""
    return element(
        "svg",
        element("title", title, id=f"{identity}-title"),
        element("desc", says, id=f"{identity}-desc"),
        parts,
        class_="drawing",
        width="100%",
        height=f"{height:g}",
        role="img",
        aria_labelledby=f"{identity}-title {identity}-desc",
    )


def across(share: float) -> str:
    """Return a share of the width."""
    return f"{share * 100:.2f}%"


def bar(x: float, y: float, width: float, height: float, class_: str) -> Markup:
    """Return a rectangle: `x` and `width` are shares of the width, `y` and `height` pixels."""
    return element(
        "rect",
        x=across(x),
        y=f"{y:.1f}",
        width=across(width),
        height=f"{height:.1f}",
        class_=class_,
    )


def label(x: float, y: float, said: str, class_: str = "") -> Markup:
    """Return text at a share of the width, anchored so that it stays inside at both ends."""
    anchor = "start" if x < 0.15 else "end" if x > 0.85 else "middle"
    return element(
        "text", said, x=across(x), y=f"{y:.1f}", text_anchor=anchor, class_=class_ or None
    )


def upright(x: float, top: float, bottom: float, class_: str) -> Markup:
    """Return a vertical line."""
    return element(
        "line", x1=across(x), x2=across(x), y1=f"{top:.1f}", y2=f"{bottom:.1f}", class_=class_
    )


def level(y: float, class_: str) -> Markup:
    """Return a horizontal line."""
    return element("line", x1="0", x2="100%", y1=f"{y:.1f}", y2=f"{y:.1f}", class_=class_)


def symbol(x: float, y: float, path: str, class_: str) -> Markup:
    """Return a path drawn around a point at a share of the width."""
    return element(
        "svg",
        element("path", d=path, class_=class_),
        x=across(x),
        y=f"{y:.1f}",
        overflow="visible",
        width="1",
        height="1",
    )


def stretched(top: float, height: float, *parts: Child) -> Markup:
    """Return the inner SVG that paths of `line_path` and `band_path` lie in."""
    return element(
        "svg",
        parts,
        x="0",
        y=f"{top:g}",
        width="100%",
        height=f"{height:g}",
        viewBox=f"0 0 {_UNITS:g} {_UNITS:g}",
        preserveAspectRatio="none",
        overflow="visible",
    )


def line_path(points: Iterable[tuple[float, float | None]], class_: str) -> Markup:
    """Return a line through (across, up), shares of 1; it is broken where `up` is None."""
    told, pen_is_down = [], False
    for x, up in points:
        if up is None:
            pen_is_down = False
            continue
        told.append(f"{'L' if pen_is_down else 'M'}{x * _UNITS:.1f} {(1 - up) * _UNITS:.1f}")
        if not pen_is_down:
            # A point with no neighbour is a dot: a line of no length has round ends.
            told.append("h0")
        pen_is_down = True
    return element("path", d="".join(told), class_=class_)


def band_path(points: Sequence[tuple[float, float, float]], class_: str) -> Markup:
    """Return the area between (across, low, high), shares of 1."""
    there = [f"{x * _UNITS:.1f} {(1 - high) * _UNITS:.1f}" for x, _, high in points]
    back = [f"{x * _UNITS:.1f} {(1 - low) * _UNITS:.1f}" for x, low, _ in reversed(points)]
    return element("path", d=f"M{'L'.join(there + back)}Z" if points else "", class_=class_)


def time_axis(span: Span, y: float) -> Markup:
    """Return the axis: a line, and times below it."""
    ticks = [
        label(
            place / _TICKS,
            y + 16,
            words.clock(span.begin + span.length * (place / _TICKS), span.length),
            "tick",
        )
        for place in range(_TICKS + 1)
    ]
    return element("g", level(y, "axis"), ticks)


def colour(index: int) -> str:
    """Return the class of the colour of the so-manieth version."""
    return f"c{index % COLOURS}"
