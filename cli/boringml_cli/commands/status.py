"""`boringml status`."""

from dataclasses import asdict
from typing import Any

import typer
from rich.markup import escape
from rich.table import Table

from boringml.registry.records import (
    CANDIDATE,
    LIVE,
    MOVED,
    STEP,
    Approval,
    HistoryEvent,
    ReleaseLock,
    Route,
)
from boringml_cli import wording
from boringml_cli.session import Session, session_of

# The last release is among the newest events, or too long ago for a status.
_LOOK_BACK = 100


def status(context: typer.Context) -> None:
    """All models: what is live, what is on its way, who holds the release lock."""
    session = session_of(context)
    models = [_of_model(session, model) for model in session.registry.models()]
    document = {"stack": session.stack, "models": [model["document"] for model in models]}
    session.output.show(document, _table(session.stack, [model["row"] for model in models]))


def _of_model(session: Session, model: str) -> dict[str, Any]:
    registry = session.registry
    route, candidate = registry.route(model), registry.alias(model, CANDIDATE)
    lock, approval = registry.lock(model), registry.approval(model)
    last = _last_outcome(registry.history(model, limit=_LOOK_BACK))
    document = {
        "model": model,
        "live": {"version": route.version, "function_version": route.function_version},
        "canary": asdict(route.canary) if route.canary else None,
        "candidate": candidate,
        "lock": asdict(lock) if lock else None,
        "waits_for_approval": _asked(approval),
        "last_outcome": last,
    }
    row = [
        model,
        wording.version(route.version),
        route.function_version or wording.NOTHING,
        _canary(route),
        wording.version(candidate),
        _held(lock, approval),
        _told(last),
    ]
    return {"document": document, "row": row}


def _last_outcome(events: list[HistoryEvent]) -> dict[str, Any] | None:
    """Return how the newest step of a release ended; the newest move of live where none is told."""
    for event in reversed(events):
        if event.kind == STEP:
            told = {"step": event.details.get("step"), "outcome": event.details.get("outcome")}
        elif event.kind == MOVED and event.alias == LIVE:
            told = {"step": LIVE, "outcome": "moved"}
        else:
            continue
        return {"version": event.to_version, **told, "at": event.at, "why": event.why}
    return None


def _asked(approval: Approval | None) -> dict[str, Any] | None:
    # The token is a key: who has it may approve.
    if approval is None:
        return None
    return {name: value for name, value in asdict(approval).items() if name != "token"}


def _canary(route: Route) -> str:
    if route.canary is None:
        return wording.NOTHING
    return f"{route.canary.version} at {wording.share(route.canary.weight)}"


def _held(lock: ReleaseLock | None, approval: Approval | None) -> str:
    if lock is None:
        return "free"
    held = f"{lock.kind} {wording.who(lock.holder)} since {wording.moment(lock.taken_at)}"
    return f"{held}, waits for approval" if approval else held


def _told(last: dict[str, Any] | None) -> str:
    if last is None:
        return wording.NOTHING
    return f"{last['version']} {last['step']} {last['outcome']} {wording.moment(last['at'])}"


def _table(stack: str, rows: list[list[str]]) -> Table | str:
    if not rows:
        return f"{stack} has no model yet: put data into its lake, and it trains one."
    table = Table(
        "model",
        "live",
        "function version",
        "canary",
        "candidate",
        "release lock",
        "last outcome",
        title=f"Models of {stack}",
    )
    for row in rows:
        table.add_row(*map(escape, row))
    return table
