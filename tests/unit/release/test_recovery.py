from typing import Any

import pytest

from boringml.errors import BoringError
from boringml.registry.history import served_at
from boringml.registry.records import Route
from boringml.release.recovery import recover_releases
from boringml.release.traffic import Mover, send
from tests.unit.release.conftest import Function, World
from tests.unit.release.test_road import canary, live, opened, promoted  # noqa: F401


def recover(world: World, ended: str | None = None, **functions: Any) -> list[str]:
    return recover_releases(
        world.registry,
        functions or {"credit": world.function},  # type: ignore[arg-type]
        world.executions,  # type: ignore[arg-type]
        world.events,  # type: ignore[arg-type]
        ended,
    )


def is_as_before(world: World, live: Route) -> bool:  # noqa: F811
    alias = world.function.aliases["live"]
    return (
        world.registry.route("credit") == live
        and (alias.function_version, alias.weights) == (live.function_version, {})
        and world.registry.lock("credit") is None
    )


@pytest.mark.parametrize(
    ("ended", "running", "recovered"),
    [("release-1", True, True), (None, False, True), (None, True, False), ("other", True, False)],
)
def test_what_died_is_cleared_up_by_its_event_or_by_the_sweep(
    world: World,
    live: Route,  # noqa: F811
    ended: str | None,
    running: bool,
    recovered: bool,
) -> None:
    opened(world, 2)
    canary(world, live, 2)
    if running:
        world.executions.active.add("release-1")
    assert recover(world, ended) == (["credit"] if recovered else [])
    assert is_as_before(world, live) is recovered


def test_a_step_that_runs_on_after_its_release_was_recovered_moves_nothing(
    world: World,
    live: Route,  # noqa: F811
) -> None:
    opened(world, 2)
    refused = []

    def publish(name: str, detail: dict[str, Any]) -> None:
        # Traffic is back, and the lock is not free yet.
        with pytest.raises(BoringError) as lost:
            canary(world, live, 2)
        refused.append((name, lost.value.code))

    world.events.publish = publish  # type: ignore[method-assign]
    assert recover(world, "release-1") == ["credit"]
    assert refused == [("PromotionFailed", "release_lock_lost")]
    assert is_as_before(world, live)


def test_a_promotion_that_was_decided_is_completed_and_told_as_one(
    world: World,
    live: Route,  # noqa: F811
) -> None:
    opened(world, 2)
    world.registry.move_alias("credit", "candidate", to=2, expected=None, by="x", why="x")
    world.registry.send_traffic(
        "credit",
        Route(version=2, function_version="9"),
        expected=live,
        holder="release-1",
        by="release-1",
        why="good",
        details={"step": "promote"},
    )
    assert recover(world, "release-1") == ["credit"]
    moved = {"model": "credit", "version": 2, "from": 1, "function_version": "9"}
    assert world.events == [("ModelPromoted", moved)]
    assert world.function.aliases["live"].function_version == "9"
    assert world.registry.alias("credit", "candidate") is None
    assert world.registry.lock("credit") is None


def test_nothing_is_said_of_a_release_that_ends_well_while_the_sweep_looks(
    world: World,
    live: Route,  # noqa: F811
) -> None:
    opened(world, 2)

    def ends(_execution: str) -> bool:
        promoted(world, 2)
        world.events.clear()
        return False

    world.executions.running = ends  # type: ignore[method-assign]
    assert recover(world) == []
    assert world.events == []


def test_a_recovery_that_died_is_finished_by_the_next_one(
    world: World,
    live: Route,  # noqa: F811
) -> None:
    opened(world, 2)
    canary(world, live, 2)
    routing = world.function.routing
    world.function.routing = dies  # type: ignore[method-assign, assignment]
    with pytest.raises(RuntimeError):
        recover(world, "release-1")
    world.function.routing = routing  # type: ignore[method-assign]
    assert recover(world) == ["credit"]
    assert is_as_before(world, live)
    assert {e.by for e in world.registry.history("credit")[-3:]} == {"release-1"}


def dies(*_given: Any, **_named: Any) -> None:
    raise RuntimeError("killed")


def test_the_sweep_takes_a_canary_off_that_no_release_stands_behind(
    world: World,
    live: Route,  # noqa: F811
) -> None:
    opened(world, 2)
    canary(world, live, 2)
    world.registry.free_lock("credit", holder="release-1")
    assert recover(world) == ["credit"]
    assert is_as_before(world, live)
    assert [name for name, _ in world.events] == ["PromotionFailed"]


def test_the_sweep_puts_an_alias_back_that_others_moved(
    world: World,
    live: Route,  # noqa: F811
) -> None:
    world.function.point("live", "1")
    assert live.function_version != "1"
    assert recover(world) == []
    assert is_as_before(world, live)
    assert world.events == []


def test_a_move_whose_mover_died_before_it_could_say_so_is_said_by_the_sweep(
    world: World,
    live: Route,  # noqa: F811
    clock: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened(world, 2)
    with monkeypatch.context() as patch:
        patch.setattr(world.registry, "record_applied", dies)
        to = Route(version=2, function_version="9")
        with pytest.raises(RuntimeError):
            send(
                world.registry,
                world.function,  # type: ignore[arg-type]
                "credit",
                to,
                mover=Mover("release-1", "release-1"),
                why="good",
            )
    world.registry.free_lock("credit", holder="release-1")
    recover(world)
    served = served_at(world.registry.history("credit"), clock.move(days=1))
    assert (served.shares, served.moving_to) == ({2: 1.0}, None)


def test_a_model_that_cannot_be_recovered_does_not_keep_the_others_waiting(
    world: World,
    live: Route,  # noqa: F811
) -> None:
    opened(world, 2)
    canary(world, live, 2)
    broken = Function()
    broken.routing = dies  # type: ignore[method-assign, assignment]
    world.registry.take_lock("churn", holder="release-9", kind="release", version=1)
    with pytest.raises(RuntimeError, match="killed"):
        recover(world, churn=broken, credit=world.function)
    assert is_as_before(world, live)
