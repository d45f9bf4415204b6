"""One event of a model's history as a sentence."""

from boringml.monitoring.page import words
from boringml.registry.items import route_of
from boringml.registry.records import LIVE, MOVED, REGISTERED, SPLIT, STEP, HistoryEvent


def happened(event: HistoryEvent) -> str | None:
    """Return what happened, or None of what is a detail of something else.

    That the alias candidate moved, that Lambda followed, and what came of a step, is told with the
    release that it belongs to: `releases`.
    """
    if event.kind == REGISTERED:
        return f"Version {event.to_version} registered"
    if event.kind == MOVED and event.alias == LIVE:
        return moved(event)
    if event.kind == SPLIT and event.alias == LIVE:
        canary = route_of(event).canary
        if canary is None:
            return f"Canary over: all requests to version {event.to_version}"
        return f"Canary: version {canary.version} gets {words.per_cent(canary.weight)}"
    if event.kind == STEP:
        return _step(event)
    return None


def moved(move: HistoryEvent) -> str:
    """Return what a move of live came to."""
    before, after = move.from_version, move.to_version
    if after is None:
        return f"Version {before} was taken off, and nothing is live"
    if move.details.get("back"):
        return f"Rolled back from version {before} to version {after}"
    if before == after:
        code = move.details.get("function_version")
        return f"New code went live with the same model version {after}, as function version {code}"
    if before is None:
        return f"Version {after} went live, the first one"
    return f"Version {after} went live in place of version {before}"


def _step(event: HistoryEvent) -> str | None:
    step, outcome = event.details.get("step"), event.details.get("outcome")
    version = event.to_version
    if step == "end":
        told = "was refused" if outcome == "refused" else "was stopped"
        return f"The release of version {version} {told}"
    if step == "approval":
        return f"Approval of version {version}: {outcome}"
    return None
