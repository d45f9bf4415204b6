"""Windows of whole periods, so that two versions are compared over the very same minutes."""

import math
from datetime import UTC, datetime

# What live's latency is, is asked of this many periods before a canary begins.
_PERIODS_BEFORE = 60


def since(begin: datetime, now: datetime, period_seconds: int) -> tuple[datetime, datetime]:
    """Return (begin, end) of the whole periods between `begin` and one period before `now`.

    The period in which the canary began is left out: it had requests that came before. The newest
    is left out since metrics arrive late. `end` may be at or before `begin`: nothing to see yet.
    """
    first = math.ceil(begin.timestamp() / period_seconds) * period_seconds
    last = (math.floor(now.timestamp() / period_seconds) - 1) * period_seconds
    return _utc(first), _utc(max(first, last))


def before(now: datetime, period_seconds: int) -> tuple[datetime, datetime]:
    """Return (begin, end) of the 60 whole periods that ended last."""
    end = math.floor(now.timestamp() / period_seconds) * period_seconds
    return _utc(end - _PERIODS_BEFORE * period_seconds), _utc(end)


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
