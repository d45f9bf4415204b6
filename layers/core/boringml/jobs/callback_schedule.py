"""When a callback is tried again, and when it is given up.

The example schedule of Standard Webhooks ("Deliverability and reliability": at once, 5 s, 5 min,
30 min, 2, 5, 10, 14, 20, 24 h) on a queue that can hide a message for 12 h at most: its three
longest waits, 58 h together, are five of less than 12 h here.
"""

from typing import Final

HOUR: Final = 3600.0
# Hours from the end of one attempt to the next.
WAITS: Final = (5 / HOUR, 300 / HOUR, 0.5, 2.0, 5.0, 10.0, 11.6, 11.6, 11.6, 11.6, 11.6)
ATTEMPTS: Final = len(WAITS) + 1
# A wait is drawn from the last fifth before its longest: retries of one outage do not come back
# together, and none is early enough to hurt.
JITTER: Final = 0.2
# SQS hides a message for 12 h in all, counted from when it was received ("ChangeMessageVisibility",
# SQS API Reference); the attempt itself took a part of that.
LONGEST_SECONDS: Final = 43_200 - 900


def is_last(attempt: int) -> bool:
    """Return whether nothing comes after this attempt; the first one is 1."""
    return attempt >= ATTEMPTS


def wait_seconds(
    attempt: int, draw: float, *, hour_seconds: float = HOUR, asked_seconds: float = 0
) -> int:
    """Return the whole seconds from a failed attempt, counted from 1, to the next one.

    `draw` is a uniform random number from 0 to below 1. `hour_seconds` is how long an hour takes:
    3600, or less on the local AWS. `asked_seconds` is what the receiver asked for (Retry-After);
    it makes a wait longer, never shorter, and never longer than SQS can hide a message.
    Raises ValueError for an attempt that has no next one.
    """
    if not 1 <= attempt < ATTEMPTS:
        raise ValueError(f"attempt {attempt} of {ATTEMPTS} has no next one")
    longest = WAITS[attempt - 1] * hour_seconds
    wait = longest * (1 - JITTER * draw)
    asked = asked_seconds * hour_seconds / HOUR
    return round(min(max(wait, asked), LONGEST_SECONDS))


def retry_after(header: str | None) -> float:
    """Return the seconds that a Retry-After header asks for, 0 for none or a date."""
    text = (header or "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0.0
