"""A circuit per endpoint: one that is down is asked now and then, not by every callback.

Without it, callbacks to a receiver that hangs would hold the deliverer's few executions, one time
limit each, and those for everybody else would wait.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

# Failed calls in a row that open it.
THRESHOLD: Final = 5
FIRST_PAUSE_SECONDS: Final = 30.0
LONGEST_PAUSE_SECONDS: Final = 600.0
# A probe that nobody hears of again, because its function died, is over by then.
PROBE_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Circuit:
    """Failures in a row, and until when no call is made: None while it is closed."""

    failures: int = 0
    open_until: datetime | None = None

    def lets_through(self, now: datetime) -> bool:
        """Return whether a call may be made; where it was open, as the probe."""
        return self.open_until is None or now >= self.open_until


def pause(failures: int, *, scale: float = 1.0) -> timedelta | None:
    """Return for how long no call is made after so many failures in a row, None for not at all.

    `scale` shortens pauses on the local AWS.
    """
    if failures < THRESHOLD:
        return None
    seconds = FIRST_PAUSE_SECONDS * 2.0 ** min(failures - THRESHOLD, 16)
    return timedelta(seconds=min(LONGEST_PAUSE_SECONDS, seconds) * scale)
