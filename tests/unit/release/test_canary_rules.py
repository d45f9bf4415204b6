"""What holds of every verdict, whatever the counts."""

import json
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from boringml.release.canary import (
    ADVANCE,
    CONTINUE,
    HARM,
    UNDECIDED,
    Tally,
    judge,
)

PLAN = {
    "steps": [
        {"weight": 0.1, "seconds": 300.0, "min_samples": 150},
        {"weight": 0.5, "seconds": 300.0, "min_samples": 500},
    ],
    "give_up_after": 3,
    "confidence": 0.99,
    "tolerances": {"failures": 0.01, "slow": 0.05, "kpi": 0.1},
    "slow": {"ratio": 2, "floor_ms": 50},
    "kpi": {"event": "LoanAccepted", "min_outcomes": 40},
}
LIVE = Tally(requests=1800, failures=9, slow=2, outcomes=540, bad_outcomes=216)
GOOD = Tally(requests=200, failures=1, slow=0, outcomes=60, bad_outcomes=24)
OVER = 300.0
OUT_OF_TIME = 900.0
SECONDS = st.floats(0, 10_000)
STEPS = st.sampled_from([0, 1])


@st.composite
def tallies(draw, most=10**7):
    requests = draw(st.integers(0, most))
    outcomes = draw(st.integers(0, requests))
    return Tally(
        requests=requests,
        failures=draw(st.integers(0, requests)),
        slow=draw(st.integers(0, requests)),
        outcomes=outcomes,
        bad_outcomes=draw(st.integers(0, outcomes)),
    )


def exchanged(tally, metric, bad, of):
    """The tally with `bad` of `of` for one metric."""
    names = {"slow": ("slow", "requests"), "LoanAccepted": ("bad_outcomes", "outcomes")}
    bad_name, of_name = names.get(metric, ("failures", "requests"))
    return replace(tally, **{bad_name: bad, of_name: of})


@given(tallies(), STEPS, SECONDS)
def test_harm_needs_no_minimum_and_no_minutes(live, step, elapsed):
    """Ten of ten failed, where live fails one of ten at most: no reason to wait."""
    assume(live.requests >= 100)
    calm = replace(live, failures=min(live.failures, live.requests // 10))
    assert judge(PLAN, step, Tally(10, 10, 0), calm, elapsed).decision == HARM


@pytest.mark.parametrize("short", ["candidate", "live"])
@pytest.mark.parametrize(("metric", "needed"), [("failures", 150), ("LoanAccepted", 40)])
def test_one_sample_too_few_of_either_version_is_never_a_pass(short, metric, needed):
    candidate, live = GOOD, LIVE
    for of, decisions in ((needed - 1, (CONTINUE, UNDECIDED)), (needed, (ADVANCE, ADVANCE))):
        if short == "candidate":
            candidate = exchanged(GOOD, metric, 0, of)
        else:
            # As bad as its own version can be, so that no difference stands in the way.
            live = exchanged(LIVE, metric, of, of)
        for elapsed, decision in zip((OVER, OUT_OF_TIME), decisions, strict=True):
            verdict = judge(PLAN, 0, candidate, live, elapsed)
            assert verdict.decision == decision
            if decision != ADVANCE:
                assert any(f"where {needed} of each are needed" in r for r in verdict.reasons)


@given(tallies(400), tallies(400), STEPS, SECONDS, st.booleans())
def test_whatever_advances_was_held_to_every_condition(candidate, live, step, elapsed, with_kpi):
    verdict = judge(PLAN, step, candidate, live, elapsed, with_kpi=with_kpi)
    if verdict.decision == ADVANCE:
        settings = PLAN["steps"][step]
        assert elapsed >= settings["seconds"]
        assert min(candidate.requests, live.requests) >= settings["min_samples"]
        assert candidate.failures / candidate.requests <= live.failures / live.requests + 0.01
        assert candidate.slow / candidate.requests <= live.slow / live.requests + 0.05
        if with_kpi:
            assert min(candidate.outcomes, live.outcomes) >= 40
            share = candidate.bad_outcomes / candidate.outcomes
            assert share <= live.bad_outcomes / live.outcomes + 0.1


@given(tallies(5000), tallies(5000), STEPS, SECONDS, st.data())
def test_more_failures_are_never_a_better_verdict(candidate, live, step, elapsed, data):
    # As in a canary: its candidate is given half of the requests at most.
    assume(live.requests >= candidate.requests)
    live = replace(live, failures=live.failures // 3)
    worse = replace(
        candidate, failures=data.draw(st.integers(candidate.failures, candidate.requests))
    )
    before = judge(PLAN, step, candidate, live, elapsed).decision
    after = judge(PLAN, step, worse, live, elapsed).decision
    assert not (after == ADVANCE and before != ADVANCE)
    assert not (before == HARM and after != HARM)


@given(tallies(), tallies(), STEPS, SECONDS)
def test_any_counts_get_a_verdict_that_json_can_hold(candidate, live, step, elapsed):
    verdict = judge(PLAN, step, candidate, live, elapsed)
    assert verdict.decision in {CONTINUE, ADVANCE, HARM, UNDECIDED}
    assert json.loads(json.dumps(verdict.numbers, allow_nan=False))["failures"]["tolerance"] == 0.01


@given(tallies(), STEPS, SECONDS)
def test_a_version_with_the_numbers_of_live_is_never_harm(tally, step, elapsed):
    assert judge(PLAN, step, tally, tally, elapsed).decision != HARM


@pytest.mark.parametrize("left_out", ["not declared", "new code"])
def test_a_kpi_that_is_not_asked_for_neither_stops_nor_delays(left_out):
    plan = {**PLAN, "kpi": None} if left_out == "not declared" else PLAN
    bad = exchanged(GOOD, "LoanAccepted", 60, 60)
    verdict = judge(plan, 0, bad, LIVE, OVER, with_kpi=left_out == "not declared")
    assert verdict.decision == ADVANCE
    assert "LoanAccepted" not in verdict.numbers
