"""Looks at models one by one: a schedule asks for all, and each is asked for in its own event."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from boringml.errors import BoringError

LOOK_DUE: Final = "LookDue"


def models_of(
    event: Mapping[str, Any],
    look: str,
    declared: Sequence[str],
    publish: Callable[[str, Mapping[str, Any]], None],
) -> list[str]:
    """Return the models to look at now: those of `event`, else all.

    None where `event` says `each`: then a LookDue event comes back for each, in an invocation of
    its own. A look that runs out of memory or time ends no other. What was asked for so says
    `models`, so it asks for nothing more.
    """
    if "models" in event:
        return list(event["models"])
    if not event.get("each"):
        return list(declared)
    for model in declared:
        publish(LOOK_DUE, {"look": look, "models": [model]})
    return []


def looks_failed(failed: Mapping[str, Exception], of: int) -> BoringError:
    """Return the error that tells which of so many looks failed, {model: why}, after all others."""
    told = "; ".join(f"{model}: {type(why).__name__}: {why}" for model, why in failed.items())
    return BoringError("looks_failed", f"{len(failed)} of {of} looks: {told}", 500)
