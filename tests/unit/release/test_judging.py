"""A look at a canary: whose numbers, of which minutes, and what becomes of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from boringml.errors import BoringError
from boringml.release.canary import Tally
from boringml.release.judging import judge_canary, slow_from_now_on
from boringml.release.windows import before, since
from tests.unit.release.test_canary import GOOD, LIVE, PLAN

STARTED = datetime(2026, 11, 24, 12, 0, 20, tzinfo=UTC)
BEGIN = datetime(2026, 11, 24, 12, 1, tzinfo=UTC)
EVENT = {
    "model": "credit",
    "version": 2,
    "function_version": "11",
    "live_version": 1,
    "live_function_version": "10",
    "code": False,
    "plan": {**PLAN, "slow": {"ratio": 2, "floor_ms": 50}},
    "step": 0,
    "started_at": STARTED.isoformat(),
    "slow_ms": 80.0,
    "execution_arn": "release-1",
}
# The first look after the step's 300 s, and the one that sees a minute more.
FIRST = STARTED + timedelta(minutes=7)
SECOND = FIRST + timedelta(minutes=1)
HARMFUL = replace(GOOD, failures=60)


class Metrics:
    """CloudWatch with two versions; what the candidate did may depend on the window's end."""

    def __init__(self, candidate: Tally = GOOD, live: Tally = LIVE) -> None:
        self.found: dict[tuple[str, int], Tally] = {("11", 2): candidate, ("10", 1): live}
        self.p95: dict[tuple[str, int], float | None] = {("11", 2): 500.0, ("10", 1): 40.0}
        self.until: dict[datetime, Tally] = {}
        self.asked: list[tuple[Any, ...]] = []
        self.error: BoringError | None = None

    def tally(self, function_version: str, version: int, *window: Any) -> Tally:
        if self.error:
            raise self.error
        self.asked.append((function_version, version, *window))
        found = self.found[function_version, version]
        return self.until.get(window[1], found) if version == 2 else found

    def p95_ms(self, function_version: str, version: int, *window: Any) -> float | None:
        self.asked.append((function_version, version, *window))
        return self.p95[function_version, version]


class Registry:
    def __init__(self) -> None:
        self.steps: list[dict[str, Any]] = []

    def record_step(self, model: str, **step: Any) -> None:
        self.steps.append({"model": model, **step})


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def history() -> Registry:
    return Registry()


def look(history: Registry, metrics: Metrics, now: datetime = SECOND, **changes: Any) -> str:
    answer = judge_canary(history, metrics, {**EVENT, **changes}, now, 60)  # type: ignore[arg-type]
    return str(answer["decision"])


def test_both_versions_are_asked_for_the_same_whole_minutes(
    history: Registry, metrics: Metrics
) -> None:
    assert look(history, metrics, STARTED + timedelta(minutes=4)) == "continue"
    window = (BEGIN, BEGIN + timedelta(minutes=2), 80.0, "LoanAccepted")
    assert metrics.asked == [("11", 2, *window), ("10", 1, *window)]
    assert history.steps == []


def test_nothing_is_asked_before_a_minute_is_whole(history: Registry, metrics: Metrics) -> None:
    assert look(history, metrics, STARTED + timedelta(minutes=1)) == "continue"
    assert metrics.asked == []


def test_harm_ends_the_canary_at_once_with_its_numbers_in_the_history(history: Registry) -> None:
    with pytest.raises(BoringError) as refused:
        look(history, Metrics(HARMFUL), STARTED + timedelta(minutes=3))
    assert (refused.value.code, refused.value.status) == ("canary_harm", 422)
    assert "candidate 60 of 200" in refused.value.message
    (step,) = history.steps
    expected = {
        "model": "credit",
        "step": "canary",
        "outcome": "harm",
        "version": 2,
        "by": "release-1",
    }
    assert expected.items() <= step.items()
    assert step["details"]["failures"]["candidate"] == (60, 200)
    assert step["details"]["until"] == "2026-11-24T12:02:00+00:00"


def test_harm_of_live_is_none_of_the_candidates(history: Registry) -> None:
    assert look(history, Metrics(GOOD, replace(LIVE, failures=600))) == "advance"


def test_only_what_passes_at_two_looks_advances(history: Registry, metrics: Metrics) -> None:
    # At 12:06 the window is 340 s long, at 12:05 it was 280 s: the step's 300 s were not over.
    assert look(history, metrics, FIRST) == "continue"
    assert look(history, metrics, SECOND) == "advance"
    (step,) = history.steps
    assert (step["outcome"], step["details"]["until"]) == ("advance", "2026-11-24T12:07:00+00:00")


def test_luck_of_one_look_is_no_pass(history: Registry, metrics: Metrics) -> None:
    worse = replace(GOOD, bad_outcomes=13)
    metrics.until[BEGIN + timedelta(minutes=5)] = worse
    assert look(history, metrics, SECOND) == "continue"
    assert look(history, metrics, SECOND + timedelta(minutes=1)) == "advance"


def test_when_time_is_up_the_canary_ends_undecided(history: Registry) -> None:
    few = replace(GOOD, outcomes=1, bad_outcomes=0)
    with pytest.raises(BoringError) as refused:
        look(history, Metrics(few), STARTED + timedelta(minutes=17))
    assert (refused.value.code, refused.value.status) == ("canary_undecided", 422)
    assert [step["outcome"] for step in history.steps] == ["undecided"]


def test_outcomes_of_new_code_are_not_asked_for(history: Registry, metrics: Metrics) -> None:
    silent = replace(GOOD, outcomes=0, bad_outcomes=0)
    metrics.found["11", 2] = silent
    assert look(history, metrics, code=True) == "advance"
    assert {asked[-1] for asked in metrics.asked} == {None}


def test_metrics_that_are_not_all_there_are_waited_for_while_there_is_time(
    history: Registry, metrics: Metrics
) -> None:
    metrics.error = BoringError("metrics_incomplete", "Ask again.", 503)
    assert look(history, metrics, STARTED + timedelta(seconds=899)) == "continue"
    with pytest.raises(BoringError, match="metrics_incomplete"):
        look(history, metrics, STARTED + timedelta(seconds=900))
    metrics.error = BoringError("metrics_forbidden", "No.", 403)
    with pytest.raises(BoringError, match="metrics_forbidden"):
        look(history, metrics)


@pytest.mark.parametrize(("p95", "limit"), [(40.0, 80.0), (None, 50.0)])
def test_slow_is_by_what_live_did_in_the_hour_before(
    metrics: Metrics, p95: float | None, limit: float
) -> None:
    metrics.p95["10", 1] = p95
    assert slow_from_now_on(metrics, EVENT, STARTED, 60) == limit  # type: ignore[arg-type]
    end = STARTED.replace(second=0)
    assert metrics.asked == [("10", 1, end - timedelta(hours=1), end)]


@pytest.mark.parametrize(
    ("seconds", "end"),
    [(0, 60), (119.9, 60), (120, 60), (179.9, 60), (180, 120), (239.9, 120), (240, 180)],
)
def test_a_window_leaves_the_first_minute_and_the_newest_out(seconds: float, end: int) -> None:
    """Seconds after 12:00; the step began at 12:00:20."""
    noon = STARTED.replace(second=0)
    found = since(STARTED, noon + timedelta(seconds=seconds), 60)
    assert found == (BEGIN, noon + timedelta(seconds=max(60, end)))


def test_a_step_that_begins_with_a_minute_has_it_whole() -> None:
    assert since(BEGIN, BEGIN + timedelta(minutes=2), 60) == (BEGIN, BEGIN + timedelta(minutes=1))


def test_the_hour_before_ends_with_the_last_whole_minute() -> None:
    noon = STARTED.replace(second=0)
    assert before(noon, 60) == before(STARTED, 60) == (noon - timedelta(hours=1), noon)
    assert before(STARTED, 1) == (STARTED - timedelta(minutes=1), STARTED)
