"""What was live at T, against the plainest replay there is."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boringml.errors import BoringError
from boringml.registry import transitions
from boringml.registry.history import alias_at, live_at
from boringml.registry.records import HistoryEvent, ModelState
from tests.unit.registry.samples import package

EPOCH = datetime(2026, 11, 24, tzinfo=UTC)
moments = st.timedeltas(timedelta(0), timedelta(seconds=5)).map(lambda passed: EPOCH + passed)
# An event: which alias it moves to which version (None: off), or a registration; and what some
# writer's clock shows then, in any order at all.
steps = st.lists(
    st.tuples(
        st.sampled_from(["live", "candidate", "register"]),
        st.none() | st.integers(1, 5),
        moments,
    ),
    max_size=30,
)


def history_of(steps: list[tuple[str, int | None, datetime]]) -> list[HistoryEvent]:
    """Return the events that the rules make of these steps."""
    state, events = ModelState(), []
    targets: dict[str, int | None] = {"live": None, "candidate": None}
    for number, (what, to, now) in enumerate(steps):
        audit = {"now": now, "by": "someone", "why": "something"}
        if what == "register":
            _, event = transitions.register(state, package(number), **audit)
        else:
            event = transitions.move(
                state, model="credit", alias=what, to=to, expected=targets[what], **audit
            )
            targets[what] = to
        state = transitions.after(state, event)
        events.append(event)
    return events


def replay(events: list[HistoryEvent], at: datetime) -> dict[str | None, int | None]:
    """Return where each alias points after every event up to `at`, one after the other."""
    targets: dict[str | None, int | None] = {}
    for event in events:
        if event.at <= at and event.kind == "alias_moved":
            targets[event.alias] = event.to_version
    return targets


@given(steps, moments)
def test_what_was_live_is_what_a_replay_leaves(
    steps: list[tuple[str, int | None, datetime]], at: datetime
) -> None:
    events = history_of(steps)
    targets = replay(events, at)
    assert live_at(events, at) == targets.get("live")
    assert alias_at(events, "candidate", at) == targets.get("candidate")


@given(steps, moments)
def test_what_happens_later_never_changes_what_was_live(
    steps: list[tuple[str, int | None, datetime]], at: datetime
) -> None:
    events = history_of(steps)
    until = [event for event in events if event.at <= at]
    assert live_at(events, at) == live_at(until, at)


@given(steps)
def test_at_the_moment_of_a_move_the_alias_is_where_it_moved(
    steps: list[tuple[str, int | None, datetime]],
) -> None:
    events = history_of(steps)
    for event in events:
        if event.alias is not None:
            assert alias_at(events, event.alias, event.at) == event.to_version


@given(steps)
def test_a_history_has_no_gaps_and_its_time_only_grows(
    steps: list[tuple[str, int | None, datetime]],
) -> None:
    events = history_of(steps)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    registered = [e.to_version for e in events if e.kind == "version_registered"]
    assert registered == list(range(1, len(registered) + 1))
    assert all(a.at < b.at for a, b in pairwise(events))
    assert all(e.at >= now for e, (_, _, now) in zip(events, steps, strict=True))


@given(st.lists(st.integers(1, 9), min_size=1), moments)
def test_times_of_other_zones_are_the_same_moments(versions: list[int], at: datetime) -> None:
    events = history_of([("live", version, EPOCH) for version in versions])
    zone = at.astimezone(datetime.now().astimezone().tzinfo)
    assert live_at(events, zone) == live_at(events, at)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(BoringError) as refusal:
        live_at([], datetime(2026, 11, 24))
    assert refusal.value.code == "time_without_zone"
