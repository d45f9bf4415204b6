"""The message that a job's end is told with, for the queue of callbacks."""

from typing import Any, Protocol

from boringml.jobs.job import Job, document, iso


class ToldJobs(Protocol):
    """Where it is written that a job's end was told."""

    def mark_told(self, job_id: str) -> None:
        """Write it."""


class Sender(Protocol):
    """The queue of callbacks."""

    def send(self, message: dict[str, Any]) -> None:
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


def callback_message(job: Job) -> dict[str, Any]:
    """Return {"id", "client", "endpoint", "payload"}; the id is the same each time."""
    return {
        "id": f"msg_{job.job_id}",
        "client": job.client,
        "endpoint": job.callback,
        "payload": {
            "type": f"job.{job.status}",
            "timestamp": iso(job.finished_ms or job.posted_ms),
            # A large result is fetched: webhooks stay below 20 KB.
            "data": {**document(job), "location": f"/jobs/{job.job_id}"},
        },
    }
