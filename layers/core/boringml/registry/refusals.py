"""What the registry refuses, in words: one function for each code."""

from collections.abc import Mapping
from typing import Any

from boringml.errors import BoringError
from boringml.registry.records import ReleaseLock, RunClaim


def version_not_found(model: str, number: int) -> BoringError:
    """No such version."""
    return BoringError("version_not_found", f"{model} has no version {number}.", 404)


def alias_moved(
    model: str, alias: str, expected: int | None, current: int | None, last: Mapping[str, Any]
) -> BoringError:
    """Someone else moved the alias: `last` is its last move, empty where there was none."""
    return BoringError(
        "alias_moved",
        f"{alias} of {model} is at {current}, not at {expected}: read it again, then decide.",
        409,
        current=current,
        moved_by=last.get("by"),
        moved_at=last.get("at"),
    )


def alias_never_set(model: str, alias: str) -> BoringError:
    """There is no move to return."""
    return BoringError("alias_never_set", f"{alias} of {model} never pointed at a version.", 409)


def registry_busy(model: str) -> BoringError:
    """Other writers won every attempt."""
    return BoringError(
        "registry_busy", f"Other changes of {model} kept coming in between: try again.", 503
    )


def release_busy(lock: ReleaseLock) -> BoringError:
    """Another release or rollback of the model is under way."""
    return BoringError(
        "release_busy",
        f"A {lock.kind} of {lock.model} is under way since {lock.taken_at:%Y-%m-%d %H:%M:%SZ}: "
        f"{lock.holder}. Wait for it, or roll back.",
        409,
        holder=lock.holder,
    )


def release_lock_lost(model: str, holder: str, lock: ReleaseLock | None) -> BoringError:
    """Somebody took the lock over, such as a rollback: this one must not move traffic again."""
    now = f"{lock.kind} {lock.holder} has it" if lock else "nobody has it"
    return BoringError(
        "release_lock_lost",
        f"{holder} may no longer move traffic of {model}: {now}.",
        423,
        holder=lock.holder if lock else None,
    )


def approval_not_pending(model: str) -> BoringError:
    """Nothing waits, or somebody answered already."""
    return BoringError("approval_not_pending", f"No release of {model} waits for an approval.", 409)


def run_already_claimed(claim: RunClaim) -> BoringError:
    """Another execution has the trigger."""
    return BoringError(
        "run_already_claimed",
        f"{claim.execution_arn} trains {claim.model} for the trigger {claim.trigger_id}: let it.",
        409,
        holder=claim.execution_arn,
        run_status=claim.status,
    )


def run_not_found(model: str, trigger_id: str) -> BoringError:
    """Nobody claimed the trigger."""
    return BoringError(
        "run_not_found", f"Nothing claimed {trigger_id} of {model}: claim it first.", 404
    )


def run_already_finished(claim: RunClaim, status: str) -> BoringError:
    """The run has another end already."""
    return BoringError(
        "run_already_finished",
        f"The run of {claim.model} for {claim.trigger_id} ended as {claim.status}, not {status}.",
        409,
        run_status=claim.status,
    )
