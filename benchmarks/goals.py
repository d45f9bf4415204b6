"""Goals and what was measured: how a topic reports, and the table and the plot of all of them.

Each topic writes benchmarks/results/<topic>.json with a list `goals`, made by `Goal.told`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal
from xml.sax.saxutils import escape

from benchmarks.racing import Spread

RESULTS = Path(__file__).parent / "results"
_GREEN, _RED, _GREY = "#1a7f37", "#bc4c00", "#57606a"
_STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #57606a }
  .title { font-size: 14px; font-weight: 600 }
  .axis { stroke: #8c959f; stroke-dasharray: 3 3 }
  .end { text-anchor: end }
  .back { fill: #ffffff }
"""


@dataclass(frozen=True)
class Goal:
    """One line of the table. `unit` is "" for a ratio; `note` says what a number alone does not."""

    what: str
    sense: Literal["at most", "at least"]
    goal: float
    measured: Spread
    unit: str = ""
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether the median keeps the goal."""
        median = self.measured.median
        return median <= self.goal if self.sense == "at most" else median >= self.goal

    def told(self) -> dict[str, Any]:
        """Return the goal as a result file has it."""
        return {**asdict(self), "measured": self.measured.rounded(), "met": self.met}


def write(topic: str, report: Mapping[str, Any]) -> Path:
    """Write a topic's results and return the file."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{topic}.json"
    path.write_text(json.dumps(report, indent=1) + "\n")
    return path


def table(goals: Iterable[Mapping[str, Any]]) -> str:
    """Return the goals as a table in Markdown."""
    lines = [
        "| what | goal | measured | middle half of the rounds | met |",
        "|---|---|---|---|---|",
    ]
    for goal in goals:
        unit = f" {goal['unit']}" if goal["unit"] else ""
        found = goal["measured"]
        lines.append(
            f"| {goal['what']} | {goal['sense']} {goal['goal']:g}{unit} "
            f"| {_number(found['median'])}{unit} "
            f"| {_number(found['low'])} to {_number(found['high'])} "
            f"| {'yes' if goal['met'] else 'no'} |"
        )
        if goal["note"]:
            lines[-1] = lines[-1].replace(
                f"| {goal['what']} |", f"| {goal['what']} ({goal['note']}) |"
            )
    return "\n".join(lines) + "\n"


def picture(goals: Iterable[Mapping[str, Any]]) -> str:
    """Return an SVG: each goal's measured value as a share of its limit, with its spread."""
    rows = list(goals)
    left, wide, high, most = 380, 420, 26, 2.0
    height = 70 + high * len(rows)
    body = [f'<rect class="back" width="{left + wide + 130}" height="{height}"/>']
    body.append('<text class="title" x="12" y="22">Measured, as a share of the goal</text>')
    body.append(
        '<text x="12" y="40">Left of the line is better; the thin line is the middle half</text>'
    )
    at_goal = left + wide / most
    body.append(f'<path class="axis" d="M{at_goal:.0f},48 V{height - 12}"/>')
    for number, goal in enumerate(rows):
        y = 66 + high * number
        shares = {name: _share(goal, value) for name, value in goal["measured"].items()}
        ends = {name: left + min(share, most) / most * wide for name, share in shares.items()}
        colour = _GREEN if goal["met"] else _RED
        unit = f" {goal['unit']}" if goal["unit"] else ""
        told = f"{_number(goal['measured']['median'])}{unit}, {goal['sense']} {goal['goal']:g}"
        beside = max(ends["median"], ends["high"]) + 8
        body += [
            f'<text class="end" x="{left - 8}" y="{y + 4}">{escape(goal["what"])}</text>',
            f'<rect x="{left}" y="{y - 6}" width="{ends["median"] - left:.1f}" height="12" '
            f'fill="{colour}"/>',
            f'<path d="M{ends["low"]:.1f},{y} H{ends["high"]:.1f}" stroke="{_GREY}"/>',
            f'<text x="{beside:.1f}" y="{y + 4}">{escape(told)}</text>',
        ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + wide + 130} {height}">'
        f"<style>{_STYLE}</style>\n" + "\n".join(body) + "\n</svg>\n"
    )


def _share(goal: Mapping[str, Any], value: float) -> float:
    """Return how much of its goal a value is: 1 on the line, less on the good side of it."""
    return float(value / goal["goal"] if goal["sense"] == "at most" else goal["goal"] / value)


def _number(value: float) -> str:
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"
