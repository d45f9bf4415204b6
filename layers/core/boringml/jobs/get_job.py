"""The use case of a client that asks for its job."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from boringml.errors import BoringError
from boringml.jobs.client import client_of
from boringml.jobs.job import Job, document, iso
from boringml.jobs.job_id import GONE, WAITING, posted_ms_of, without_item
from boringml.jobs.states import QUEUED


class StoredJobs(Protocol):
    """Where jobs are stored."""

    def get(self, job_id: str) -> Job | None: ...


@dataclass(frozen=True)
class JobReader:
    """Answers clients. `wait_seconds` is how long a job may wait with nothing written of it.

    `keep_seconds` is how long jobs are kept at least, from their POST; `url_of` makes a short-lived
    URL of a large result's key.
    """

    jobs: StoredJobs
    url_of: Callable[[str], str]
    wait_seconds: int
    keep_seconds: int
    clock: Callable[[], float] = time.time

    def get_job(self, job_id: str, user_arn: str) -> dict[str, Any]:
        """Return what a client may know of a job that it posted.

        Raises BoringError `job_not_found` (404), also for the job of another client, and `job_gone`
        (410) once the job and its result have expired.
        """
        job = self._stored(job_id)
        if job is None:
            return self._by_its_time(job_id)
        if job.client != client_of(user_arn):
            raise _not_found(job_id)
        if job.expires_s <= self.clock():
            raise _gone(job_id)
        shown = {**document(job), "expires_at": iso(job.expires_s * 1000)}
        key = job.outcome.get("result_key")
        return {**shown, "result_url": self.url_of(key)} if key else shown

    def _stored(self, job_id: str) -> Job | None:
        """Return the job, or the one that it only repeats."""
        job = self.jobs.get(job_id)
        if job is None or job.same_as is None:
            return job
        return self.jobs.get(job.same_as) or job

    def _by_its_time(self, job_id: str) -> dict[str, Any]:
        """Answer for a job that no worker wrote of: anybody gets that for any id of its age."""
        now_ms = int(self.clock() * 1000)
        found = without_item(job_id, now_ms, self.wait_seconds, self.keep_seconds)
        posted_ms = posted_ms_of(job_id)
        if found == WAITING and posted_ms is not None:
            return {"job_id": job_id, "status": QUEUED, "posted_at": iso(posted_ms)}
        raise _gone(job_id) if found == GONE else _not_found(job_id)


def _not_found(job_id: str) -> BoringError:
    return BoringError("job_not_found", f"You posted no job {job_id}.")


def _gone(job_id: str) -> BoringError:
    return BoringError("job_gone", f"Job {job_id} and its result have expired: post it again.")
