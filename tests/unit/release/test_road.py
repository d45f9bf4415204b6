from typing import Any

import pytest

from boringml.errors import BoringError
from boringml.registry.records import Canary, Route
from boringml.release.opening import open_release
from boringml.release.road import (
    abandon_candidate,
    promote_version,
    publish_version,
    start_canary,
)
from boringml.release.traffic import Mover
from tests.unit.release.conftest import CONTRACT, World

REASON = {"code": "canary_harm", "message": "failures: 9 of 10"}


def opened(world: World, number: int | None, execution: str = "release-1") -> dict[str, Any]:
    """Open a release from an execution that is under way while it does so."""
    runs_on = execution in world.executions.active
    world.executions.active.add(execution)
    try:
        return open_from(world, number, execution)
    finally:
        if not runs_on:
            world.executions.active.discard(execution)


def open_from(world: World, number: int | None, execution: str) -> dict[str, Any]:
    return open_release(
        world.registry,
        world.packages,  # type: ignore[arg-type]
        world.function,  # type: ignore[arg-type]
        world.executions,  # type: ignore[arg-type]
        model="credit",
        number=number,
        execution=execution,
        why="good",
    )


def promoted(world: World, number: int, execution: str = "release-1") -> str:
    function: Any = world.function
    published = publish_version(world.registry, function, "credit", number, execution)
    version = str(published["function_version"])
    promote(world, number, version, execution)
    return version


def promote(world: World, number: int, version: str, execution: str = "release-1") -> None:
    promote_version(
        world.registry,
        world.function,  # type: ignore[arg-type]
        world.events,  # type: ignore[arg-type]
        "credit",
        number,
        execution,
        version,
        "good",
    )


def canary(world: World, live: Route, number: int, execution: str = "release-1") -> None:
    start_canary(
        world.registry,
        world.function,  # type: ignore[arg-type]
        "credit",
        Canary(version=number, function_version="9", weight=0.1),
        live,
        execution,
        "step 1 of 2",
    )


def abandoned(world: World, live: Route | None, execution: str = "release-1") -> dict[str, Any]:
    return abandon_candidate(
        world.registry,
        world.function,  # type: ignore[arg-type]
        world.events,  # type: ignore[arg-type]
        "credit",
        live,
        2,
        Mover(execution, execution),
        REASON,
    )


@pytest.fixture
def live(world: World) -> Route:
    """Version 1 is live, and version 2 is registered."""
    opened(world, world.version(), "release-0")
    promoted(world, 1, "release-0")
    world.version()
    world.events.clear()
    return world.registry.route("credit")


def test_a_first_version_meets_nothing_that_is_live(world: World) -> None:
    found = opened(world, world.version())
    assert (found["first"], found["live_version"]) == (True, None)
    assert found["live_function_version"] == "1"


def test_a_promotion_frees_the_lock_and_may_be_asked_again(world: World, live: Route) -> None:
    opened(world, 2)
    version = promoted(world, 2)
    assert world.registry.route("credit") == Route(version=2, function_version=version)
    assert world.registry.lock("credit") is None
    assert world.registry.alias("credit", "candidate") is None
    moved = {"model": "credit", "version": 2, "from": 1, "function_version": version}
    assert world.events == [("ModelPromoted", moved)]
    promote(world, 2, version)
    assert world.events == [("ModelPromoted", moved), ("ModelPromoted", moved)]


def test_a_second_release_is_refused_with_who_holds_the_lock(world: World, live: Route) -> None:
    world.executions.active.add("release-1")
    opened(world, 2)
    with pytest.raises(BoringError, match="A release of credit is under way") as busy:
        opened(world, 2, "release-2")
    assert (busy.value.code, busy.value.status) == ("release_busy", 409)
    assert busy.value.details == {"holder": "release-1"}
    assert opened(world, 2)["version"] == 2  # The holder itself may ask again.


def test_who_lost_the_lock_publishes_nothing_and_names_no_candidate(
    world: World, live: Route
) -> None:
    opened(world, 2)
    opened(world, 2, "release-2")
    before = (dict(world.function.versions), dict(world.function.aliases))
    with pytest.raises(BoringError, match="may no longer move traffic") as lost:
        promoted(world, 2)
    assert lost.value.code == "release_lock_lost"
    with pytest.raises(BoringError, match="may no longer move traffic"):
        world.registry.move_alias(
            "credit", "candidate", to=2, expected=None, by="me", why="x", holder="release-1"
        )
    assert (world.function.versions, world.function.aliases) == before
    assert world.registry.alias("credit", "candidate") is None


def test_the_lock_of_a_dead_release_is_taken_over_and_its_canary_taken_off(
    world: World, live: Route
) -> None:
    opened(world, 2)
    canary(world, live, 2)
    found = opened(world, 2, "release-2")
    assert found["live_version"] == 1
    assert world.registry.route("credit") == live
    assert world.function.aliases["live"].weights == {}
    assert world.registry.lock("credit").holder == "release-2"  # type: ignore[union-attr]


def test_a_release_that_was_stopped_while_it_took_its_lock_leaves_none(
    world: World, live: Route
) -> None:
    with pytest.raises(BoringError) as refusal:
        open_from(world, 2, "release-1")
    assert (refusal.value.code, refusal.value.status) == ("execution_ended", 410)
    assert world.registry.lock("credit") is None
    last = world.registry.history("credit", limit=1)[0]
    assert (last.by, last.details["step"]) == ("release-1", "end")


def test_new_code_is_released_with_the_version_that_is_live(world: World, live: Route) -> None:
    found = opened(world, None)
    assert (found["version"], found["code"], found["first"]) == (1, True, False)


def test_a_release_of_the_version_that_is_live_is_one_of_its_code(
    world: World, live: Route
) -> None:
    assert opened(world, 1)["code"] is True
    assert opened(world, 2)["code"] is False


def test_new_code_without_a_live_version_is_refused(world: World) -> None:
    with pytest.raises(BoringError) as refusal:
        opened(world, None)
    assert refusal.value.code == "nothing_live"


def test_a_contract_that_breaks_clients_is_refused(world: World, live: Route) -> None:
    request = {**CONTRACT["request"], "required": ["income", "age"]}  # type: ignore[dict-item]
    request["properties"] = {**request["properties"], "age": {"type": "integer"}}  # type: ignore[dict-item]
    number = world.version({**CONTRACT, "version": "1.1.0", "request": request})
    with pytest.raises(BoringError, match="age") as refusal:
        opened(world, number)
    assert refusal.value.code == "contract_incompatible"


def test_abandoning_takes_the_canary_off_and_frees_the_lock(world: World, live: Route) -> None:
    opened(world, 2)
    canary(world, live, 2)
    for _ in range(2):
        abandoned(world, live)
    assert world.registry.route("credit") == live
    assert world.function.aliases["live"].weights == {}
    assert world.registry.lock("credit") is None
    assert world.events[0] == (
        "PromotionFailed",
        {"model": "credit", "version": 2, "reason": REASON},
    )


def test_a_half_done_promotion_is_taken_back(world: World, live: Route) -> None:
    opened(world, 2)
    world.registry.send_traffic(
        "credit",
        Route(version=2, function_version="9"),
        expected=live,
        holder="release-1",
        by="release-1",
        why="good",
    )
    assert abandoned(world, live)["traffic"] == "restored"
    assert world.registry.route("credit") == live
    assert world.function.aliases["live"].function_version == live.function_version


def test_who_never_had_the_lock_moves_nothing(world: World, live: Route) -> None:
    world.executions.active.add("release-1")
    opened(world, 2)
    canary(world, live, 2)
    found = abandoned(world, live, "release-2")
    assert found["traffic"] == "untouched"
    assert world.registry.route("credit").canary is not None
    assert world.registry.lock("credit").holder == "release-1"  # type: ignore[union-attr]


def test_an_approval_that_nobody_needs_any_more_is_forgotten(world: World, live: Route) -> None:
    opened(world, 2)
    world.registry.ask_approval("credit", version=2, release="release-1", token="t", report=None)
    abandoned(world, live)
    assert world.registry.approval("credit") is None
