"""The timeline of a stream of requests, drawn: who answered when, what failed, what was decided."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from html import escape

from boringml.registry.records import STEP, HistoryEvent
from local.release_demo import moves
from local.telling import shortened
from local.traffic import Sent

_WIDTH, _PLOT, _LEFT, _TOP = 1100, 260, 56, 56
# Colours that tell versions apart in print, in the dark, and to colour-blind readers (Okabe, Ito).
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#f0e442")
_FAILED = "#d55e00"
# What fits below the plot, next to the number and the second of a decision.
_ROW_LENGTH = 124


def drawn(sent: Sequence[Sent], history: Sequence[HistoryEvent], title: str) -> str:
    """Return an SVG: requests per second by the version that answered, and each decision below."""
    begin = min(item.sent_at for item in sent)
    seconds = int((max(item.sent_at for item in sent) - begin).total_seconds()) + 1
    counts = _per_second(sent, begin)
    most = max(sum(second.values()) for second in counts.values())
    width = (_WIDTH - _LEFT - 16) / seconds
    versions = sorted({v for second in counts.values() for v in second if v is not None})
    colours = {v: _COLOURS[index % len(_COLOURS)] for index, v in enumerate(versions)}
    parts = []
    for second, found in counts.items():
        y = _TOP + _PLOT
        for version in [*versions, None]:
            height = found.get(version, 0) / most * _PLOT
            y -= height
            fill = _FAILED if version is None else colours[version]
            if height:
                parts.append(
                    f'<rect x="{_LEFT + second * width:.1f}" y="{y:.1f}" width="{width:.2f}" '
                    f'height="{height:.1f}" fill="{fill}"/>'
                )
    decisions = [
        event
        for event in history
        if event.at >= begin and (event in moves(list(history)) or event.kind == STEP)
    ]
    rows = []
    for number, event in enumerate(decisions, 1):
        at = (event.at - begin).total_seconds()
        x = _LEFT + at * width
        parts.append(
            f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{_TOP + _PLOT}" class="mark"/>'
            f'<text x="{x:.1f}" y="{_TOP - 4 - 10 * (number % 3)}" class="small" '
            f'text-anchor="middle">{number}</text>'
        )
        rows.append(f"{number:>2}  {at:6.1f} s  {_says(event)}")
    named = [*((f"version {v}", colours[v]) for v in versions), ("failed", _FAILED)]
    legend = "".join(_legend(_LEFT + 150 * n, *item) for n, item in enumerate(named))
    top = _TOP + _PLOT + 70
    told = "".join(
        f'<text x="{_LEFT}" y="{top + 17 * index}" class="row">{escape(row)}</text>'
        for index, row in enumerate(rows)
    )
    height = top + 17 * len(rows) + 12
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">'
        f"<title>{escape(title)}</title>"
        "<style>svg{background:#fff;color:#222;font:13px sans-serif}text{fill:currentColor}"
        ".row{font:11.5px monospace;white-space:pre}.small{font-size:10px}"
        ".mark{stroke:currentColor;stroke-dasharray:2 3;opacity:.6}"
        "@media(prefers-color-scheme:dark){svg{background:#16181c;color:#ddd}}</style>"
        f'<text x="{_LEFT}" y="16" font-size="15">{escape(title)}</text>'
        f'<text x="8" y="{_TOP + 8}" class="small">{most}/s</text>'
        f'<text x="8" y="{_TOP + _PLOT}" class="small">0</text>'
        f'<text x="{_LEFT}" y="{_TOP + _PLOT + 16}" class="small">0 s</text>'
        f'<text x="{_WIDTH - 16}" y="{_TOP + _PLOT + 16}" class="small" text-anchor="end">'
        f"{seconds} s</text>{''.join(parts)}{legend}{told}</svg>\n"
    )


def _legend(x: int, name: str, colour: str) -> str:
    y = _TOP + _PLOT + 28
    return (
        f'<rect x="{x}" y="{y}" width="12" height="12" fill="{colour}"/>'
        f'<text x="{x + 18}" y="{y + 10}">{name}</text>'
    )


def _per_second(sent: Sequence[Sent], begin: datetime) -> dict[int, Counter[int | None]]:
    counts: dict[int, Counter[int | None]] = defaultdict(Counter)
    for item in sent:
        second = int((item.sent_at - begin).total_seconds())
        counts[second][item.version if item.status == 200 else None] += 1
    return counts


def _says(event: HistoryEvent) -> str:
    if event.kind == STEP:
        told = f"{event.details['step']} of version {event.to_version}: {event.details['outcome']}"
    elif canary := event.details.get("canary"):
        told = f"live sends {canary['weight']:.0%} to version {canary['version']}"
    else:
        told = f"live sends all to version {event.to_version}"
    return shortened(f"{told} - {event.why}", _ROW_LENGTH)
