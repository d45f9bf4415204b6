"""The plot of how control grows: four small ones side by side."""

import math
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

_W, _H, _TOP = 250, 220, 50
_COLOURS = ("#0969da", "#bc4c00", "#1a7f37")
_STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #57606a }
  .title { font-size: 13px; font-weight: 600; fill: #24292f }
  .grid { stroke: #d0d7de }
  .middle { text-anchor: middle }
  .end { text-anchor: end }
  .line { fill: none; stroke-width: 2 }
"""
Line = tuple[str, Sequence[tuple[float, float]]]


def drawn(report: dict[str, Any]) -> str:
    """Return the SVG."""
    rows = report["registry"]["rows"]
    own = [row for row in rows if row["models"] == row["clients"]]
    one = [row for row in rows if row["models"] == 1]
    simulated = report["simulation"]
    harms = sorted({row["failures"] for row in simulated})
    panels = [
        _panel("Registry: a second, by clients", [
            ("reads", [(r["clients"], r["reads_per_second"]) for r in own]),
            ("writes, a model each", [(r["clients"], r["writes_per_second"]) for r in own]),
            ("writes, one model", [(r["clients"], r["writes_per_second"]) for r in one]),
        ]),
        _panel("Jobs a second, by the pool", [
            ("jobs", [(r["pool"], r["jobs_per_second"]) for r in report["jobs"]]),
        ]),
        _panel("Local: seconds of harm, by requests/s", [
            ("to restored traffic", [
                (r["requests_per_second"], r["harmed_seconds"])
                for r in report["release"] if r["harmed_seconds"]
            ]),
        ]),
        _panel("Simulated: minutes to stop, by requests/min", [
            (f"{harm:.1%} fail", [
                (r["requests_per_minute"], r["minutes"][0])
                for r in simulated if r["failures"] == harm and r["minutes"]
            ])
            for harm in harms
        ]),
    ]  # fmt: skip
    step = _W + 80
    body = [
        f'<g transform="translate({60 + step * n},0)">{one}</g>' for n, one in enumerate(panels)
    ]
    width, height = 60 + step * len(panels), _TOP + _H + 110
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
        f'<style>{_STYLE}</style><rect width="{width}" height="{height}" fill="#fff"/>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


def _panel(title: str, lines: Sequence[Line]) -> str:
    points = [point for _name, line in lines for point in line]
    low, high = min(x for x, _ in points), max(x for x, _ in points)
    most = max(y for _, y in points) * 1.1

    def place(x: float, y: float) -> tuple[float, float]:
        across = math.log(x / low) / math.log(high / low) if high > low else 0.5
        return across * _W, _TOP + _H - y / most * _H

    found = [f'<text class="title" x="0" y="22">{escape(title)}</text>']
    for share in (0, 0.5, 1):
        y = _TOP + _H - share * _H / 1.1
        found.append(f'<path class="grid" d="M0,{y:.1f} H{_W}"/>')
        found.append(f'<text class="end" x="-6" y="{y + 4:.1f}">{share * most / 1.1:.3g}</text>')
    for x in sorted({x for x, _ in points}):
        across, _ = place(x, 0)
        found.append(f'<text class="middle" x="{across:.1f}" y="{_TOP + _H + 18}">{x:g}</text>')
    for number, ((name, line), colour) in enumerate(zip(lines, _COLOURS, strict=False)):
        path = " ".join("{:.1f},{:.1f}".format(*place(*point)) for point in line)
        found.append(f'<polyline class="line" points="{path}" stroke="{colour}"/>')
        for point in line:
            x, y = place(*point)
            found.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>')
        y = _TOP + _H + 42 + 18 * number
        found.append(f'<path class="line" d="M0,{y - 4} h18" stroke="{colour}"/>')
        found.append(f'<text x="24" y="{y}">{escape(name)}</text>')
    return "".join(found)
