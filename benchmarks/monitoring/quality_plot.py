"""quality_injection.svg: the story of a fall, and how many days after a fall it is told."""

from collections.abc import Iterator, Sequence
from typing import Any
from xml.sax.saxutils import escape

_COLOURS = ("#0969da", "#bc4c00", "#8250df", "#1a7f37", "#bf3989", "#57606a")
_WIDE, _HIGH, _LEFT, _TOP, _BETWEEN = 360, 220, 60, 84, 90
_STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #57606a }
  .title { font-size: 14px; font-weight: 600 }
  .axis { stroke: #8c959f; fill: none }
  .curve { fill: none; stroke-width: 2 }
  .band { fill: #0969da; opacity: 0.15 }
  .event { stroke: #cf222e; stroke-dasharray: 4 3 }
  .end { text-anchor: end }
  .back { fill: #ffffff }
"""


def drawn(report: dict[str, Any]) -> str:
    """Return an SVG of two plots.

    Left: AUC of the window and coverage of labels as each midnight's look saw them, with the fall
    and the look that told it. Right: the share of falls told, by days after the fall.
    """
    width, height = 2 * (_LEFT + _WIDE) + _BETWEEN, _TOP + _HIGH + 52
    body = [
        f'<rect class="back" width="{width}" height="{height}"/>',
        *_story(_LEFT, report["story"]),
        *_delays(_LEFT + _WIDE + _BETWEEN, report["falls"]),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
        f"<style>{_STYLE}</style>\n" + "\n".join(body) + "\n</svg>\n"
    )


def _story(x: int, story: dict[str, Any]) -> Iterator[str]:
    low, high = 0.70, 0.90
    last = story["days"][-1]["hour"]
    title = f"{story['model']}, {story['per_day']} a day: AUC as looks saw it"
    yield from _frame(x, title, "days", [(0, f"{low:.2f}"), (0.5, "0.80"), (1, f"{high:.2f}")])

    def at(hour: float, value: float) -> str:
        return f"{x + hour / last * _WIDE:.1f},{_y((value - low) / (high - low)):.1f}"

    judged = [day for day in story["days"] if day["roc_auc"] is not None]
    upper = [at(day["hour"], min(high, day["roc_auc_interval"][1])) for day in judged]
    lower = [at(day["hour"], max(low, day["roc_auc_interval"][0])) for day in judged]
    yield f'<polygon class="band" points="{" ".join([*upper, *lower[::-1]])}"/>'
    yield _curve([at(day["hour"], day["roc_auc"]) for day in judged], _COLOURS[0])
    share = [
        at(day["hour"], low + day["coverage_of_all_days"] * (high - low)) for day in story["days"]
    ]
    yield _curve(share, _COLOURS[5])
    for hour, name in ((story["fall_at_day"] * 24, "fall"), (story["told_at_hour"], "told")):
        place = x + hour / last * _WIDE
        yield f'<path class="event" d="M{place:.1f},{_TOP} V{_TOP + _HIGH}"/>'
        yield f'<text class="end" x="{place - 4:.1f}" y="{_TOP + 12}">{name}</text>'
    yield f'<text x="{x}" y="42" style="fill:{_COLOURS[0]}">window, 95 % interval</text>'
    told = "coverage of labels within the horizon, 0 to 100 %"
    yield f'<text x="{x}" y="60" style="fill:{_COLOURS[5]}">{told}</text>'
    yield from _ticks(x, last / 24)


def _delays(x: int, rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    most = max(day for row in rows for day in row["all_days"])
    title = "Falls by 5 points that were told"
    yield from _frame(x, title, "days after the fall", [(0, "0%"), (0.5, "50%"), (1, "100%")])
    for number, row in enumerate(rows):
        share, points = 0.0, [f"{x},{_y(0):.1f}"]
        for count, day in enumerate(row["all_days"], 1):
            place = x + day / most * _WIDE
            points.append(f"{place:.1f},{_y(share):.1f}")
            share = count / row["falls"]
            points.append(f"{place:.1f},{_y(share):.1f}")
        points.append(f"{x + _WIDE},{_y(share):.1f}")
        yield _curve(points, _COLOURS[number])
        column, line = number % 3, number // 3
        name = escape(f"{row['model']} {row['per_day']} a day")
        yield (
            f'<text x="{x + column * 125}" y="{42 + 18 * line}" style="fill:{_COLOURS[number]}">'
            f"{name}</text>"
        )
    yield from _ticks(x, most)


def _frame(x: int, title: str, label: str, marks: list[tuple[float, str]]) -> Iterator[str]:
    bottom = _TOP + _HIGH
    yield f'<text class="title" x="{x}" y="20">{escape(title)}</text>'
    yield f'<path class="axis" d="M{x},{_TOP} V{bottom} H{x + _WIDE}"/>'
    yield f'<text x="{x}" y="{bottom + 38}">{escape(label)}</text>'
    for share, mark in marks:
        yield f'<text class="end" x="{x - 6}" y="{_y(share) + 4:.0f}">{mark}</text>'


def _ticks(x: int, most: float) -> Iterator[str]:
    for day in range(10, int(most) + 1, 10):
        place = x + day / most * _WIDE
        yield f'<text class="end" x="{place:.0f}" y="{_TOP + _HIGH + 18}">{day}</text>'


def _curve(points: Sequence[str], colour: str) -> str:
    return f'<polyline class="curve" stroke="{colour}" points="{" ".join(points)}"/>'


def _y(share: float) -> float:
    return _TOP + (1 - share) * _HIGH
