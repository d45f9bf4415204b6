"""What state a job may be in, and which state may follow which.

The table's conditions are made of these rules, so whoever writes second, a worker, its retry or the
sweeper, writes nothing: a job has one final state.
"""

from typing import Final

QUEUED: Final = "queued"
RUNNING: Final = "running"
SUCCEEDED: Final = "succeeded"
FAILED: Final = "failed"
REFUSED: Final = "refused"
EXPIRED: Final = "expired"

# Final states, which nothing follows.
FINAL: Final = frozenset({SUCCEEDED, FAILED, REFUSED, EXPIRED})
# Running follows running: an attempt that takes over from a lost one.
_NEXT: Final = {
    QUEUED: frozenset({QUEUED, RUNNING}) | FINAL,
    RUNNING: frozenset({QUEUED, RUNNING}) | FINAL,
}


def may_follow(current: str | None, to: str) -> bool:
    """Return whether a job in state `current`, None before anybody wrote of it, may become `to`."""
    return to in _NEXT.get(current or QUEUED, frozenset())


def predecessors(to: str) -> tuple[str, ...]:
    """Return the states that `to` may follow, in the order of their names."""
    return tuple(sorted(state for state in _NEXT if to in _NEXT[state]))
