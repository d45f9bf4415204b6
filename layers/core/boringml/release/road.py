"""The steps of a release that change something: publish, canary, promote, abandon."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from boringml.errors import BoringError
from boringml.registry.records import CANDIDATE, LIVE, ROLLBACK, Canary, Route
from boringml.release.traffic import Mover, follow, send

if TYPE_CHECKING:
    from boringml.adapters.event_bus import EventBus
    from boringml.adapters.registry_table import RegistryTable
    from boringml.adapters.serving_function import ServingFunction

# The history keeps a reason as a sentence; logs keep all of it.
_WHY_LENGTH = 900


def publish_version(
    registry: "RegistryTable", function: "ServingFunction", model: str, number: int, by: str
) -> dict[str, Any]:
    """Publish (code of $LATEST, this version) and make it the candidate."""
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
    function.point(CANDIDATE, published)
    _name_candidate(registry, model, number, by, f"published as function version {published}")
    return {"function_version": published}


def start_canary(
    registry: "RegistryTable",
    function: "ServingFunction",
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
    function: "ServingFunction",
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
    before = send(
        registry,
        function,
        model,
        Route(version=number, function_version=published),
        mover=Mover(execution, execution),
        why=why,
        details={"step": "promote"},
    )
    _name_candidate(registry, model, None, execution, f"version {number} is live")
    moved = {"version": number, "from": before.version, "function_version": published}
    events.publish("ModelPromoted", {"model": model, **moved})
    registry.free_lock(model, holder=execution)
    return moved


def abandon_candidate(
    registry: "RegistryTable",
    function: "ServingFunction",
    events: "EventBus",
    model: str,
    live: Route | None,
    number: int | None,
    execution: str,
    reason: dict[str, str],
) -> dict[str, Any]:
    """Put all traffic back on `live`, take the candidate away, say why, and free the lock.

    `live` is what was live when the release began, None where that is not known: then it is what
    the registry says without its canary. Whoever does not have the lock moves nothing: it never
    had it, or a rollback took it over, which puts traffic where it belongs.
    Returns {"version", "reason", "traffic"}, where `traffic` is "restored" or "untouched".
    """
    lock = registry.lock(model)
    ours = lock is not None and lock.holder == execution
    why = f"{reason['code']}: {reason['message']}"[:_WHY_LENGTH]
    traffic = "untouched"
    if ours:
        now = registry.route(model)
        kept = live or Route(version=now.version, function_version=now.function_version)
        if kept.version is not None and now != kept:
            mover = Mover(execution, execution)
            send(registry, function, model, kept, mover=mover, why=why, details={"back": True})
            traffic = "restored"
        follow(registry, function, model, by=execution)
        function.point(CANDIDATE, function.routing(LIVE).function_version)
        _name_candidate(registry, model, None, execution, why)
    registry.record_step(
        model,
        step="end",
        outcome="refused" if reason["code"] == "release_busy" else "abandoned",
        version=number,
        by=execution,
        why=why,
        details={"traffic": traffic, "reason": reason},
    )
    failed = "RollbackFailed" if lock and ours and lock.kind == ROLLBACK else "PromotionFailed"
    events.publish(failed, {"model": model, "version": number, "reason": reason})
    if ours:
        forget_approval(registry, model, execution)
        registry.free_lock(model, holder=execution)
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
    registry: "RegistryTable", model: str, to: int | None, by: str, why: str
) -> None:
    """Move the registry's candidate from wherever it is. Done already is done."""
    now = registry.alias(model, CANDIDATE)
    if now != to:
        registry.move_alias(model, CANDIDATE, to=to, expected=now, by=by, why=why)
