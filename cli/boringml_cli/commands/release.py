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
    given: dict[str, Any] = {"model": model, "why": f"{why} ({session.caller})"}
    # Without a version, the newest code is released with the version that is live.
    execution = session.start(
        "ReleaseStateMachine", given if code else {**given, "version": number}
    )
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
        told = f"No version of {model} is live: new code goes out with its first release."
        raise BoringError("nothing_live", told, 409)
    return live


def _check_free(session: Session, model: str) -> None:
    # A friendly refusal now; the release asks again itself, where it counts. A holder that is dead
    # gives way there, so it must not stand in the way here.
    lock = session.registry.lock(model)
    if lock is not None and session.executions.running(lock.holder):
        raise refusals.release_busy(lock)
