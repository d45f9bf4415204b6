"""`boringml release MODEL VERSION`."""

from typing import Annotated, Any

import typer

from boringml.errors import BoringError
from boringml.registry import refusals
from boringml_cli.arguments import Model, Timeout, Wait, Why
from boringml_cli.following import follow
from boringml_cli.session import Session, session_of


def release(
    context: typer.Context,
    model: Model,
    version: Annotated[
        int | None, typer.Argument(min=1, help="A registered version of the model.")
    ] = None,
    code: Annotated[
        bool, typer.Option("--code", help="Release the newest code, with the live version.")
    ] = False,
    why: Why = "released by hand",
    wait: Wait = False,
    timeout: Timeout = None,
) -> None:
    """Start the road to live: smoke, shadow, canary, promotion. It goes on without you.

    One release or rollback of a model runs at a time: a second is refused, with who is on the way.
    """
    if code == (version is not None):
        raise typer.BadParameter("name a version, or --code, and not both", param_hint="VERSION")
    session = session_of(context)
    number = _version(session, session.known(model), version)
    _check_free(session, model)
    given: dict[str, Any] = {"model": model, "version": number, "why": f"{why} ({session.caller})"}
    if code:
        given["code"] = True
    execution = session.executions.start(session.found("ReleaseStateMachine"), given)
    what = f"the newest code with version {number}" if code else f"version {number}"
    session.output.say(f"release of {what} of {model}: {execution}")
    followed = follow(session, model, execution, timeout) if wait else {}
    if wait:
        session.output.say(f"version {number} of {model} is live")
    session.output.show({"model": model, "version": number, "execution": execution, **followed})


def _version(session: Session, model: str, version: int | None) -> int:
    if version is not None:
        return session.registry.version(model, version).number
    live = session.registry.route(model).version
    if live is None:
        raise BoringError(
            "model_not_released", f"{model} has no live version: release one, with the newest code."
        )
    return live


def _check_free(session: Session, model: str) -> None:
    # A friendly refusal now; the release asks again itself, where it counts. A holder that is dead
    # gives way there, so it must not stand in the way here.
    lock = session.registry.lock(model)
    if lock is not None and session.executions.runs(lock.holder):
        raise refusals.release_busy(lock)
