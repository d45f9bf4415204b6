"""A job as it is stored, and as its client sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from boringml.jobs.states import FINAL


@dataclass(frozen=True)
class Job:
    """`outcome` has what came of it: `result` or `result_key`, `error`, `model_version`.

    `same_as` is the job that this one only repeats; times are milliseconds since 1970.
    """

    job_id: str
    model: str
    client: str
    status: str
    posted_ms: int
    started_ms: int | None
    finished_ms: int | None
    outcome: Mapping[str, Any]
    callback: str | None
    is_told: bool
    same_as: str | None
    expires_s: int
    trace_id: str | None = None
    upstream_request_id: str | None = None

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in FINAL


def document(job: Job) -> dict[str, Any]:
    """Return what GET and callbacks say of a job, without a large result."""
    times = {
        "posted_at": job.posted_ms,
        "started_at": job.started_ms,
        "finished_at": job.finished_ms,
    }
    shown: dict[str, Any] = {"job_id": job.job_id, "model": job.model, "status": job.status}
    shown.update({name: iso(at) for name, at in times.items() if at is not None})
    known = ("model_version", "result", "error")
    shown.update({name: job.outcome[name] for name in known if name in job.outcome})
    return shown


def iso(milliseconds: int) -> str:
    """Return a time as text, in UTC with milliseconds."""
    at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
