"""The simulation that the judge's promises rest on: that it simulates what it says."""

from collections import Counter

import numpy as np
import pytest

from benchmarks.release.canary_run import run_canary
from benchmarks.release.canary_simulation import (
    SCENARIOS,
    SEED,
    broken_promises,
    plan_of_credit,
)
from benchmarks.release.canary_traffic import Scenario, Version, added, minute, slow_limit
from benchmarks.release.repeated_looks import stopped_by_look
from boringml.adapters.declarations import declaration
from boringml.release.canary import Tally
from boringml.release.plan import release_plan

PLAN = plan_of_credit()
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


def traffic(candidate, minutes=200, weight=0.5):
    rng, of_candidate, of_live = np.random.default_rng(SEED), Tally(0, 0, 0), Tally(0, 0, 0)
    for number in range(minutes):
        scenario = Scenario("any", candidate)
        ours, theirs = minute(rng, scenario, number, 1000, weight, limit_ms=100.0)
        of_candidate, of_live = added(of_candidate, ours), added(of_live, theirs)
    return of_candidate, of_live


def test_versions_behave_as_they_are_told():
    candidate, live = traffic(Version(failures=0.055, slowdown=2.0, good_outcomes=0.4))
    assert candidate.failures / candidate.requests == pytest.approx(0.055, rel=0.05)
    assert live.failures / live.requests == pytest.approx(0.005, rel=0.15)
    # Lognormal of median 40 and 80 ms, sigma 0.5, above 100 ms.
    assert live.slow / live.requests == pytest.approx(0.0334, rel=0.05)
    assert candidate.slow / candidate.requests == pytest.approx(0.3277, rel=0.02)
    assert candidate.bad_outcomes / candidate.outcomes == pytest.approx(0.6, rel=0.02)


def test_the_limit_follows_the_p95_of_live():
    limits = [slow_limit(np.random.default_rng([SEED, n]), 300, 2, 50) for n in range(50)]
    assert np.mean(limits) == pytest.approx(2 * 40 * np.exp(0.5 * 1.645), rel=0.02)


def test_a_canary_repeats_to_the_digit():
    asked = (PLAN, BY_NAME["failures +5 points"], 300, [SEED, 1])
    assert run_canary(*asked) == run_canary(*asked)


@pytest.mark.parametrize(
    ("name", "outcome", "metric"),
    [
        ("good: as live is", "promoted", None),
        ("fails always", "harm", "failures"),
        ("slow by 3", "harm", "slow"),
        ("KPI -30 points", "harm", "LoanAccepted"),
    ],
)
def test_canaries_end_as_they_must(name, outcome, metric):
    run = run_canary(PLAN, BY_NAME[name], 3000, [SEED, 2])
    assert run.outcome == outcome
    assert metric in (None, *run.metrics)


def test_the_judge_stops_no_good_version_where_repeated_tests_do():
    shares = stopped_by_look(PLAN, 300, 12, SEED)
    assert shares["judge"][-1] == 0
    assert shares["fisher_three_metrics"][-1] > 0.2


@pytest.mark.parametrize(
    ("scenario", "rate", "first_20", "broken"),
    [
        ("good: as live is", 300, {"promoted": 20}, None),
        ("good: as live is", 300, {"promoted": 19, "undecided": 1}, "19 promoted"),
        ("good: as live is", 100, {"promoted": 19, "undecided": 1}, None),
        ("failures +5 points", 300, {"harm": 19, "promoted": 1}, None),
        ("failures +5 points", 300, {"harm": 18, "undecided": 2}, "18 found harmful"),
        # A judge that never finds harm keeps no promise where harm can be found in time.
        ("failures +5 points", 3000, {"undecided": 20}, "0 found harmful"),
        ("failures +5 points", 30, {"undecided": 20}, None),
        ("failures +5 points", 30, {"harm": 18, "promoted": 2}, "2 promoted"),
    ],
)
def test_a_broken_promise_is_told(scenario, rate, first_20, broken):
    row = {"scenario": scenario, "requests_per_minute": rate, "first_20": first_20}
    told = [f"{scenario}, {rate} requests a minute: of 20 {broken}"] if broken else []
    assert broken_promises([row]) == told


@pytest.mark.parametrize("rate", [300, 3000])
def test_the_first_20_keep_the_promises(rate):
    rows = []
    for name in ("good: as live is", "failures +5 points"):
        index = SCENARIOS.index(BY_NAME[name])
        runs = [run_canary(PLAN, BY_NAME[name], rate, [SEED, index, rate, n]) for n in range(20)]
        first = Counter(run.outcome for run in runs)
        rows.append({"scenario": name, "requests_per_minute": rate, "first_20": first})
    assert broken_promises(rows) == []


def test_failures_in_bursts_are_as_many_as_single_ones():
    candidate, _ = traffic(Version(failures=0.055, burst=20), minutes=2000)
    assert candidate.failures / candidate.requests == pytest.approx(0.055, rel=0.05)
    assert candidate.failures % 20 == 0


def test_a_plan_has_its_minutes_in_seconds():
    declared = declaration("credit")
    plan = release_plan(declared, minute_seconds=2, approval=False)
    minutes = [step["minutes"] for step in declared["release"]["canary"]["steps"]]
    assert [step["seconds"] for step in plan["canary"]["steps"]] == [2 * m for m in minutes]
    assert plan["shadow"]["seconds"] == 2 * declared["release"]["shadow"]["minutes"]
    assert plan["bake_seconds"] == 2 * declared["release"]["bake_minutes"]
    assert PLAN["steps"][0]["seconds"] == 60 * minutes[0]
