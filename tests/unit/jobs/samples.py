"""Messages, and a table of jobs in memory that is held to the same rules as the real one."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from boringml.jobs.callback_message import CallbackMessage
from boringml.jobs.job import Job
from boringml.jobs.message import JobMessage
from boringml.jobs.states import QUEUED, RUNNING, may_follow

CLIENT = "arn:aws:iam::123456789012:user/shop"
POSTED_MS = 1_767_261_600_000
JOB_ID = f"{POSTED_MS}-3f0c2a5e"


def text_of(
    body: Any = None, model: str = "credit", posted_ms: int = POSTED_MS, **changes: Any
) -> str:
    """Return a message as API Gateway writes it; changes are of its parts in base64."""
    raw = body if isinstance(body, bytes) else json.dumps(body or {"request": {}}).encode()
    texts = {
        "request_id": "3f0c2a5e",
        "client": CLIENT,
        "idempotency_key": "",
        "idempotency_key_http2": "",
        "trace_id": "",
        **changes,
    }
    coded = {name: base64.b64encode(text.encode()).decode() for name, text in texts.items()}
    coded["body"] = base64.b64encode(raw).decode()
    told = {"version": 1, "model": model, "posted_ms": posted_ms, "base64": coded}
    return json.dumps(told)


class Jobs:
    """Jobs in memory. `writes` are the states that were written, by job."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.writes: dict[str, list[str]] = {}

    def get(self, job_id: str) -> Job | None:
        return self.jobs.get(job_id)

    def begin(self, message: JobMessage, callback: str | None, now_ms: int) -> Job | None:
        return self._write(message, RUNNING, {}, callback=callback, started_ms=now_ms)

    def release(self, message: JobMessage) -> Job | None:
        return self._write(message, QUEUED, {})

    def finish(
        self,
        message: JobMessage,
        status: str,
        outcome: Mapping[str, Any],
        now_ms: int,
        *,
        callback: str | None = None,
        same_as: str | None = None,
    ) -> Job:
        self._write(
            message, status, outcome, callback=callback, same_as=same_as, finished_ms=now_ms
        )
        return self.jobs[message.job_id]

    def close(self, job: Job, outcome: Mapping[str, Any], status: str, now_ms: int) -> Job:
        current = self.jobs[job.job_id]
        if may_follow(current.status, status):
            self.jobs[job.job_id] = replace(
                current, status=status, outcome=outcome, finished_ms=now_ms
            )
            self.writes.setdefault(job.job_id, []).append(status)
        return self.jobs[job.job_id]

    def open_since(self, now_ms: int) -> Any:
        yield from [job for job in self.jobs.values() if not job.is_final]

    def mark_told(self, job_id: str) -> None:
        self.jobs[job_id] = replace(self.jobs[job_id], is_told=True)

    def _write(
        self, message: JobMessage, status: str, outcome: Mapping[str, Any], **values: Any
    ) -> Job | None:
        current = self.jobs.get(message.job_id)
        if not may_follow(current.status if current else None, status):
            return current
        made = current or Job(
            message.job_id,
            message.model,
            message.client,
            QUEUED,
            message.posted_ms,
            None,
            None,
            {},
            None,
            False,
            None,
            POSTED_MS // 1000 + 999,
        )
        known = {name: value for name, value in values.items() if value is not None}
        self.jobs[message.job_id] = replace(made, status=status, outcome=outcome, **known)
        self.writes.setdefault(message.job_id, []).append(status)
        return None


class Queue:
    """The queue of callbacks; `failing` sends fail first."""

    def __init__(self, failing: int = 0) -> None:
        self.sent: list[CallbackMessage] = []
        self._failing = failing

    def send(self, message: CallbackMessage) -> None:
        if self._failing:
            self._failing -= 1
            raise ConnectionError("the queue is not there")
        self.sent.append(message)
