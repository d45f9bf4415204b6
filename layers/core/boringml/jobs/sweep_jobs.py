"""The use case of the sweeper: no job stays open for want of a worker."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from boringml.errors import BoringError
from boringml.jobs.job import Job
from boringml.jobs.message import JobMessage, PoisonError, parse
from boringml.jobs.states import FAILED
from boringml.jobs.telling import Sender, tell


class OpenJobs(Protocol):
    """Where jobs are stored."""

    def open_since(self, now_ms: int) -> Iterator[Job]: ...

    def close(self, job: Job, outcome: Mapping[str, Any], status: str, now_ms: int) -> Job: ...

    def finish(
        self,
        message: JobMessage,
        status: str,
        outcome: Mapping[str, Any],
        now_ms: int,
        *,
        callback: str | None = None,
        same_as: str | None = None,
    ) -> Job: ...

    def mark_told(self, job_id: str) -> None: ...


@dataclass(frozen=True)
class Sweeper:
    """Closes jobs. `redrive_seconds` is how long one whose message is dead may be redriven."""

    jobs: OpenJobs
    callbacks: Sender
    redrive_seconds: int
    clock: Callable[[], float] = time.time

    def sweep_jobs(self, dead_messages: Iterable[str]) -> dict[str, int]:
        """Close what nobody will run any more; return how many of which kind.

        `dead_messages` are those in the dead-letter queues, which stay there.
        """
        counts = {"worker_lost": 0, "message_dead": 0, "unreadable": 0}
        now_ms = int(self.clock() * 1000)
        lost = _failure("worker_lost", "Its worker was lost: post the job again.")
        for job in self.jobs.open_since(now_ms):
            closed = self.jobs.close(job, lost, FAILED, now_ms)
            tell(closed, self.jobs, self.callbacks)
            counts["worker_lost"] += 1
        dead = _failure("message_dead", "No attempt could finish it: post the job again.")
        for text in dead_messages:
            try:
                message = parse(text)
            except PoisonError:
                # It names no job that somebody could wait for.
                counts["unreadable"] += 1
                continue
            if now_ms - message.posted_ms > self.redrive_seconds * 1000:
                closed = self.jobs.finish(message, FAILED, dead, now_ms, callback=message.callback)
                # Of a job that had ended, perhaps nobody was told.
                tell(closed, self.jobs, self.callbacks)
                counts["message_dead"] += 1
        return counts


def _failure(code: str, message: str) -> dict[str, Any]:
    return BoringError(code, message).body()
