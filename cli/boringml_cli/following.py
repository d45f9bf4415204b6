"""Follow a release or a rollback to its end, as --wait does."""

from typing import Any

from boringml_cli.failures import UnfinishedError
from boringml_cli.session import Session


def follow(session: Session, model: str, execution: str, seconds: float | None) -> dict[str, Any]:
    """Return {"states": [{"state", "at", "seconds"}], "result"} of an execution that succeeded.

    Says each state as it is entered, and once that it waits for an approval.
    Raises BoringError where it failed; UnfinishedError after `seconds`, or when the person stops
    following.
    """
    states: list[dict[str, Any]] = []
    asked = False
    try:
        for entered in session.watcher.watch(execution, seconds):
            for state in entered:
                session.output.say(f"  {state.seconds:7.1f} s  {state.state}")
                states.append({"state": state.state, "at": state.at, "seconds": state.seconds})
            if not asked and _waits(session, model, execution):
                session.output.say(f"  waits for a person: boringml approve {model}")
                asked = True
    except (TimeoutError, KeyboardInterrupt) as error:
        raise _unfinished(session, model, execution) from error
    return {"states": states, "result": session.watcher.result(execution)}


def _waits(session: Session, model: str, execution: str) -> bool:
    approval = session.registry.approval(model)
    return approval is not None and approval.release == execution


def _unfinished(session: Session, model: str, execution: str) -> UnfinishedError:
    if _waits(session, model, execution):
        message = f"{execution} waits for a person: boringml approve {model}."
        return UnfinishedError("waits_for_approval", message, execution)
    message = f"{execution} goes on by itself: boringml status shows where it is."
    return UnfinishedError("still_running", message, execution)
