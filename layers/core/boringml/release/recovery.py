"""What is done for a release or a rollback that ended without its own last step."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from boringml.release.road import abandon_candidate

if TYPE_CHECKING:
    from boringml.adapters.event_bus import EventBus
    from boringml.adapters.executions import Executions
    from boringml.adapters.registry_table import RegistryTable
    from boringml.adapters.serving_function import ServingFunction


def recover_releases(
    registry: "RegistryTable",
    functions: Mapping[str, "ServingFunction"],
    executions: "Executions",
    events: "EventBus",
    ended: str | None,
) -> list[str]:
    """Return the models whose lock was left behind, after their traffic was put back.

    `ended` is the execution that ended, if one is known to have; the others are asked for, since
    the event that tells of an end is best effort.
    """
    recovered = []
    for model, function in functions.items():
        lock = registry.lock(model)
        if lock is None or (lock.holder != ended and executions.running(lock.holder)):
            continue
        reason = {
            "code": "execution_ended",
            "message": f"The {lock.kind} {lock.holder} ended before its last step.",
        }
        abandon_candidate(
            registry, function, events, model, None, lock.version, lock.holder, reason
        )
        recovered.append(model)
    return recovered
