"""Messages in hand stay out of sight."""

import threading
from collections.abc import Sequence

from boringml.jobs.heartbeat import Heartbeat


class Hidden:
    """What was hidden for how long, and a wait for more of it."""

    def __init__(self, failing: int = 0) -> None:
        self.calls: list[tuple[list[str], int]] = []
        self.failing = failing
        self._more = threading.Condition()

    def __call__(self, receipts: Sequence[str], seconds: int) -> None:
        with self._more:
            self.calls.append((list(receipts), seconds))
            self._more.notify_all()
        if len(self.calls) <= self.failing:
            raise ConnectionError("not there")

    def await_calls(self, count: int) -> None:
        with self._more:
            assert self._more.wait_for(lambda: len(self.calls) >= count, timeout=10)


def test_a_slow_batch_is_renewed_until_it_is_left() -> None:
    hidden = Hidden()
    before = set(threading.enumerate())
    with Heartbeat(["a", "b"], hidden, 1, lambda error: None):
        hidden.await_calls(3)
    count = len(hidden.calls)
    assert all(call == (["a", "b"], 1) for call in hidden.calls)
    assert set(threading.enumerate()) <= before
    assert len(hidden.calls) == count


def test_one_that_is_to_come_back_is_not_renewed_any_more() -> None:
    hidden = Hidden()
    with Heartbeat(["a", "b"], hidden, 1, lambda error: None) as heartbeat:
        heartbeat.retry_in("a", 60)
        hidden.await_calls(4)
    assert hidden.calls[:2] == [(["a", "b"], 1), (["a"], 60)]
    assert all(call == (["b"], 1) for call in hidden.calls[2:])


def test_a_renewal_that_fails_is_told_and_tried_again() -> None:
    hidden, failures = Hidden(failing=2), list[Exception]()
    with Heartbeat(["a"], hidden, 1, failures.append):
        hidden.await_calls(3)
    assert len(failures) == 2
