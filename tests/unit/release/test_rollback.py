from datetime import timedelta
from typing import Any

import pytest

from boringml.errors import BoringError
from boringml.package import layout
from boringml.registry.records import Route
from boringml.release.rollback import roll_back
from tests.unit.release.conftest import World
from tests.unit.release.test_road import canary, opened, promoted


def back(world: World, clock: Any, **given: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "model": "credit",
        "to": None,
        "seen": None,
        "by": "person",
        "why": "complaints",
        "execution": "rollback-1",
        "now": clock.now,
        "bake_seconds": 60,
        **given,
    }
    return roll_back(
        world.registry,
        world.packages,  # type: ignore[arg-type]
        world.function,  # type: ignore[arg-type]
        world.executions,  # type: ignore[arg-type]
        world.events,  # type: ignore[arg-type]
        **asked,
    )


@pytest.fixture
def routes(world: World) -> list[Route]:
    """Versions 1, 2 and 3 went live in turn; 4 is registered."""
    found = []
    for _ in range(3):
        opened(world, world.version())
        promoted(world, len(found) + 1)
        found.append(world.registry.route("credit"))
    world.version()
    world.events.clear()
    return found


def refused(world: World, clock: Any, **given: Any) -> str:
    before = (world.registry.route("credit"), world.function.aliases["live"])
    with pytest.raises(BoringError) as refusal:
        back(world, clock, **given)
    assert (world.registry.route("credit"), world.function.aliases["live"]) == before
    return refusal.value.code


def with_new_code(world: World) -> Route:
    """Release new code of the version that is live, and return where live sends requests then."""
    world.function.versions["$LATEST"] = "new code"
    promoted(world, opened(world, None)["version"])
    return world.registry.route("credit")


def test_back_twice_is_two_versions_back_and_then_there_is_none(
    world: World, clock: Any, routes: list[Route]
) -> None:
    assert back(world, clock, seen=routes[2].function_version)["version"] == 2
    assert world.registry.route("credit") == routes[1]
    assert world.function.aliases["live"].function_version == routes[1].function_version
    assert world.registry.lock("credit") is None
    assert back(world, clock, execution="rollback-2")["version"] == 1
    assert refused(world, clock, execution="rollback-3") == "nothing_to_roll_back_to"
    with pytest.raises(BoringError, match="version 2 was live since, and --to 2 puts it back"):
        back(world, clock, execution="rollback-4")
    assert back(world, clock, execution="rollback-5", to=2)["version"] == 2
    world.events.pop()
    assert [name for name, _ in world.events] == ["ModelRolledBack", "ModelRolledBack"]


def test_who_saw_another_version_live_does_not_go_back_a_second_time(
    world: World, clock: Any, routes: list[Route]
) -> None:
    seen = routes[2].function_version
    back(world, clock, seen=seen)
    assert refused(world, clock, seen=seen, execution="rollback-2") == "live_changed"


def test_who_saw_other_code_of_the_same_version_does_not_go_back_a_second_time(
    world: World, clock: Any, routes: list[Route]
) -> None:
    new_code = with_new_code(world)
    assert back(world, clock, seen=new_code.function_version)["version"] == 3
    assert world.registry.route("credit") == routes[2]
    again = {"seen": new_code.function_version, "execution": "rollback-2"}
    assert refused(world, clock, **again) == "live_changed"


def test_a_retry_of_the_same_execution_goes_back_once(
    world: World, clock: Any, routes: list[Route]
) -> None:
    for _ in range(2):
        assert back(world, clock, seen=routes[2].function_version)["version"] == 2


def test_a_named_version_comes_back_as_it_was_live_last(
    world: World, clock: Any, routes: list[Route]
) -> None:
    assert back(world, clock, to=1)["function_version"] == routes[0].function_version
    assert refused(world, clock, to=4, execution="rollback-2") == "version_never_live"


def test_the_version_that_is_live_comes_back_with_the_code_that_it_had_before(
    world: World, clock: Any, routes: list[Route]
) -> None:
    with_new_code(world)
    assert back(world, clock, to=3)["function_version"] == routes[2].function_version


def test_to_the_version_that_is_live_moves_nothing_where_it_never_had_other_code(
    world: World, clock: Any, routes: list[Route]
) -> None:
    assert refused(world, clock, to=3) == "version_is_live"


@pytest.mark.parametrize("to", [None, 3])
def test_during_a_canary_it_is_taken_off_and_its_release_is_stopped(
    world: World, clock: Any, routes: list[Route], to: int | None
) -> None:
    opened(world, 4)
    world.executions.active.add("release-1")
    canary(world, routes[2], 4)
    found = back(world, clock, to=to)
    assert (found["version"], found["canary_ended"]) == (3, True)
    assert world.registry.route("credit") == routes[2]
    assert world.executions.stopped == ["release-1"]
    with pytest.raises(BoringError, match="may no longer move traffic"):
        canary(world, routes[2], 4)


def test_another_rollback_that_runs_is_not_interrupted(
    world: World, clock: Any, routes: list[Route]
) -> None:
    world.registry.take_lock("credit", holder="rollback-9", kind="rollback", version=None)
    world.executions.active.add("rollback-9")
    assert refused(world, clock) == "release_busy"


def test_what_cannot_start_is_not_gone_back_to(
    world: World, clock: Any, routes: list[Route]
) -> None:
    uri = world.registry.version("credit", 2).package_uri
    manifest = world.packages.files.pop(uri + layout.MANIFEST)
    assert refused(world, clock) == "object_missing"
    world.packages.files[uri + layout.MANIFEST] = manifest
    del world.function.versions[str(routes[1].function_version)]
    assert refused(world, clock) == "function_version_gone"


def test_a_canary_is_taken_off_although_the_package_of_live_is_gone(
    world: World, clock: Any, routes: list[Route]
) -> None:
    opened(world, 4)
    canary(world, routes[2], 4)
    world.packages.files.clear()
    assert back(world, clock)["version"] == 3


def test_where_nothing_else_was_live_a_release_is_what_helps(world: World, clock: Any) -> None:
    opened(world, world.version())
    promoted(world, 1)
    with pytest.raises(BoringError, match=r"before version 1: release another version\.$"):
        back(world, clock)


def test_nothing_live_has_no_way_back(world: World, clock: Any) -> None:
    world.version()
    assert refused(world, clock) == "nothing_live"


def test_an_alarm_takes_a_promotion_back_only_while_it_bakes(
    world: World, clock: Any, routes: list[Route]
) -> None:
    late = clock.now + timedelta(seconds=61)
    ignored = back(world, clock, by="alarm", now=late)
    assert "ignored" in ignored
    assert world.registry.route("credit") == routes[2]
    assert back(world, clock, by="alarm", now=clock.now)["version"] == 2


@pytest.mark.parametrize("first", ["alarm", "person"])
def test_an_alarm_after_a_rollback_within_the_bake_time_goes_back_no_further(
    world: World, clock: Any, routes: list[Route], first: str
) -> None:
    assert back(world, clock, by=first)["version"] == 2
    later = clock.now + timedelta(seconds=20)
    assert "ignored" in back(world, clock, by="alarm", execution="rollback-2", now=later)
    assert world.registry.route("credit") == routes[1]


def test_an_alarm_takes_a_canary_off_at_any_time(
    world: World, clock: Any, routes: list[Route]
) -> None:
    opened(world, 4)
    canary(world, routes[2], 4)
    late = clock.now + timedelta(days=1)
    assert back(world, clock, by="alarm", now=late)["version"] == 3
