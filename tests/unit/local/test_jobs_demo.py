"""What the demonstration holds its jobs to."""

from dataclasses import replace

from boringml.jobs.states import SUCCEEDED
from local.jobs_demo import Ledger, which_ran

FIRST, AGAIN = "1-first", "2-again"
WHOLE = Ledger(
    posted=2,
    ends={SUCCEEDED: 2},
    reviews=10,
    right=8,
    told=2,
    calls=3,
    failed_calls=1,
    unverified=0,
    seconds=1.0,
    ran=(FIRST, FIRST),
)


def test_a_ledger_that_adds_up_is_not_broken() -> None:
    assert WHOLE.broken() == []


def test_the_repeat_may_run_first_and_then_both_name_it() -> None:
    ran = which_ran({"job_id": AGAIN}, {"job_id": AGAIN})
    assert replace(WHOLE, ran=ran).broken() == []


def test_the_same_key_and_body_may_not_be_two_jobs() -> None:
    ran = which_ran({"job_id": FIRST}, {"job_id": AGAIN})
    (told,) = replace(WHOLE, ran=ran).broken()
    assert "two jobs" in told
