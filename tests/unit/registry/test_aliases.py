from datetime import timedelta
from typing import Any

import pytest

from boringml.adapters.registry_table import RegistryTable
from boringml.errors import BoringError
from boringml.registry.records import HistoryEvent
from tests.unit.registry.samples import package


@pytest.fixture
def versions(registry: RegistryTable) -> list[int]:
    return [registry.register_version(package(n), by="t", why="x").number for n in range(3)]


def move(
    registry: RegistryTable, to: int | None, expected: int | None, alias: str = "live"
) -> HistoryEvent:
    return registry.move_alias("credit", alias, to=to, expected=expected, by="release", why="good")


@pytest.mark.usefixtures("versions")
def test_an_alias_moves_from_the_expected_version(registry: RegistryTable, clock: Any) -> None:
    assert registry.alias("credit", "live") is None
    move(registry, 1, None)
    clock.move(minutes=1)
    event = move(registry, 3, 1)
    assert registry.alias("credit", "live") == 3
    assert registry.alias("credit", "candidate") is None
    assert event == registry.history("credit")[-1]
    assert (event.kind, event.alias, event.sequence) == ("alias_moved", "live", 5)
    assert (event.from_version, event.to_version) == (1, 3)
    assert (event.by, event.why, event.at) == ("release", "good", clock.now)


@pytest.mark.usefixtures("versions")
@pytest.mark.parametrize("expected", [None, 2, 3])
def test_an_alias_that_moved_meanwhile_stays_and_says_who_moved_it(
    registry: RegistryTable, pauses: list[float], clock: Any, expected: int | None
) -> None:
    at = clock.move(hours=1)
    move(registry, 1, None)
    with pytest.raises(BoringError, match=f"live of credit is at 1, not at {expected}") as refusal:
        move(registry, 2 if expected != 2 else 3, expected)
    assert (refusal.value.code, refusal.value.status) == ("alias_moved", 409)
    assert refusal.value.details == {
        "current": 1,
        "moved_by": "release",
        "moved_at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
    assert registry.alias("credit", "live") == 1
    assert len(registry.history("credit")) == 4
    assert pauses == []


@pytest.mark.usefixtures("versions")
def test_an_alias_that_was_never_set_is_not_at_a_version(registry: RegistryTable) -> None:
    with pytest.raises(BoringError, match="is at None, not at 1") as refusal:
        move(registry, 2, 1)
    assert refusal.value.details == {"current": None, "moved_by": None, "moved_at": None}


@pytest.mark.usefixtures("versions")
def test_an_alias_can_be_taken_off_and_put_on_again(registry: RegistryTable) -> None:
    move(registry, 2, None, "candidate")
    taken_off = move(registry, None, 2, "candidate")
    assert registry.alias("credit", "candidate") is None
    assert (taken_off.from_version, taken_off.to_version) == (2, None)
    assert move(registry, None, None, "candidate") == taken_off
    move(registry, 3, None, "candidate")
    assert registry.alias("credit", "candidate") == 3


@pytest.mark.usefixtures("versions")
def test_moving_an_alias_to_where_it_is_writes_nothing(registry: RegistryTable) -> None:
    moved = move(registry, 1, None)
    assert move(registry, 1, 1) == moved
    assert registry.history("credit")[-1] == moved
    with pytest.raises(BoringError) as refusal:
        move(registry, 2, 2)
    assert refusal.value.code == "alias_moved"


def test_an_alias_that_was_never_set_has_no_move_to_return(registry: RegistryTable) -> None:
    with pytest.raises(BoringError) as refusal:
        move(registry, None, None)
    assert refusal.value.code == "alias_never_set"


@pytest.mark.usefixtures("versions")
def test_an_alias_never_points_at_a_version_that_is_not_there(
    registry: RegistryTable, pauses: list[float]
) -> None:
    with pytest.raises(BoringError) as refusal:
        move(registry, 4, None)
    assert refusal.value.code == "version_not_found"
    assert registry.alias("credit", "live") is None
    assert len(registry.history("credit")) == 3
    assert pauses == []


def test_a_move_of_an_unknown_model_leaves_no_trace(registry: RegistryTable) -> None:
    with pytest.raises(BoringError) as refusal:
        registry.move_alias("typo", "live", to=1, expected=None, by="a", why="b")
    assert refusal.value.code == "version_not_found"
    assert registry.models() == []


def test_there_are_two_aliases_and_no_other(registry: RegistryTable) -> None:
    for ask in (lambda: registry.alias("credit", "stable"), lambda: move(registry, 1, None, "old")):
        with pytest.raises(BoringError) as refusal:
            ask()
        assert refusal.value.code == "alias_unknown"


@pytest.mark.usefixtures("versions")
def test_time_grows_with_every_event_though_a_clock_runs_behind(
    registry: RegistryTable, clock: Any
) -> None:
    first = move(registry, 1, None)
    clock.move(hours=-3)
    second = move(registry, 2, 1)
    assert second.at - first.at == timedelta(microseconds=1)
    assert registry.live_at("credit", first.at) == 1
    assert registry.live_at("credit", second.at) == 2


@pytest.mark.usefixtures("versions")
def test_what_was_live_then_is_read_from_the_history(registry: RegistryTable, clock: Any) -> None:
    before = clock.move(hours=1)
    clock.move(hours=1)
    move(registry, 1, None)
    move(registry, 3, None, "candidate")
    noon = clock.move(hours=1)
    clock.move(hours=1)
    move(registry, 2, 1)
    assert registry.live_at("credit", before) is None
    assert registry.live_at("credit", noon) == 1
    assert registry.live_at("credit", clock.move(days=900)) == 2
    assert registry.live_at("nobody", noon) is None


@pytest.mark.usefixtures("versions")
def test_a_history_longer_than_a_page_is_read_to_its_end(
    registry: RegistryTable, dynamodb: Any
) -> None:
    live = None
    for to in (1, 2, 3, 1, 2, 3):
        move(registry, to, live)
        live = to
    pages = []

    def two_items_a_page(params: dict[str, Any], **_: Any) -> None:
        pages.append(params)
        params["Limit"] = 2

    dynamodb.meta.events.register("provide-client-params.dynamodb.Query", two_items_a_page)
    assert [e.sequence for e in registry.history("credit")] == list(range(1, 10))
    assert [v.number for v in registry.versions("credit")] == [1, 2, 3]
    assert [e.sequence for e in registry.history("credit", limit=3)] == [7, 8, 9]
    assert registry.history("credit", limit=0) == []
    assert len(pages) > 6
