"""drift_injection.svg: windows raised without drift by three rules, and windows with drift told."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

_COLOURS = ("#0969da", "#bc4c00", "#8250df", "#1a7f37", "#cf222e", "#57606a")
_WIDE, _HIGH, _LEFT, _TOP = 380, 200, 56, 108
_BETWEEN = 70
_STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #57606a }
  .title { font-size: 14px; font-weight: 600 }
  .axis { stroke: #8c959f; fill: none }
  .end { text-anchor: end }
  .middle { text-anchor: middle }
  .back { fill: #ffffff }
"""


def drawn(results: Sequence[Mapping[str, Any]]) -> str:
    """Return an SVG of two plots of bars by rows per window.

    Left: share of windows without drift that were raised. Right: share of windows with each drift
    in which the right feature was told.
    """
    left: dict[str, dict[int, float]] = {"judge_drift": {}, "PSI > 0.1": {}, "PSI > 0.2": {}}
    right: dict[str, dict[int, float]] = {}
    for row in results:
        if row["injected"] == "nothing":
            counts = (row["looks_raised"], *row["looks_above_plain"].values())
            for rule, count in zip(left, counts, strict=True):
                left[rule][row["rows"]] = count / row["windows"]
        elif row["feature"]:
            by_rows = right.setdefault(row["injected"], {})
            by_rows[row["rows"]] = row["told"] / row["windows"]
    width, height = 2 * (_LEFT + _WIDE) + _BETWEEN, _TOP + _HIGH + 52
    body = [
        f'<rect class="back" width="{width}" height="{height}"/>',
        *_plot(_LEFT, "Nothing drifted, and raised", left),
        *_plot(_LEFT + _WIDE + _BETWEEN, "Drift put in, and told", right),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
        f"<style>{_STYLE}</style>\n" + "\n".join(body) + "\n</svg>\n"
    )


def _plot(x: int, title: str, bars: Mapping[str, Mapping[int, float]]) -> Iterator[str]:
    bottom = _TOP + _HIGH
    yield f'<text class="title" x="{x}" y="20">{escape(title)}</text>'
    yield f'<path class="axis" d="M{x},{_TOP} V{bottom} H{x + _WIDE}"/>'
    for share in (0, 0.5, 1):
        y = bottom - share * _HIGH + 4
        yield f'<text class="end" x="{x - 6}" y="{y:.0f}">{share:.0%}</text>'
    sizes = sorted({rows for series in bars.values() for rows in series})
    group = _WIDE / len(sizes)
    bar = group / (len(bars) + 1)
    for place, rows in enumerate(sizes):
        middle = x + (place + 0.5) * group
        yield f'<text class="middle" x="{middle:.0f}" y="{bottom + 18}">{rows:,} rows</text>'
    for number, (name, series) in enumerate(bars.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        for place, rows in enumerate(sizes):
            share = series[rows]
            at = x + place * group + (number + 0.5) * bar
            high = share * _HIGH
            yield (
                f'<rect x="{at:.1f}" y="{bottom - high:.1f}" width="{bar - 2:.1f}" '
                f'height="{high:.1f}" fill="{colour}"/>'
            )
            label = f"{share:.3g}" if 0 < share < 1 else f"{share:.0f}"
            yield (
                f'<text class="middle" x="{at + bar / 2:.1f}" y="{bottom - high - 3:.1f}" '
                f'style="font-size:10px">{label}</text>'
            )
        column, line = number % 2, number // 2
        yield (
            f'<text x="{x + column * 185}" y="{42 + 16 * line}" style="fill:{colour}">'
            f"{escape(name)}</text>"
        )
