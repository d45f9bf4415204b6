"""`boringml status`."""

from dataclasses import asdict
from typing import Annotated, Any

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
    RunClaim,
)
from boringml_cli import wording
from boringml_cli.session import Session, session_of

# The last release is among the newest events, or too long ago for a status.
_LOOK_BACK = 100
# What ends a release or a rollback.
_ENDS = ("promote", "rollback", "end")


def status(
    context: typer.Context,
    model: Annotated[
        str | None, typer.Argument(help="A model, with the reasons; without it, all.")
    ] = None,
) -> None:
    """Models: what is live, what is on its way, who holds the release lock, how training went."""
    session = session_of(context)
    names = session.registry.models() if model is None else [session.known(model)]
    models = [_of_model(session, name) for name in names]
    document = {"stack": session.stack, "models": [model["document"] for model in models]}
    pictures = [_table(session.stack, [model["row"] for model in models])]
    if model is not None:
        pictures.append(_reasons(models[0]["document"]))
    session.output.show(document, *pictures)


def _of_model(session: Session, model: str) -> dict[str, Any]:
    registry = session.registry
    route, candidate = registry.route(model), registry.alias(model, CANDIDATE)
    lock = registry.lock(model)
    approval = registry.approval(model)
    # One that a release left behind is no question any more.
    waits = approval if approval and lock and approval.release == lock.holder else None
    events = registry.history(model, limit=_LOOK_BACK)
    # A rollback that was refused is no release, and no step of the one that is under way.
    steps = [
        step
        for step in map(_step, events)
        if step and not (step["step"] == "end" and session.is_rollback(step["by"]))
    ]
    ended = [step for step in steps if step["step"] in _ENDS]
    run = registry.newest_run(model)
    under_way = [step for step in steps if lock and step["at"] >= lock.taken_at]
    lock_step = under_way[-1] if under_way else None
    document = {
        "model": model,
        "live": {"version": route.version, "function_version": route.function_version},
        "canary": asdict(route.canary) if route.canary else None,
        "candidate": candidate,
        "lock": asdict(lock) if lock else None,
        "step": lock_step,
        "waits_for_approval": _asked(waits),
        "last_release": ended[-1] if ended else None,
        "last_training": asdict(run) if run else None,
    }
    row = [
        model,
        wording.version(route.version),
        route.function_version or wording.NOTHING,
        _canary(route),
        wording.version(candidate),
        _held(lock, lock_step),
        _told(ended[-1]) if ended else wording.NOTHING,
        wording.trained(run) if run else wording.NOTHING,
    ]
    return {"document": document, "row": row}


def _step(event: HistoryEvent) -> dict[str, Any] | None:
    """Return what came of a step of a release or rollback, or None for any other event."""
    details = event.details
    if event.kind == STEP:
        told = (details.get("step"), details.get("outcome"))
    elif event.kind == MOVED and event.alias == LIVE:
        told = ("rollback", "rolled back") if details.get("back") else ("promote", "promoted")
    else:
        return None
    return {
        "version": event.to_version, "step": told[0], "outcome": told[1],
        "at": event.at, "by": event.by, "why": event.why,
    }  # fmt: skip


def _asked(approval: Approval | None) -> dict[str, Any] | None:
    # The token is a key: who has it may approve.
    if approval is None:
        return None
    return {name: value for name, value in asdict(approval).items() if name != "token"}


def _canary(route: Route) -> str:
    if route.canary is None:
        return wording.NOTHING
    return f"{route.canary.version} at {wording.share(route.canary.weight)}"


def _held(lock: ReleaseLock | None, step: dict[str, Any] | None) -> str:
    if lock is None:
        return "free"
    held = f"{lock.kind} {wording.who(lock.holder)} since {wording.moment(lock.taken_at)}"
    return f"{held}: {step['step']} {step['outcome']}" if step else held


def _told(step: dict[str, Any]) -> str:
    what = wording.released(step["version"])
    return f"{what} {step['outcome']} {wording.moment(step['at'])}"


def _reasons(document: dict[str, Any]) -> Table:
    """Return why the last release and the last training ended as they did."""
    release, training = document["last_release"], document["last_training"]
    table = Table("", "", show_header=False)
    if release:
        table.add_row("last release", escape(f"{_told(release)}: {release['why']}"))
    if training:
        run = RunClaim(**training)
        why = f": {wording.reason(run.reason)}" if run.reason else ""
        table.add_row("last training", escape(f"{wording.trained(run)}{why}"))
        table.add_row("its trigger", escape(run.trigger_id))
        table.add_row("its execution", escape(run.execution_arn))
    return table


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
        "last release",
        "last training",
        title=f"Models of {stack}",
    )
    for row in rows:
        table.add_row(*map(escape, row))
    return table
