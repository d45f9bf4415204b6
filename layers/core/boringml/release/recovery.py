"""What is done for a release or a rollback that ended without its own last step."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from boringml.errors import BoringError
from boringml.registry.records import RECOVERY, RELEASE
from boringml.release.road import abandon_candidate, finish_promotion
from boringml.release.traffic import Follower, Mover, follow

if TYPE_CHECKING:
    from boringml.adapters.event_bus import EventBus
    from boringml.adapters.executions import Executions
    from boringml.adapters.registry_table import RegistryTable


def recover_releases(
    registry: "RegistryTable",
    functions: Mapping[str, Follower],
    executions: "Executions",
    events: "EventBus",
    ended: str | None,
) -> list[str]:
    """Return the models that were left in the middle, after their traffic was put back.

    `ended` is the execution that ended, if one is known to have; the others are asked for, since
    the event that tells of an end is best effort. What one model raises is raised once all had
    their turn.
    """
    recovered, failed = [], []
    for model, function in functions.items():
        try:
            if _recover(registry, function, executions, events, model, ended):
                recovered.append(model)
        except Exception as error:  # noqa: BLE001 - all of them are raised below
            failed.append(error)
    if failed:
        raise failed[0] if len(failed) == 1 else ExceptionGroup("Recovery failed.", failed)
    return recovered


def _recover(
    registry: "RegistryTable",
    function: Follower,
    executions: "Executions",
    events: "EventBus",
    model: str,
    ended: str | None,
) -> bool:
    lock = registry.lock(model)
    if lock is None:
        return _heal(registry, function, events, model)
    if lock.holder != ended and executions.running(lock.holder):
        return False
    # A step of what ended may run on: without the lock, it decides nothing more.
    dead = lock.holder.removeprefix(f"{RECOVERY} of ")
    mover = Mover(f"{RECOVERY} of {dead}", dead)
    if not registry.take_over(lock, holder=mover.holder):
        return False
    decided = registry.decision(model).event
    if decided and decided.by == dead and decided.details.get("step") == "promote":
        follow(registry, function, model, by=mover.by)
        finish_promotion(registry, events, decided, mover)
        return True
    told = f"The {lock.kind} {dead} ended before its last step."
    reason = {"code": "execution_ended", "message": told}
    abandon_candidate(registry, function, events, model, None, lock.version, mover, reason)
    return True


def _heal(registry: "RegistryTable", function: Follower, events: "EventBus", model: str) -> bool:
    """Make Lambda as the registry says, without a canary that no release stands behind."""
    canary = registry.route(model).canary
    if canary is None:
        follow(registry, function, model, by=RECOVERY)
        return False
    mover = Mover(RECOVERY, RECOVERY)
    try:
        registry.take_lock(model, holder=RECOVERY, kind=RELEASE, version=canary.version)
    except BoringError as error:
        if error.code != "release_busy":
            raise
        # One stands behind it after all: it began just now.
        return False
    reason = {"code": "release_missing", "message": "No release stood behind the canary."}
    abandon_candidate(registry, function, events, model, None, canary.version, mover, reason)
    return True
