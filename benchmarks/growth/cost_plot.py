"""The plot of a month's cost over traffic, both logarithmic."""

import math
from collections.abc import Mapping
from xml.sax.saxutils import escape

from benchmarks.growth.cost_model import STEADY, Assumptions, Prices, Way, requests, usd

WIDTH, HEIGHT = 1000, 620
LEFT, RIGHT, TOP, BOTTOM = 70, 700, 60, 540
RATES, USD = (0.01, 10_000.0), (0.1, 100_000.0)
STEPS = 240
COLOURS = ("#cf222e", "#bc4c00", "#9a6700", "#1a7f37", "#2da44e", "#0969da", "#8250df", "#8250df")
DASHES = ("", "", "", "", "6 4", "", "", "2 4")
_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #57606a }
  .title { font-size: 16px; font-weight: 600; fill: #24292f }
  .grid { stroke: #d0d7de; stroke-width: 1 }
  .middle { text-anchor: middle }
  .end { text-anchor: end }
  .line { fill: none; stroke-width: 2.2 }
"""


def drawn(ways: Mapping[str, Way], prices: Prices, known: Assumptions) -> str:
    """Return the SVG: USD a month over mean requests a second, steady traffic."""
    body = [f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>', *_frame()]
    ends: list[tuple[float, str, str, str]] = []
    for (name, way), colour, dash in zip(ways.items(), COLOURS, DASHES, strict=True):
        points = [(rate, usd(way, rate, STEADY, prices, known)) for rate in _rates()]
        seen = [(x, y) for rate, cost in points for x, y in [(_x(rate), _y(cost))] if y <= BOTTOM]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in seen)
        body.append(
            f'<polyline class="line" points="{path}" stroke="{colour}" stroke-dasharray="{dash}"/>'
        )
        ends.append((seen[-1][1], name, colour, dash))
    body += _labels(ends)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"<style>{_STYLE}</style>\n" + "\n".join(body) + "\n</svg>\n"
    )


def _frame() -> list[str]:
    found = [
        f'<text class="title" x="{LEFT}" y="28">A month of predictions, by traffic: '
        "steady, us-east-1, on demand</text>",
        f'<text x="{LEFT}" y="48">USD a month, without what all have in common (logs)</text>',
        f'<text class="middle" x="{(LEFT + RIGHT) / 2}" y="{HEIGHT - 12}">'
        "mean requests a second (predictions a month)</text>",
    ]
    for power in range(round(math.log10(RATES[0])), round(math.log10(RATES[1])) + 1):
        rate = 10.0**power
        x = _x(rate)
        found.append(f'<path class="grid" d="M{x:.1f},{TOP} V{BOTTOM}"/>')
        found.append(f'<text class="middle" x="{x:.1f}" y="{BOTTOM + 20}">{rate:,g}</text>')
        found.append(
            f'<text class="middle" x="{x:.1f}" y="{BOTTOM + 37}">({_count(requests(rate))})</text>'
        )
    for power in range(round(math.log10(USD[0])), round(math.log10(USD[1])) + 1):
        cost = 10.0**power
        y = _y(cost)
        found.append(f'<path class="grid" d="M{LEFT},{y:.1f} H{RIGHT}"/>')
        found.append(f'<text class="end" x="{LEFT - 8}" y="{y + 4:.1f}">{cost:,g}</text>')
    return found


def _labels(ends: list[tuple[float, str, str, str]]) -> list[str]:
    """Name each line at its end, no two names on top of each other."""
    found, free = [], TOP + 8.0
    for y, name, colour, dash in sorted(ends):
        free = max(free, y)
        found += [
            f'<path class="line" d="M{RIGHT + 4},{y:.1f} L{RIGHT + 22},{free:.1f} h16" '
            f'stroke="{colour}" stroke-dasharray="{dash}"/>',
            f'<text x="{RIGHT + 44}" y="{free + 4:.1f}" style="fill:{colour}">'
            f"{escape(name)}</text>",
        ]
        free += 19
    return found


def _rates() -> list[float]:
    low, high = RATES
    return [low * (high / low) ** (number / STEPS) for number in range(STEPS + 1)]


def _x(rate: float) -> float:
    return LEFT + (RIGHT - LEFT) * math.log(rate / RATES[0]) / math.log(RATES[1] / RATES[0])


def _y(cost: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * math.log(max(cost, 1e-9) / USD[0]) / math.log(USD[1] / USD[0])


def _count(value: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:.3g}"
