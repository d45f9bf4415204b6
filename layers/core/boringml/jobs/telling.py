"""The message that a job's end is told with, for the queue of callbacks."""

import hashlib
import re
from typing import Final, Protocol

from boringml.jobs.callback_message import CallbackMessage
from boringml.jobs.job import Job, document, iso

_PLAIN_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")


class ToldJobs(Protocol):
    """Where it is written that a job's end was told."""

    def mark_told(self, job_id: str) -> None:
        """Write it."""


class Sender(Protocol):
    """The queue of callbacks."""

    def send(self, message: CallbackMessage) -> None:
        """Put one message on the queue."""


def tell(job: Job, jobs: ToldJobs, callbacks: Sender) -> None:
    """Send the callback of a finished job that wants one, unless it is known to be sent.

    The state is stored before, and that it was sent after: a crash in between sends it twice,
    with one id, and never not at all.
    """
    if not job.is_final or job.callback is None or job.is_told or job.same_as:
        return
    callbacks.send(callback_message(job))
    jobs.mark_told(job.job_id)


def callback_message(job: Job) -> CallbackMessage:
    """Return what the client of a finished job is told; its id is the same each time."""
    return CallbackMessage(
        id=callback_id(job.job_id),
        client=job.client,
        endpoint=str(job.callback),
        payload={
            "type": f"job.{job.status}",
            "timestamp": iso(job.finished_ms or job.posted_ms),
            # A large result is fetched: webhooks stay below 20 KB.
            "data": {**document(job), "location": f"/jobs/{job.job_id}"},
        },
        trace_id=job.trace_id,
        upstream_request_id=job.upstream_request_id,
    )


def callback_id(job_id: str) -> str:
    """Return the id of a job's callback: the job's own, or a digest where it has other signs.

    A job's id ends in the id of its request, which a client may choose.
    """
    if _PLAIN_ID.fullmatch(job_id):
        return f"msg_{job_id}"
    return f"msg_{hashlib.sha256(job_id.encode()).hexdigest()}"
