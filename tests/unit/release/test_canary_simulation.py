"""The simulation that the judge's promises rest on: that it simulates what it says."""

import numpy as np
import pytest

from benchmarks.release.canary_simulation import (
    SCENARIOS,
    SEED,
    broken_promises,
    plan_of_credit,
    run_canary,
)
from benchmarks.release.canary_traffic import Scenario, Version, added, minute, slow_limit
from benchmarks.release.repeated_looks import stopped_by_look
from boringml.release.canary import Tally

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


def test_a_broken_promise_is_told():
    row = {"scenario": "failures +5 points", "requests_per_minute": 30, "first_20": {"harm": 20}}
    assert broken_promises([row]) == []
    broken = {**row, "first_20": {"harm": 18, "promoted": 2}}
    assert broken_promises([broken]) == [
        "failures +5 points, 30 requests a minute: 2 of 20 promoted"
    ]
