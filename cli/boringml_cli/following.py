"""Follow a release or a rollback to its end, as --wait does."""

from typing import Any

from boringml_cli.failures import UnfinishedError
from boringml_cli.session import Session
from boringml_cli.watching import Entered

# Wait, look, decide: what waits for requests or evidence goes round these, every second it may be.
_LOOP = 3


def follow(session: Session, model: str, execution: str, seconds: float | None) -> dict[str, Any]:
    """Return {"states": [{"state", "at", "seconds"}], "result"} of an execution that succeeded.

    Says each state that is entered, but not again and again those in which it waits; how far a step
    is, where that changed; and once that it waits for an approval.
    Raises BoringError where it failed; UnfinishedError after `seconds`, or when the person stops
    following.
    """
    states: list[dict[str, Any]] = []
    told, asked = "", False
    try:
        for happened in session.watcher.watch(execution, seconds):
            for event in happened:
                if isinstance(event, Entered):
                    if event.state not in {state["state"] for state in states[-_LOOP:]}:
                        session.output.say(f"  {event.seconds:7.1f} s  {event.state}")
                    states.append({"state": event.state, "at": event.at, "seconds": event.seconds})
                elif event.reasons != told:
                    told = event.reasons
                    session.output.say(f"  {event.seconds:7.1f} s  {told}")
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
