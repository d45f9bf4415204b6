from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boringml.release.canary import ADVANCE, CONTINUE, HARM, UNDECIDED, Tally, judge, slow_limit_ms

PLAN: dict[str, Any] = {
    "steps": [
        {"weight": 0.1, "seconds": 300, "min_samples": 150},
        {"weight": 0.5, "seconds": 300, "min_samples": 500},
    ],
    "give_up_after": 3,
    "confidence": 0.99,
    "tolerances": {"failures": 0.01, "slow": 0.05, "kpi": 0.05},
    "kpi": {"event": "LoanAccepted", "min_outcomes": 40},
}
LIVE = Tally(requests=1800, failures=9, slow=90, outcomes=400, bad_outcomes=80)
GOOD = Tally(requests=200, failures=1, slow=10, outcomes=50, bad_outcomes=10)


def change(tally: Tally, **values: int) -> Tally:
    return Tally(**{**tally.__dict__, **values})


def test_a_good_candidate_advances_once_its_time_is_over() -> None:
    assert judge(PLAN, 0, GOOD, LIVE, 299).decision == CONTINUE
    verdict = judge(PLAN, 0, GOOD, LIVE, 300)
    assert verdict.decision == ADVANCE
    assert "failures: candidate 1 of 200 (0.5%), live 9 of 1800 (0.5%)" in verdict.reasons[0]
    assert verdict.numbers["failures"]["candidate"] == (1, 200)


@pytest.mark.parametrize(
    ("harm", "metric"),
    [
        ({"failures": 60}, "failures"),
        ({"slow": 100}, "slow"),
        ({"bad_outcomes": 40}, "LoanAccepted"),
    ],
)
def test_clear_harm_of_any_metric_stops_at_the_first_look(
    harm: dict[str, int], metric: str
) -> None:
    verdict = judge(PLAN, 0, change(GOOD, **harm), LIVE, 1)
    assert verdict.decision == HARM
    assert [reason.partition(":")[0] for reason in verdict.reasons] == [metric]


@given(
    st.integers(0, 149),
    st.sampled_from(["requests", "outcomes"]),
    st.floats(0, 10_000),
    st.booleans(),
)
def test_too_few_samples_of_either_are_never_a_pass(
    few: int, what: str, seconds: float, of_live: bool
) -> None:
    few = min(few, 39) if what == "outcomes" else few
    values = {what: few, "failures": 0, "slow": 0, "bad_outcomes": 0}
    candidate, live = (GOOD, change(LIVE, **values)) if of_live else (change(GOOD, **values), LIVE)
    assert judge(PLAN, 0, candidate, live, seconds).decision != ADVANCE


def test_no_requests_at_all_end_undecided() -> None:
    nothing = Tally(0, 0, 0)
    assert judge(PLAN, 0, nothing, nothing, 899).decision == CONTINUE
    verdict = judge(PLAN, 0, nothing, nothing, 900)
    assert verdict.decision == UNDECIDED
    assert "0 of candidate and 0 of live, where 150 of each are needed" in verdict.reasons[0]


def test_worse_than_tolerated_but_not_clearly_is_waited_for_and_never_passes() -> None:
    worse = change(GOOD, failures=5)
    assert judge(PLAN, 0, worse, LIVE, 600).decision == CONTINUE
    assert judge(PLAN, 0, worse, LIVE, 900).decision == UNDECIDED


def test_new_code_of_the_same_model_is_judged_without_its_kpi() -> None:
    silent = change(GOOD, outcomes=0, bad_outcomes=0)
    assert judge(PLAN, 0, silent, LIVE, 300).decision == CONTINUE
    assert judge(PLAN, 0, silent, LIVE, 300, with_kpi=False).decision == ADVANCE


def test_alpha_is_shared_by_metrics_and_steps() -> None:
    alone = {**PLAN, "steps": PLAN["steps"][:1]}
    of_all = judge(PLAN, 0, GOOD, LIVE, 1).numbers["log_evidence_of_harm"]
    of_one = judge(alone, 0, GOOD, LIVE, 1, with_kpi=False).numbers["log_evidence_of_harm"]
    assert of_all == pytest.approx(6.397, abs=0.001)  # log(100 x 3 metrics x 2 steps)
    assert of_one == pytest.approx(5.298, abs=0.001)  # log(100 x 2 metrics x 1 step)


@pytest.mark.parametrize(("p95", "limit"), [(None, 50.0), (10.0, 50.0), (40.0, 80.0)])
def test_slow_is_what_live_says_it_is_but_not_below_the_floor(
    p95: float | None, limit: float
) -> None:
    assert slow_limit_ms(p95, 2, 50) == limit
