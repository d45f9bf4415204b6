"""Lanes, releases and windows: what is read off a history."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from boringml.monitoring.page.happened import happened
from boringml.monitoring.page.lanes import BORN, CAME_BACK, STOPPED, WENT_LIVE, lanes
from boringml.monitoring.page.releases import Release, canary_looks, releases
from boringml.monitoring.page.releases_section import _step
from boringml.monitoring.page.window import asked_pairs, traffic_window
from boringml.registry.history import served_at
from boringml.registry.records import LIVE, MOVED, HistoryEvent
from tools.page_sample import NOW, full

HISTORY = full().history
assert isinstance(HISTORY, tuple)


def move(at: float, to: int | None, **details: object) -> HistoryEvent:
    return HistoryEvent(
        model="m", sequence=1, at=NOW + timedelta(minutes=at), kind=MOVED, alias=LIVE,
        from_version=None, to_version=to, by="b", why="w", details=details,
    )  # fmt: skip


def test_a_lane_has_what_the_version_had_and_what_happened_to_it() -> None:
    found = {lane.version: lane for lane in lanes(HISTORY, NOW, 8)}
    assert list(found) == [7, 6, 5, 4, 3, 2, 1]
    assert [mark.kind for mark in found[6].marks] == [BORN, WENT_LIVE]
    assert [mark.kind for mark in found[5].marks] == [BORN, STOPPED]
    assert [segment.share for segment in found[5].segments] == [0.1]
    assert found[6].segments[-1].end == NOW


def test_what_is_live_has_a_lane_however_old_it_is() -> None:
    history = [move(0, 1), *(move(place, None) for place in ()), move(9, 1, back=True)]
    born = [
        HistoryEvent(
            model="m", sequence=2, at=NOW, kind="version_registered", alias=None,
            from_version=None, to_version=number, by="b", why="w",
        )
        for number in range(2, 12)
    ]  # fmt: skip
    found = lanes([*history[:1], *born, *history[1:]], NOW + timedelta(hours=1), 4)
    assert [lane.version for lane in found] == [11, 10, 9, 1]
    assert found[-1].marks[-1].kind == CAME_BACK


@given(st.lists(st.integers(1, 4), min_size=1, max_size=12))
def test_lanes_say_at_each_moment_what_the_history_says(versions: list[int]) -> None:
    history = [move(place, version) for place, version in enumerate(versions)]
    end = NOW + timedelta(minutes=len(versions))
    found = lanes(history, end, 8)
    for place in range(len(versions)):
        at = NOW + timedelta(minutes=place, seconds=30)
        drawn = {
            lane.version: segment.share
            for lane in found
            for segment in lane.segments
            if segment.begin <= at < segment.end
        }
        assert drawn == served_at(history, at).shares


def test_releases_are_put_together_from_their_executions() -> None:
    found = releases(HISTORY, 8)
    assert [release.version for release in found] == [7, 6, 5, 4, 3, 2, 1]
    assert found[1].went_live
    assert not found[2].went_live
    assert set(found[2].steps) == {"smoke", "shadow", "canary"}
    assert [release.version for release in releases(HISTORY, 2)] == [7, 6]


def test_a_step_that_left_no_word_of_its_own_is_told_by_the_reason_of_the_end() -> None:
    release = releases(HISTORY, 8)[0]
    end = HistoryEvent(
        model="m", sequence=1, at=NOW, kind="release_step", alias=None, from_version=None,
        to_version=7, by="b", why="w", details={"reason": {"code": "smoke_failed"}},
    )  # fmt: skip
    stopped = Release(release.version, release.begin, {}, end)
    assert "failed" in str(_step(stopped, "smoke"))
    assert _step(stopped, "canary") == "-"


def test_a_canary_look_has_its_measures() -> None:
    look = canary_looks(HISTORY, 1)[0]
    assert (look.version, look.outcome, look.weight) == (6, "advance", 0.1)
    assert list(look.measures) == ["failures", "slow", "LoanAccepted"]


def test_each_event_that_people_care_about_has_a_sentence() -> None:
    told = [said for event in HISTORY if (said := happened(event))]
    assert "Version 1 went live, the first one" in told
    assert "Canary: version 5 gets 10 %" in told
    assert "Canary over: all requests to version 4" in told
    assert "The release of version 7 was stopped" in told
    assert not any("smoke" in said.lower() for said in told)


def test_the_window_is_a_day_in_periods_that_a_phone_can_show() -> None:
    window = traffic_window(HISTORY, NOW)
    assert window.end - window.begin == timedelta(days=1)
    assert window.period_seconds == 900


@given(st.integers(0, 100_000), st.sampled_from([2, 60]))
def test_a_window_is_whole_periods_and_holds_now(seconds: int, minute: int) -> None:
    now = NOW + timedelta(seconds=seconds + 0.5)
    window = traffic_window([move(0, 1)], now, minute)
    assert window.begin < now <= window.end
    assert window.begin.timestamp() % window.period_seconds == 0
    assert window.period_seconds % minute == 0
    count = (window.end - window.begin).total_seconds() / window.period_seconds
    assert 1 <= count <= 98


def test_nothing_was_asked_of_a_model_that_was_never_live() -> None:
    assert asked_pairs((), traffic_window((), NOW)) == []


def test_asked_are_what_had_a_share_within_the_window_canaries_too() -> None:
    window = traffic_window(HISTORY, NOW)
    assert asked_pairs(HISTORY, window) == [(6, "9")]
    earlier = traffic_window(HISTORY, NOW - timedelta(days=4))
    assert asked_pairs(HISTORY, earlier) == [(4, "7"), (6, "9")]
