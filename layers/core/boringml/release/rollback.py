"""Back to what was live before, in one move: by a person, a judge, or an alarm."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from boringml.errors import BoringError
from boringml.package import layout
from boringml.package.reader import Package
from boringml.registry.history import previous_release
from boringml.registry.items import route_of
from boringml.registry.records import CANDIDATE, LIVE, MOVED, ROLLBACK, HistoryEvent, Route
from boringml.release.road import forget_approval
from boringml.release.traffic import Follower, Mover, follow, send, without_canary

if TYPE_CHECKING:
    from boringml.adapters.event_bus import EventBus
    from boringml.adapters.executions import Executions
    from boringml.adapters.object_store import ObjectStore
    from boringml.adapters.registry_table import RegistryTable

ALARM = "alarm"


def decide(history: list[HistoryEvent], now: Route, to: int | None) -> Route:
    """Return where a rollback sends live's requests.

    With a canary under way and no other version named, it takes the canary off: live stays. Else to
    what was live before the version that is live was released, or to the version `to`, as it was
    live last: with other code, where it is the version that is live. Raises BoringError
    `nothing_live`, `nothing_to_roll_back_to`, `version_is_live` or `version_never_live`, all with
    status 422: asking again changes nothing.
    """
    if now.version is None:
        raise BoringError("nothing_live", "Nothing is live: there is nothing to roll back.", 422)
    if now.canary is not None and to in (None, now.version):
        return without_canary(now)
    if to is not None:
        return _as_it_was_live(history, now, to)
    before = previous_release(history, now)
    if before is None:
        told = f"Nothing was live before version {now.version}: {_forward(history, now.version)}."
        raise BoringError("nothing_to_roll_back_to", told, 422)
    return before


def in_bake_time(history: list[HistoryEvent], now: datetime, bake_seconds: float) -> bool:
    """Return whether what is live was promoted, not brought back, less than `bake_seconds` ago."""
    last = next((event for event in reversed(history) if _moved_live(event)), None)
    return (
        last is not None
        and last.details.get("step") == "promote"
        and now - last.at <= timedelta(seconds=bake_seconds)
    )


def roll_back(
    registry: "RegistryTable",
    packages: "ObjectStore",
    function: Follower,
    executions: "Executions",
    events: "EventBus",
    *,
    model: str,
    to: int | None,
    seen: str | None,
    by: str,
    why: str,
    execution: str,
    now: datetime,
    bake_seconds: float,
) -> dict[str, Any]:
    """Send live's requests back; return {"version", "from", "function_version", "ignored"}.

    A release that is under way is stopped: its lock is taken over first, so that it moves nothing
    more. What an alarm asks for outside the bake time of a promotion, and without a canary, is
    ignored, for a person to judge: `ignored` says so. `seen` is `Route.identity` of what was
    live when it was asked for, which is one code with one model: where another one is live by now,
    somebody else came first, and a second step back is not what was meant.
    Raises what `decide` raises; `live_changed` (422) for `seen`; `package_missing` where the
    package to go back to is gone; `function_version_gone`; `release_busy` (409) while another
    rollback runs.
    """
    route = registry.route(model)
    history = registry.history(model)
    done = _done(history, execution)
    if done is None:
        if by == ALARM and route.canary is None and not in_bake_time(history, now, bake_seconds):
            return {"version": route.version, "ignored": "no canary, and no promotion bakes"}
        if seen is not None and route.identity != seen:
            told = (
                f"Version {route.version} is live, as {route.identity} and not {seen}: "
                "look again, then decide."
            )
            raise BoringError("live_changed", told, 422)
        target = decide(history, route, to)
        if target != without_canary(route):
            _check(registry, packages, function, model, target)
        _take_over(registry, executions, model, execution)
        # Until the lock was taken over, its holder could still move.
        if registry.route(model) != route:
            told = f"Live of {model} moved while the rollback began: try again."
            raise BoringError("live_moving", told, 409)
        mover = Mover(execution, by)
        send(registry, function, model, target, mover=mover, why=why, details=_marks(execution))
    else:
        target = done
        follow(registry, function, model, by=by)
    if registry.alias(model, CANDIDATE) is not None:
        named = registry.alias(model, CANDIDATE)
        registry.move_alias(
            model, CANDIDATE, to=None, expected=named, by=by, why=why, holder=execution
        )
    function.point(CANDIDATE, function.routing(LIVE).function_version)
    moved = {
        "version": target.version,
        "from": route.version,
        "function_version": target.function_version,
        "canary_ended": route.canary is not None,
    }
    events.publish("ModelRolledBack", {"model": model, "by": by, "why": why, **moved})
    registry.free_lock(model, holder=execution)
    return moved


def _marks(execution: str) -> dict[str, Any]:
    return {"back": True, "step": "rollback", "execution": execution}


def _done(history: list[HistoryEvent], execution: str) -> Route | None:
    """Return where this very execution sent traffic already: a retry must not go back twice."""
    for event in reversed(history):
        if event.alias == LIVE and event.details.get("execution") == execution:
            return route_of(event)
    return None


def _moved_live(event: HistoryEvent) -> bool:
    return event.kind == MOVED and event.alias == LIVE


def _as_it_was_live(history: list[HistoryEvent], now: Route, version: int) -> Route:
    moves = filter(_moved_live, reversed(history))
    found = [without_canary(route_of(event)) for event in moves if event.to_version == version]
    if not found:
        told = f"Version {version} was never live: release it instead."
        raise BoringError("version_never_live", told, 422)
    for route in found:
        if route != without_canary(now):
            return route
    told = f"Version {version} is live, and was never live with other code: name another version."
    raise BoringError("version_is_live", told, 422)


def _forward(history: list[HistoryEvent], version: int) -> str:
    """Return what helps where there is no way back: another version that was live, or a release."""
    moves = filter(_moved_live, reversed(history))
    other = next((m.to_version for m in moves if m.to_version not in (None, version)), None)
    if other is None:
        return "release another version"
    return f"version {other} was live since, and --to {other} puts it back; or release another one"


def _check(
    registry: "RegistryTable",
    packages: "ObjectStore",
    function: Follower,
    model: str,
    target: Route,
) -> None:
    """Prove that the version to go back to can start: its code and its package are there."""
    function.require(target.function_version)
    version = registry.version(model, target.version)  # type: ignore[arg-type]
    Package(packages.folder(version.package_uri), version.package_digest).read(layout.CONTRACT)


def _take_over(
    registry: "RegistryTable", executions: "Executions", model: str, execution: str
) -> None:
    held = registry.lock(model)
    over = held.holder if held and held.holder != execution else None
    if held and over and held.kind == ROLLBACK and executions.running(over):
        over = None
    registry.take_lock(model, holder=execution, kind=ROLLBACK, version=None, over=over)
    if over is not None:
        executions.stop(over, "RolledBack", f"The rollback {execution} took over.")
        forget_approval(registry, model, over)
