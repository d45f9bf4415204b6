"""shadow.svg: a shadow at a glance, readable on light and on dark."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from boringml.release.divergence import Pair

_WIDTH = 800
_MOST_POINTS = 1000
_MOST_SEGMENTS = 10
_STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 }
  .head { font-weight: 600 }
  .quiet { fill: #59636e }
  .end { text-anchor: end }
  .back { fill: #ffffff }
  .axis { stroke: #8c959f; fill: none }
  .most { stroke: #bc4c00; stroke-dasharray: 4 3 }
  .same { fill: #0969da; fill-opacity: .55 }
  .other { fill: #bc4c00 }
  .bar { fill: #0969da }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .quiet { fill: #9198a1 }
    .back { fill: #0d1117 }
    .most { stroke: #f0883e }
    .same { fill: #58a6ff }
    .other { fill: #f0883e }
    .bar { fill: #58a6ff }
  }
"""


def drawn(report: Mapping[str, Any], pairs: Sequence[Pair]) -> str:
    """Return the SVG of a report (see `shadow.report_of`) and its pairs.

    Left: each request's probability by live and by the candidate. Right: how far it moved, how
    long answers took, and the segments whose labels differ most; dashes are tolerances.
    """
    segments = sorted(
        (s for s in report["summary"]["segments"] if s["judged"]), key=lambda s: -s["share"]
    )[:_MOST_SEGMENTS]
    height = max(440, 300 + 20 * len(segments))
    summary, verdict = report["summary"], report["verdict"]
    title = f"{report['model']}: version {report['version']} in shadow of live"
    told = (
        f"{verdict['decision']}: {summary['compared']} of {summary['samples']} "
        f"{report['plan']['unit']} with two "
        f"answers, labels differ in {summary['disagreements']}, "
        f"the candidate failed {summary['extra_failures']}"
    )
    body = [
        _text(24, 32, title, "title"),
        _text(24, 52, told, "quiet"),
        *_scatter(24, 76, 320, pairs),
        *_shift(376, 76, report),
        *(_latency(376, 196, summary) if summary["live_latency_ms"]["p50"] is not None else ()),
        *_segments(376, 276, segments, report["plan"]["max_segment_disagreement"]),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">\n'
        f"<title>{escape(f'{title}. {told}')}</title>\n<style>{_STYLE}</style>\n"
        f'<rect class="back" width="{_WIDTH}" height="{height}"/>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


def _scatter(x: float, y: float, size: float, pairs: Sequence[Pair]) -> Iterator[str]:
    points = [
        (p.live.probability, p.candidate.probability, p.live.prediction != p.candidate.prediction)
        for p in pairs
        if p.live.probability is not None and p.candidate.probability is not None
    ][:_MOST_POINTS]
    most = max((value for a, b, _ in points for value in (a, b)), default=1.0) or 1.0
    yield _text(x, y, "probability: live across, candidate up", "head")
    top, left = y + 14, x + 34
    side = size - 34
    yield f'<rect class="axis" x="{left}" y="{top}" width="{side}" height="{side}"/>'
    yield f'<path class="axis" d="M{left} {top + side}L{left + side} {top}"/>'
    yield _text(left - 6, top + side, "0", "quiet end")
    yield _text(left - 6, top + 10, f"{most:.2g}", "quiet end")
    yield _text(left + side, top + side + 16, f"{most:.2g}", "quiet end")
    for before, after, differs in points:
        across, up = left + before / most * side, top + side - after / most * side
        kind = "other" if differs else "same"
        yield f'<circle class="{kind}" cx="{across:.1f}" cy="{up:.1f}" r="2.5"/>'
    yield f'<circle class="other" cx="{left + 4}" cy="{top + side + 32}" r="4"/>'
    yield _text(left + 14, top + side + 36, "another label", "quiet")


def _shift(x: float, y: float, report: Mapping[str, Any]) -> Iterator[str]:
    found = report["summary"]["probability_shift"]
    most = report["plan"]["max_probability_shift"]
    yield _text(x, y, "how far the probability moves (p95 has the tolerance)", "head")
    shown = [(name, found[name] or 0.0, f"{found[name] or 0.0:.4f}") for name in found]
    yield from _bars(x, y + 10, shown, most)


def _latency(x: float, y: float, summary: Mapping[str, Any]) -> Iterator[str]:
    yield _text(x, y, "milliseconds to an answer, live and candidate", "head")
    for row, name in enumerate(("live", "candidate")):
        found = summary[f"{name}_latency_ms"]
        told = ", ".join(f"{q} {found[q]:.1f}" for q in found if found[q] is not None)
        yield _text(x, y + 22 + 18 * row, f"{name}: {told or 'none'}")


def _segments(
    x: float, y: float, segments: Sequence[Mapping[str, Any]], most: float
) -> Iterator[str]:
    yield _text(x, y, "share of other labels, by segment", "head")
    if not segments:
        yield _text(x, y + 22, "no segment has enough requests", "quiet")
        return
    shown = [
        (
            f"{s['feature']} {s['segment']}",
            s["share"],
            f"{s['share']:.1%} of {s['samples']}",
        )
        for s in segments
    ]
    yield from _bars(x, y + 10, shown, most)


def _bars(x: float, y: float, rows: Sequence[tuple[str, float, str]], most: float) -> Iterator[str]:
    """Yield one bar a row: its name, its value, what is told of it; `most` is the tolerance."""
    left, room = x + 170, 140
    scale = room / (max(most, *(value for _, value, _ in rows)) or 1.0)
    for row, (name, value, told) in enumerate(rows):
        top = y + 20 * row
        kind = "other" if value > most else "bar"
        yield _text(left - 8, top + 14, name, "end")
        yield (
            f'<rect class="{kind}" x="{left}" y="{top + 4}" height="12" '
            f'width="{max(1.0, value * scale):.1f}" rx="2"/>'
        )
        yield _text(left + room + 14, top + 14, told, "quiet")
    across = left + most * scale
    yield f'<path class="most" d="M{across:.1f} {y}V{y + 20 * len(rows)}"/>'


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    return f'<text x="{x}" y="{y}" class="{kind}">{escape(text)}</text>'
