"""A job's id, made of what API Gateway knows of the POST: its time and its request id.

So API Gateway can name the job in its 202 with nothing behind it but a queue, and an id tells how
old it is without being looked up.
"""

import re
from typing import Final

# 13 digits are milliseconds since 1970, from 2001 to 2286. Clients may choose the request id
# (X-Amzn-RequestId), so its form is bounded.
_ID: Final = re.compile(r"(\d{13})-([A-Za-z0-9._=-]{1,128})")

WAITING: Final = "waiting"
UNKNOWN: Final = "unknown"
GONE: Final = "gone"


def job_id_of(posted_ms: int, request_id: str) -> str | None:
    """Return the id of a job that was posted then, or None where the two make none."""
    made = f"{posted_ms}-{request_id}"
    return made if _ID.fullmatch(made) else None


def posted_ms_of(job_id: str) -> int | None:
    """Return the milliseconds since 1970 at which a job was posted; None for what is no id."""
    found = _ID.fullmatch(job_id)
    return int(found[1]) if found else None


def without_item(job_id: str, now_ms: int, wait_seconds: int, keep_seconds: int) -> str:
    """Return what an id is of which nothing is stored: WAITING, UNKNOWN or GONE.

    A message waits `wait_seconds` at most before somebody writes of its job, and what was written
    is kept for `keep_seconds` at least.
    """
    posted = posted_ms_of(job_id)
    # Clocks differ by some seconds; what is further ahead was made up.
    if posted is None or posted > now_ms + 60_000:
        return UNKNOWN
    age = (now_ms - posted) / 1000
    if age <= wait_seconds:
        return WAITING
    return GONE if age > keep_seconds else UNKNOWN
