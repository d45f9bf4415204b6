"""`boringml rollback MODEL`."""

from typing import Annotated, Any

import typer

from boringml_cli.arguments import Model, Timeout, Wait, Why
from boringml_cli.following import follow
from boringml_cli.session import session_of


def rollback(
    context: typer.Context,
    model: Model,
    to: Annotated[
        int | None, typer.Option(min=1, help="A version; by default what was live before.")
    ] = None,
    why: Why = "rolled back by hand",
    wait: Wait = False,
    timeout: Timeout = None,
) -> None:
    """Put traffic back at once, to what was live before. A canary under way is ended.

    No deploy and no test stand in between: one alias moves.
    """
    session = session_of(context)
    session.known(model)
    given: dict[str, Any] = {"model": model, "by": session.caller, "why": why}
    if to is not None:
        given["to"] = session.registry.version(model, to).number
    seen = session.registry.route(model).identity
    if seen is not None:
        # Two people who see the same harm go back one step, not two: be it a model's or its code's.
        given["seen"] = seen
    execution = session.start("RollbackStateMachine", given)
    session.output.say(f"rollback of {model}: {execution}")
    followed = follow(session, model, execution, timeout) if wait else {}
    if wait:
        live = session.registry.route(model).version
        session.output.say(f"version {live} of {model} is live")
    session.output.show({"model": model, "to": to, "execution": execution, **followed})
