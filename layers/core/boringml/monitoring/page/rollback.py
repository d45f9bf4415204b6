"""Should we roll back? Yes, no, watch, or cannot tell, and why. Nothing unknown passes for fine."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from boringml.monitoring.page import words
from boringml.monitoring.page.answers import BAD, FINE, UNKNOWN, WATCH, Answer
from boringml.monitoring.page.changes import last_move
from boringml.monitoring.page.checks import Check, checks
from boringml.monitoring.page.document import ModelDocument, Unread
from boringml.registry.records import Route

YES: Final = "Yes"
NO: Final = "No"
WATCH_IT: Final = "Watch it"
CANNOT_TELL: Final = "Cannot tell"

# Without these no version of a served model is known to be well; a model that batches alone ask
# is told by what its reports say.
_NEEDED = ("Failures", "p95 latency")
_NEEDED_OF_BATCHES = ("Quality", "Drift")


@dataclass(frozen=True)
class Advice:
    """The answer, what was looked at for it, and the command that rolls back, if one can."""

    answer: Answer
    checks: Sequence[Check]
    command: str | None
    target: str | None


def should_we_roll_back(document: ModelDocument) -> Advice:
    """Return the advice of a model.

    Anything bad is Yes, if there is a version to go back to; else anything to watch is Watch it;
    else a check that cannot do without, and has nothing to look at, is Cannot tell; else No, with
    what is not known.
    """
    route = document.route
    if isinstance(route, Unread):
        told = f"What is live could not be read: {route.why}"
        return Advice(Answer(UNKNOWN, CANNOT_TELL, told), checks(document), None, None)
    if route.version is None:
        told = "Nothing is live, so there is nothing to roll back."
        return Advice(Answer(UNKNOWN, NO, told), (), None, None)
    seen = checks(document)
    target = document.before
    answer = _answer(document, seen, target)
    if target is None:
        return Advice(answer, seen, None, None)
    return Advice(answer, seen, f"boringml rollback {document.model}", _named(target, route))


def _answer(document: ModelDocument, seen: Sequence[Check], target: Route | None) -> Answer:
    bad, watch, unknown = (
        [check for check in seen if check.tone == tone] for tone in (BAD, WATCH, UNKNOWN)
    )
    needed = _NEEDED if document.served else _NEEDED_OF_BATCHES
    missing = [check for check in unknown if check.name in needed]
    blind = bool(missing) if document.served else len(missing) == len(needed)
    note = tuple(_unknown(unknown))
    if bad and target is not None:
        return Answer(BAD, YES, _sentence(bad), (*_said(bad[1:] + watch), *note))
    if bad:
        told = "Something is wrong, and there is no version to go back to: mend it forward."
        return Answer(BAD, WATCH_IT, told, (*_said(bad + watch), *note))
    if watch:
        return Answer(WATCH, WATCH_IT, _sentence(watch), (*_said(watch[1:]), *note))
    if blind:
        return Answer(UNKNOWN, CANNOT_TELL, _sentence(missing), tuple(_unknown(unknown)))
    told = "Nothing that was looked at speaks for it."
    return Answer(FINE, NO, told, (*note, *_baking(document)))


def _sentence(found: Sequence[Check]) -> str:
    return f"{found[0].name}: {found[0].says}"


def _said(found: Sequence[Check]) -> list[str]:
    return [f"{check.name}: {check.says}" for check in found]


def _unknown(found: Sequence[Check]) -> list[str]:
    return [f"Not known: {', '.join(check.name for check in found)}."] if found else []


def _baking(document: ModelDocument) -> list[str]:
    if isinstance(document.history, Unread) or not document.limits.bake_seconds:
        return []
    move = last_move(document.history)
    until = move.at + timedelta(seconds=document.limits.bake_seconds) if move else None
    if until is None or until <= document.as_of:
        return []
    return [f"An alarm would take the last move back by itself until {words.moment(until)}."]


def _named(target: Route, now: Route) -> str:
    if target.version == now.version:
        return f"version {target.version} in its code before, function version {target.identity}"
    return f"version {target.version}"
