from typing import Any

import pytest

from boringml.registry.records import Route
from boringml.release.code_change import releases_of_new_code
from boringml.release.road import publish_version
from tests.unit.release.conftest import World
from tests.unit.release.test_road import abandoned, live, opened, promoted  # noqa: F401
from tests.unit.release.test_rollback import back


def wanted(world: World) -> dict[str, str]:
    functions: Any = {"credit": world.function}
    return releases_of_new_code(world.registry, functions, world.executions)  # type: ignore[arg-type]


@pytest.fixture
def deployed(world: World, live: Route) -> World:  # noqa: F811
    """Version 1 is live, and other code than its own was deployed."""
    world.function.versions["$LATEST"] = "new code"
    return world


def test_new_code_is_released_and_asked_for_under_one_name(deployed: World) -> None:
    named = wanted(deployed)
    assert list(named) == ["credit"]
    assert len(named["credit"]) <= 80  # Step Functions' limit of an execution's name.
    assert wanted(deployed) == named


def test_code_that_is_live_is_not_released(world: World, live: Route) -> None:  # noqa: F811
    assert wanted(world) == {}


def test_a_model_without_a_release_takes_its_code_from_the_first_one(world: World) -> None:
    world.function.versions["$LATEST"] = "new code"
    assert wanted(world) == {}


def test_code_that_failed_with_the_version_that_is_live_is_not_tried_again(
    deployed: World,
    live: Route,  # noqa: F811
) -> None:
    tried(deployed, None)
    abandoned(deployed, live)
    assert wanted(deployed) == {}
    deployed.function.versions["$LATEST"] = "mended code"
    assert list(wanted(deployed)) == ["credit"]


def test_code_that_failed_with_another_version_only_is_tried_with_the_one_that_is_live(
    deployed: World,
    live: Route,  # noqa: F811
) -> None:
    tried(deployed, 2)
    abandoned(deployed, live)
    assert list(wanted(deployed)) == ["credit"]


def test_code_that_was_live_and_was_rolled_back_is_left_to_a_person(
    deployed: World, clock: Any
) -> None:
    opened(deployed, 2)
    promoted(deployed, 2)
    assert back(deployed, clock)["version"] == 1
    assert wanted(deployed) == {}


def test_a_deployment_that_takes_code_back_is_released_as_new_code_is(
    deployed: World,
) -> None:
    before = deployed.function.versions["1"]
    promoted(deployed, opened(deployed, None)["version"])
    assert wanted(deployed) == {}
    deployed.function.versions["$LATEST"] = before
    assert list(wanted(deployed)) == ["credit"]


def test_while_a_release_is_under_way_its_end_is_waited_for(
    deployed: World,
    live: Route,  # noqa: F811
) -> None:
    opened(deployed, 2)
    deployed.executions.active.add("release-1")
    assert wanted(deployed) == {}
    deployed.executions.active.clear()
    assert list(wanted(deployed)) == ["credit"]


def test_a_release_that_was_refused_before_it_began_is_asked_for_again(deployed: World) -> None:
    before = wanted(deployed)["credit"]
    deployed.registry.record_step(
        "credit", step="end", outcome="refused", version=None, by="release-2", why="release_busy"
    )
    assert wanted(deployed)["credit"] != before


def tried(world: World, number: int | None) -> None:
    version = opened(world, number)["version"]
    function: Any = world.function
    publish_version(world.registry, function, "credit", version, "release-1")
