"""canary_simulation.svg: good versions under many looks, and what a bad one costs."""

from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import escape

_COLOURS = ("#0969da", "#bc4c00", "#8250df", "#1a7f37")
_WIDE, _HIGH, _LEFT, _TOP = 340, 220, 56, 84
_BETWEEN = 84
_STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #57606a }
  .title { font-size: 14px; font-weight: 600 }
  .axis { stroke: #8c959f; fill: none }
  .curve { fill: none; stroke-width: 2 }
  .end { text-anchor: end }
  .back { fill: #ffffff }
"""

Curve = Sequence[tuple[float, float]]


def drawn(
    looks: Mapping[str, Sequence[float]], rate: int, failed: Mapping[int, Sequence[int]]
) -> str:
    """Return an SVG of two plots.

    Left: share of good versions stopped, by look, of each test, at `rate` requests a minute.
    Right: of canaries that were stopped for 5 points more failures, the share that failed at most
    so many requests, by requests a minute.
    """
    left = {
        name.replace("_", " "): [(n, s) for n, s in enumerate(shares, 1)]
        for name, shares in looks.items()
    }
    right = {
        f"{per_minute} requests a minute": _distribution(counts)
        for per_minute, counts in failed.items()
        if counts
    }
    width, height = 2 * (_LEFT + _WIDE) + _BETWEEN, _TOP + _HIGH + 52
    second = _LEFT + _WIDE + _BETWEEN
    body = [
        f'<rect class="back" width="{width}" height="{height}"/>',
        *_plot(_LEFT, f"Good versions stopped ({rate} requests a minute)", "looks", left),
        *_plot(second, "5 points more failures", "failed before the stop", right),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
        f"<style>{_STYLE}</style>\n" + "\n".join(body) + "\n</svg>\n"
    )


def _distribution(counts: Sequence[int]) -> Curve:
    ranked = sorted(counts)
    return [(0, 0.0), *((n, (i + 1) / len(ranked)) for i, n in enumerate(ranked))]


def _plot(x: int, title: str, label: str, curves: Mapping[str, Curve]) -> Iterator[str]:
    most = max(point[0] for curve in curves.values() for point in curve)
    bottom = _TOP + _HIGH
    yield f'<text class="title" x="{x}" y="20">{escape(title)}</text>'
    yield f'<path class="axis" d="M{x},{_TOP} V{bottom} H{x + _WIDE}"/>'
    for share in (0, 0.5, 1):
        y = bottom - share * _HIGH + 4
        yield f'<text class="end" x="{x - 6}" y="{y:.0f}">{share:.0%}</text>'
    for part in (0.5, 1):
        yield (
            f'<text class="end" x="{x + part * _WIDE:.0f}" y="{bottom + 18}">{most * part:g}</text>'
        )
    yield f'<text x="{x}" y="{bottom + 38}">{escape(label)}</text>'
    for number, (name, curve) in enumerate(curves.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        points = " ".join(
            f"{x + at / most * _WIDE:.1f},{bottom - share * _HIGH:.1f}" for at, share in curve
        )
        yield f'<polyline class="curve" stroke="{colour}" points="{points}"/>'
        column, line = number % 2, number // 2
        yield (
            f'<text x="{x + column * 180}" y="{42 + 18 * line}" style="fill:{colour}">'
            f"{escape(name)}</text>"
        )
