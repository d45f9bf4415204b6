"""The steps of a release that change something: publish, canary, promote, abandon."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from boringml.errors import BoringError
from boringml.registry.items import route_of
from boringml.registry.records import (
    CANDIDATE,
    LIVE,
    ROLLBACK,
    Canary,
    HistoryEvent,
    ModelVersion,
    Route,
)
from boringml.release.code_change import fingerprint
from boringml.release.traffic import Follower, Mover, follow, send, without_canary

if TYPE_CHECKING:
    from boringml.adapters.event_bus import EventBus
    from boringml.adapters.registry_table import RegistryTable
    from boringml.adapters.serving_function import ServingFunction

# The history keeps a reason as a sentence; logs keep all of it.
_WHY_LENGTH = 900


def publish_version(
    registry: "RegistryTable", function: "ServingFunction", model: str, number: int, by: str
) -> dict[str, Any]:
    """Publish (code of $LATEST, this version) and make it the candidate.

    Raises BoringError `release_lock_lost` (423) where `by` has not the lock: what it publishes
    would mix with what the one that has it publishes.
    """
    registry.check_lock(model, holder=by)
    version = registry.version(model, number)
    published = function.publish(
        {
            "MODEL_NAME": model,
            "MODEL_VERSION": str(number),
            "MODEL_PACKAGE": version.package_uri,
            "MODEL_DIGEST": version.package_digest,
        },
        f"{model} version {number}",
    )
    mover = Mover(by, by)
    why = f"published as function version {published}"
    _name_candidate(registry, model, number, mover, why)
    function.point(CANDIDATE, published)
    registry.record_step(
        model,
        step="publish",
        outcome="published",
        version=number,
        by=by,
        why=why,
        details={"function_version": published, "code": fingerprint(function.code(published))},
    )
    return {"function_version": published}


def prove_candidate(
    registry: "RegistryTable",
    model: str,
    number: int,
    execution: str,
    prove: Callable[[ModelVersion], dict[str, Any]],
) -> dict[str, Any]:
    """Make a version of a model without a function the candidate, and return what `prove` shows.

    Raises BoringError `release_lock_lost` (423), or what `prove` raises.
    """
    registry.check_lock(model, holder=execution)
    version = registry.version(model, number)
    mover = Mover(execution, execution)
    _name_candidate(registry, model, number, mover, "no function serves it: batches will ask")
    found = prove(version)
    registry.record_step(
        model,
        step="prove",
        outcome="passed",
        version=number,
        by=execution,
        why=f"its package loads and gives its {found['examples']} golden answers",
        details=found,
    )
    return found


def start_canary(
    registry: "RegistryTable",
    function: Follower,
    model: str,
    canary: Canary,
    live: Route,
    execution: str,
    why: str,
) -> dict[str, Any]:
    """Send the share `canary.weight` of live's requests to the candidate.

    Returns {"started_at"}, from when on they may come. Raises what `send` raises.
    """
    to = Route(version=live.version, function_version=live.function_version, canary=canary)
    mover = Mover(execution, execution)
    send(registry, function, model, to, mover=mover, why=why, details={"step": "canary"})
    return {"started_at": datetime.now(UTC).isoformat()}


def promote_version(
    registry: "RegistryTable",
    function: Follower,
    events: "EventBus",
    model: str,
    number: int,
    execution: str,
    published: str,
    why: str,
) -> dict[str, Any]:
    """Move `live` to the candidate, say so, and free the lock.

    Returns {"version", "from", "function_version"}.
    """
    mover = Mover(execution, execution)
    decided = send(
        registry,
        function,
        model,
        Route(version=number, function_version=published),
        mover=mover,
        why=why,
        details={"step": "promote"},
    )
    return finish_promotion(registry, events, decided, mover)


def finish_promotion(
    registry: "RegistryTable", events: "EventBus", decided: HistoryEvent, mover: Mover
) -> dict[str, Any]:
    """Do what is left of a promotion that was decided; return as `promote_version` does.

    A retry says the same again: `from` is what the decision says, not what is live by now. Where
    all was live already, by somebody else's decision, `from` is the version itself.
    """
    model, route = decided.model, route_of(decided)
    _name_candidate(registry, model, None, mover, f"version {route.version} is live")
    moved = {
        "version": route.version,
        "from": decided.from_version if decided.by == mover.by else route.version,
        "function_version": route.function_version,
    }
    events.publish("ModelPromoted", {"model": model, **moved})
    registry.free_lock(model, holder=mover.holder)
    return moved


def abandon_candidate(
    registry: "RegistryTable",
    function: Follower,
    events: "EventBus",
    model: str,
    live: Route | None,
    number: int | None,
    mover: Mover,
    reason: dict[str, str],
) -> dict[str, Any]:
    """Put all traffic back on `live`, take the candidate away, say why, and free the lock.

    `live` is what was live when the release began, None where that is not known: then it is what
    the registry says without its canary. Whoever does not have the lock moves nothing: it never
    had it, or somebody took it over, who puts traffic where it belongs.
    Returns {"version", "reason", "traffic"}, where `traffic` is "restored" or "untouched".
    """
    lock = registry.lock(model)
    ours = lock is not None and lock.holder == mover.holder
    why = f"{reason['code']}: {reason['message']}"[:_WHY_LENGTH]
    traffic = "untouched"
    if ours:
        now = registry.route(model)
        kept = live or without_canary(now)
        if kept.version is not None and now != kept:
            send(registry, function, model, kept, mover=mover, why=why, details={"back": True})
            traffic = "restored"
        follow(registry, function, model, by=mover.by)
        _name_candidate(registry, model, None, mover, why)
        function.point(CANDIDATE, function.routing(LIVE).function_version)
    registry.record_step(
        model,
        step="end",
        outcome="refused" if reason["code"] == "release_busy" else "abandoned",
        version=number,
        by=mover.by,
        why=why,
        details={"traffic": traffic, "reason": reason},
    )
    failed = "RollbackFailed" if lock and ours and lock.kind == ROLLBACK else "PromotionFailed"
    events.publish(failed, {"model": model, "version": number, "reason": reason})
    if ours:
        forget_approval(registry, model, mover.by)
        registry.free_lock(model, holder=mover.holder)
    return {"version": number, "reason": reason, "traffic": traffic}


def forget_approval(registry: "RegistryTable", model: str, execution: str) -> None:
    """Take back what an execution that is over asked a person for."""
    asked = registry.approval(model)
    if asked is not None and asked.release == execution:
        try:
            registry.take_approval(asked)
        except BoringError as error:
            # Somebody answered in this very moment, to nobody.
            if error.code != "approval_not_pending":
                raise


def _name_candidate(
    registry: "RegistryTable", model: str, to: int | None, mover: Mover, why: str
) -> None:
    """Move the registry's candidate from wherever it is. Done already is done."""
    now = registry.alias(model, CANDIDATE)
    if now != to:
        registry.move_alias(
            model, CANDIDATE, to=to, expected=now, by=mover.by, why=why, holder=mover.holder
        )
