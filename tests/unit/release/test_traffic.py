from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boringml.errors import BoringError
from boringml.registry.history import previous_release, served_at
from boringml.registry.records import APPLIED, Canary, Decision, HistoryEvent, Route
from boringml.release.traffic import Mover, follow, send
from tests.unit.release.conftest import Function, World

ME = Mover("release-1", "release-1")


def move(world: World, to: Route, **details: Any) -> HistoryEvent:
    world.registry.take_lock("credit", holder="release-1", kind="release", version=to.version)
    return send(
        world.registry,
        world.function,  # type: ignore[arg-type]
        "credit",
        to,
        mover=ME,
        why="good",
        details=details,
    )


def test_a_move_is_decided_told_to_lambda_and_said_so(world: World) -> None:
    world.version()
    to = Route(version=1, function_version="7")
    assert move(world, to).from_version is None
    assert world.registry.route("credit") == to
    assert world.function.aliases["live"].function_version == "7"
    assert [e.kind for e in world.registry.history("credit")[1:]] == [
        "alias_moved",
        "traffic_applied",
    ]
    before = len(world.registry.history("credit"))
    move(world, to)
    assert len(world.registry.history("credit")) == before


def test_a_canary_is_a_split_and_its_end_another(world: World) -> None:
    world.version()
    world.version()
    move(world, Route(version=1, function_version="7"))
    canary = Canary(version=2, function_version="8", weight=0.1)
    move(world, Route(version=1, function_version="7", canary=canary))
    assert world.function.aliases["live"].weights == {"8": 0.1}
    assert world.registry.alias("credit", "live") == 1
    move(world, Route(version=1, function_version="7"))
    assert world.function.aliases["live"].weights == {}
    kinds = [e.kind for e in world.registry.history("credit") if e.kind != "traffic_applied"]
    assert kinds[-2:] == ["traffic_split", "traffic_split"]


def test_who_lost_the_lock_moves_nothing(world: World) -> None:
    world.version()
    world.registry.take_lock("credit", holder="release-1", kind="release", version=1)
    world.registry.take_lock(
        "credit", holder="rollback-1", kind="rollback", version=None, over="release-1"
    )
    with pytest.raises(BoringError, match="rollback rollback-1 has it") as lost:
        send(
            world.registry,
            world.function,  # type: ignore[arg-type]
            "credit",
            Route(version=1, function_version="7"),
            mover=ME,
            why="good",
        )
    assert (lost.value.code, lost.value.status) == ("release_lock_lost", 423)
    assert world.registry.route("credit") == Route()
    assert world.function.writes == 0


def test_a_route_that_another_one_moved_is_refused(world: World) -> None:
    world.version()
    move(world, Route(version=1, function_version="7"))
    with pytest.raises(BoringError) as refusal:
        world.registry.send_traffic(
            "credit", Route(), expected=Route(), holder="release-1", by="me", why="x"
        )
    assert refusal.value.code == "alias_moved"
    with pytest.raises(BoringError) as unknown:
        move(world, Route(version=9, function_version="9"))
    assert unknown.value.code == "version_not_found"


def test_the_history_says_what_answered_at_each_moment(world: World, clock: Any) -> None:
    world.version()
    world.version()
    move(world, Route(version=1, function_version="7"))
    canary = Canary(version=2, function_version="8", weight=0.25)
    clock.move(minutes=1)
    alone = clock.now
    clock.move(minutes=1)
    world.registry.send_traffic(
        "credit",
        Route(version=1, function_version="7", canary=canary),
        expected=Route(version=1, function_version="7"),
        holder="release-1",
        by="me",
        why="x",
    )
    between = clock.move(seconds=1)
    clock.move(seconds=1)
    follow(world.registry, world.function, "credit", by="me")  # type: ignore[arg-type]
    after = clock.move(seconds=1)
    history = world.registry.history("credit")
    assert served_at(history, alone).shares == {1: 1.0}
    told = served_at(history, between)
    assert (told.shares, told.moving_to) == ({1: 1.0}, {1: 0.75, 2: 0.25})
    assert told.may_answer(2)
    assert served_at(history, after).shares == {1: 0.75, 2: 0.25}
    assert not served_at(history, alone).may_answer(2)


def test_what_was_live_before_is_asked_of_a_release_not_of_a_rollback(world: World) -> None:
    for _ in range(3):
        world.version()
    routes = [Route(version=n, function_version=str(10 + n)) for n in (1, 2, 3)]
    for route in routes:
        move(world, route)
    history = world.registry.history
    assert previous_release(history("credit"), routes[2]) == routes[1]
    move(world, routes[1], back=True)
    assert previous_release(history("credit"), routes[1]) == routes[0]
    move(world, routes[0], back=True)
    assert previous_release(history("credit"), routes[0]) is None
    newer = Route(version=1, function_version="20")
    move(world, newer)
    assert previous_release(history("credit"), newer) == routes[0]


def test_each_decision_is_said_to_be_applied_once_whoever_follows(world: World) -> None:
    world.version()
    move(world, Route(version=1, function_version="7"))
    decision = world.registry.decision("credit")
    assert decision.applied
    before = world.registry.history("credit")
    for _ in range(2):
        follow(world.registry, world.function, "credit", by="me")  # type: ignore[arg-type]
    assert world.registry.record_applied(replace(decision, applied=False), by="me")
    assert world.registry.history("credit") == before


def test_an_older_decision_is_not_said_to_be_applied(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.version()
    world.version()
    alone = Route(version=1, function_version="7")
    move(world, alone)
    record = world.registry.record_applied
    canary = Canary(version=2, function_version="8", weight=0.1)

    def late(decision: Decision, *, by: str) -> bool:
        """Be held up between the last look and what is said of it."""
        monkeypatch.setattr(world.registry, "record_applied", record)
        move(world, alone)
        return record(decision, by=by)

    monkeypatch.setattr(world.registry, "record_applied", late)
    move(world, replace(alone, canary=canary))
    said = [e.details["canary"] for e in world.registry.history("credit") if e.kind == APPLIED]
    assert said == [None, None]
    assert world.function.aliases["live"].weights == {}


class Decisions:
    """A registry that decides anew between any two reads, as long as there are decisions."""

    def __init__(self, decisions: list[int]) -> None:
        self.left = decisions
        self.now = Route(version=1, function_version="1")

    def decision(self, _model: str) -> Decision:
        told = self.now
        if self.left:
            self.now = Route(version=1, function_version=str(self.left.pop()))
        return Decision(route=told, event=None, applied=False)

    def record_applied(self, decision: Decision, *, by: str) -> bool:
        return decision.route == self.now


@settings(max_examples=200)
@given(st.lists(st.integers(1, 5), max_size=8), st.lists(st.booleans(), max_size=8))
def test_lambda_ends_with_the_last_decision_whoever_writes_in_between(
    decisions: list[int], disturbed: list[bool]
) -> None:
    function, registry = Function(), Decisions(decisions)
    write = function.send

    def send_between_others(name: str, to: Any) -> bool:
        if disturbed and disturbed.pop():
            # Another mover was faster, with an older decision.
            assert write(name, type(to)("5", {}, function.routing(name).revision))
        return write(name, to)

    function.send = send_between_others  # type: ignore[method-assign]
    follow(registry, function, "credit", by="me")  # type: ignore[arg-type]
    while registry.left:
        follow(registry, function, "credit", by="me")  # type: ignore[arg-type]
    follow(registry, function, "credit", by="me")  # type: ignore[arg-type]
    assert function.routing("live").function_version == registry.now.function_version


def test_nothing_is_moved_where_nothing_was_decided(world: World) -> None:
    assert follow(world.registry, world.function, "credit", by="me") == Route()  # type: ignore[arg-type]
    assert world.function.writes == 0
