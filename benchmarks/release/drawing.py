"""The ends of simulated canaries as bars."""

from collections.abc import Sequence
from html import escape
from typing import Any

_ROW, _LEFT, _BAR = 26, 330, 560
_COLOURS = {"promoted": "#009e73", "harm": "#d55e00", "undecided": "#999999"}


def bars(results: Sequence[dict[str, Any]]) -> str:
    """Return an SVG with one bar per simulated case: the share of each end."""
    parts = []
    for number, found in enumerate(results):
        y, x = 40 + number * _ROW, float(_LEFT)
        name = (
            f"{found['case']}, {found['requests_per_minute']}/min, {found['judge'].split('_')[1]}"
        )
        parts.append(f'<text x="8" y="{y + 14}">{escape(name)}</text>')
        for end, colour in _COLOURS.items():
            width = found["ends"][end] / found["runs"] * _BAR
            parts.append(
                f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="18" fill="{colour}">'
                f"<title>{end}: {found['ends'][end]} of {found['runs']}</title></rect>"
            )
            x += width
    legend = "".join(
        f'<rect x="{_LEFT + 120 * n}" y="10" width="12" height="12" fill="{colour}"/>'
        f'<text x="{_LEFT + 18 + 120 * n}" y="20">{end}</text>'
        for n, (end, colour) in enumerate(_COLOURS.items())
    )
    height = 50 + len(results) * _ROW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _BAR + 10} {height}">'
        "<title>How simulated canaries end</title>"
        "<style>svg{background:#fff;color:#222;font:12px sans-serif}text{fill:currentColor}"
        "@media(prefers-color-scheme:dark){svg{background:#16181c;color:#ddd}}</style>"
        f"{legend}{''.join(parts)}</svg>\n"
    )
