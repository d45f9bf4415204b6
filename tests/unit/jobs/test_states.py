"""A job has one final state."""

from hypothesis import given
from hypothesis import strategies as st

from boringml.jobs.states import (
    EXPIRED,
    FAILED,
    FINAL,
    QUEUED,
    REFUSED,
    RUNNING,
    SUCCEEDED,
    may_follow,
    predecessors,
)

ALL = (QUEUED, RUNNING, SUCCEEDED, FAILED, REFUSED, EXPIRED)


@given(st.lists(st.sampled_from(ALL)))
def test_whatever_is_tried_in_whatever_order_one_final_state_is_written(tried: list[str]) -> None:
    current: str | None = None
    written = []
    for to in tried:
        if may_follow(current, to):
            current = to
            written.append(to)
    assert sum(state in FINAL for state in written) <= 1
    assert all(state not in FINAL for state in written[:-1])
    assert not set(tried) & FINAL or current in FINAL


@given(st.sampled_from(ALL), st.sampled_from(ALL))
def test_the_tables_condition_is_the_rule(current: str, to: str) -> None:
    assert (current in predecessors(to)) == may_follow(current, to)
