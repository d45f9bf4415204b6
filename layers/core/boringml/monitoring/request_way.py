"""The whole way of one request: what answered it, why that was live, and what came of it.

Pure: what others found is put together. docs/cli.md shows the document.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from boringml.registry.history import brought
from boringml.registry.records import HistoryEvent
from boringml.serving.trace_id import root_of

Line = Mapping[str, Any]
# Of a line: None where it is not known.
Known = Callable[[Line], Any]

# What the table `predictions` has as text, as a query answers it.
_NUMBERS: Final = ("record", "latency_ms", "probability", "attempt", "queue_ms")
_DOCUMENTS: Final = ("features", "feature_flags")


def unknown(_line: Line) -> None:
    """Say of any line that nothing is known."""


def way_of(
    model: str,
    lines: Sequence[Line],
    events: Iterable[HistoryEvent],
    *,
    label: Known = unknown,
    cost_usd: Known = unknown,
) -> dict[str, Any]:
    """Return {"trace_ids", "versions", "records"} of the lines of one request.

    `events` is the model's history, oldest first. `label` and `cost_usd` tell what is known of one
    record. Of a job that was tried again, each attempt has its lines.
    """
    history = list(events)
    roots = [root_of(line.get("trace_id")) for line in lines]
    return {
        "model": model,
        "trace_ids": list(dict.fromkeys(root for root in roots if root)),
        "versions": _versions(lines, history),
        "records": [
            {**_shown(line), "label": label(line), "cost_usd": cost_usd(line)} for line in lines
        ],
    }


def time_of(line: Line) -> datetime:
    """Return when a line was written, in UTC."""
    return datetime.fromisoformat(str(line["timestamp"])).astimezone(UTC)


def line_of_row(row: Mapping[str, str | None]) -> dict[str, Any]:
    """Return the line that a row of the table `predictions` was, as far as the table has it."""
    line: dict[str, Any] = {name: value for name, value in row.items() if value is not None}
    at = datetime.fromisoformat(line.pop("at")).replace(tzinfo=UTC)
    line["timestamp"] = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    for name in _NUMBERS:
        if name in line:
            number = float(line[name])
            line[name] = int(number) if name in ("record", "attempt") else number
    for name in _DOCUMENTS:
        if name in line:
            line[name] = json.loads(line[name])
    if "cold_start" in line:
        line["cold_start"] = line["cold_start"] == "true"
    return line


def callback_attempt(line: Line) -> dict[str, Any]:
    """Return what a line of deliver_callback says of one attempt."""
    names = ("timestamp", "attempt", "outcome", "code", "status", "wait_seconds", "trace_id")
    return {name: line[name] for name in names if line.get(name) not in (None, "")}


def _versions(lines: Sequence[Line], history: list[HistoryEvent]) -> list[dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for line in lines:
        identity = (str(line["model_version"]), str(line["function_version"]))
        if identity in found:
            continue
        number, function_version = int(identity[0]), identity[1]
        event = brought(history, number, function_version, time_of(line))
        found[identity] = {
            "model_version": number,
            "function_version": function_version,
            "became_live": None if event is None else _told(event),
        }
    return list(found.values())


def _told(event: HistoryEvent) -> dict[str, Any]:
    return {
        "sequence": event.sequence,
        "at": event.at.isoformat(),
        "by": event.by,
        "why": event.why,
        "step": event.details.get("step"),
    }


def _shown(line: Line) -> dict[str, Any]:
    hidden = ("_aws", "level", "model", "requests", "failures")
    return {name: value for name, value in line.items() if name not in hidden}
