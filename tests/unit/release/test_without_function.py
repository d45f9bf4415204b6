"""A model that only batches ask: the registry alone moves, by the same rules as every other."""

from typing import Any

import pytest

from boringml.adapters.followers import NoFunction
from boringml.adapters.serving_function import ServingFunction
from boringml.errors import BoringError
from boringml.registry.history import served_at
from boringml.registry.records import APPLIED, Route
from boringml.release.batch_shadow import pass_uncompared
from boringml.release.recovery import recover_releases
from boringml.release.road import prove_candidate
from boringml.release.serving_functions import parse
from boringml.release.traffic import follow
from tests.unit.release.conftest import CONTRACT, World
from tests.unit.release.test_road import abandoned, opened, promote
from tests.unit.release.test_rollback import back


@pytest.fixture
def batches(world: World) -> World:
    """Version 1 is live, version 2 is registered, and there is no function."""
    world.function = NoFunction()  # type: ignore[assignment]
    release(world, world.version(), "release-0")
    world.version()
    world.events.clear()
    return world


def prove(world: World, number: int, execution: str = "release-1") -> dict[str, Any]:
    return prove_candidate(
        world.registry, "credit", number, execution, lambda _version: {"examples": 3}
    )


def release(world: World, number: int, execution: str = "release-1") -> dict[str, Any]:
    found = opened(world, number, execution)
    prove(world, number, execution)
    promote(world, number, None, execution)  # type: ignore[arg-type]
    return found


def test_a_first_release_meets_nothing_and_later_ones_a_version_without_code(world: World) -> None:
    world.function = NoFunction()  # type: ignore[assignment]
    first = release(world, world.version())
    assert (first["first"], first["live_function_version"]) == (True, None)
    second = release(world, world.version(), "release-2")
    assert (second["live_version"], second["live_function_version"]) == (1, None)


def test_a_promotion_moves_the_registry_frees_the_lock_and_is_told(batches: World) -> None:
    release(batches, 2)
    assert batches.registry.route("credit") == Route(version=2)
    assert batches.registry.lock("credit") is None
    assert batches.registry.alias("credit", "candidate") is None
    moved = {"model": "credit", "version": 2, "from": 1, "function_version": None}
    assert batches.events == [("ModelPromoted", moved)]
    history = batches.registry.history("credit")
    assert not any(event.kind == APPLIED for event in history)
    assert served_at(history, history[-1].at).shares == {2: 1.0}


def test_an_abandoned_candidate_leaves_live_the_lock_and_no_candidate(batches: World) -> None:
    opened(batches, 2)
    prove(batches, 2)
    assert batches.registry.alias("credit", "candidate") == 2
    assert abandoned(batches, Route(version=1))["traffic"] == "untouched"
    assert batches.registry.route("credit") == Route(version=1)
    assert batches.registry.lock("credit") is None
    assert batches.registry.alias("credit", "candidate") is None


@pytest.mark.parametrize("proved_before", [False, True])
def test_who_lost_the_lock_proves_nothing(batches: World, proved_before: bool) -> None:
    opened(batches, 2)
    if proved_before:
        prove(batches, 2)
    opened(batches, 2, "release-2")
    known = batches.registry.history("credit")
    with pytest.raises(BoringError, match="may no longer move traffic"):
        prove(batches, 2)
    assert batches.registry.history("credit") == known


def test_a_version_that_nothing_could_be_compared_for_passes_and_the_history_says_so(
    batches: World,
) -> None:
    found = pass_uncompared(batches.registry, "credit", 2, "release-1")
    assert (found["decision"], found["report"]) == ("pass", None)
    (last,) = batches.registry.history("credit", limit=1)
    assert (last.details["step"], last.details["outcome"]) == ("shadow", "not_compared")
    assert "no batch of credit was scored yet" in last.why


def test_a_contract_that_breaks_files_is_refused(batches: World) -> None:
    properties: Any = CONTRACT["request"]["properties"]  # type: ignore[index]
    request = {
        **CONTRACT["request"],  # type: ignore[dict-item]
        "required": ["income", "age"],
        "properties": {**properties, "age": {"type": "integer"}},
    }
    number = batches.version({**CONTRACT, "version": "1.1.0", "request": request})
    with pytest.raises(BoringError) as refusal:
        opened(batches, number)
    assert refusal.value.code == "contract_incompatible"


def test_a_rollback_goes_back_and_who_saw_the_other_version_not_twice(
    batches: World, clock: Any
) -> None:
    release(batches, 2)
    seen = batches.registry.route("credit").identity
    assert seen == "model version 2"
    assert back(batches, clock, seen=seen)["version"] == 1
    assert batches.registry.route("credit") == Route(version=1)
    with pytest.raises(BoringError) as refusal:
        back(batches, clock, seen=seen, execution="rollback-2")
    assert refusal.value.code == "live_changed"


def test_a_package_that_is_gone_is_not_gone_back_to(batches: World, clock: Any) -> None:
    release(batches, 2)
    batches.packages.files.clear()
    with pytest.raises(BoringError) as refusal:
        back(batches, clock)
    assert refusal.value.code == "object_missing"
    assert batches.registry.route("credit") == Route(version=2)


def recover(world: World) -> list[str]:
    functions = {"credit": world.function}
    return recover_releases(
        world.registry,
        functions,
        world.executions,  # type: ignore[arg-type]
        world.events,  # type: ignore[arg-type]
        None,
    )


def test_what_died_is_cleared_up_and_what_is_well_is_left_alone(batches: World) -> None:
    opened(batches, 2)
    prove(batches, 2)
    assert recover(batches) == ["credit"]
    assert batches.registry.lock("credit") is None
    assert batches.registry.alias("credit", "candidate") is None
    assert batches.registry.route("credit") == Route(version=1)
    assert recover(batches) == []


def test_a_model_that_gave_up_its_function_is_followed_by_nothing(batches: World) -> None:
    batches.registry.take_lock("credit", holder="x", kind="release", version=2)
    with_code = Route(version=2, function_version="9")
    batches.registry.send_traffic(
        "credit", with_code, expected=Route(version=1), holder="x", by="x", why="it had one"
    )
    assert follow(batches.registry, NoFunction(), "credit", by="x") == with_code


def test_a_served_model_without_its_function_version_is_not_gone_back_to() -> None:
    with pytest.raises(BoringError) as refusal:
        ServingFunction(None, "credit-predict").require(None)  # type: ignore[arg-type]
    assert refusal.value.code == "function_version_gone"


def test_the_setting_tells_which_models_have_no_function() -> None:
    assert parse('{"credit": "f", "churn": null}') == {"credit": "f", "churn": None}
