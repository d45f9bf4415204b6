"""The use case of a worker: one message in, the job's one final state out."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import uuid4

import orjson

from boringml.errors import BoringError
from boringml.jobs.job import Job
from boringml.jobs.message import JobMessage, parse
from boringml.jobs.request import JobRequest, check_key, parse_request, records_of
from boringml.jobs.states import EXPIRED, FAILED, REFUSED, SUCCEEDED
from boringml.jobs.telling import Sender, tell
from boringml.serving.json_text import members_of
from boringml.serving.outcomes import Outcomes
from boringml.serving.prediction_log import PredictionLog
from boringml.serving.served_model import ServedModel

logger = logging.getLogger(__name__)

# A result up to here lies in the table and in the callback, which is to stay below 20 KB
# (Standard Webhooks, "Payload"); a larger one in S3.
INLINE_BYTES: Final = 16 * 1024
# The longest that SQS hides a message is 12 h; nobody is helped by more than this between attempts.
_LONGEST_PAUSE: Final = 900
METRICS: Final = {"queue_ms": "Milliseconds"}

Outcome = dict[str, Any]


class Jobs(Protocol):
    """Where jobs are stored: boringml.adapters.jobs_table."""

    def begin(self, message: JobMessage, callback: str | None, now_ms: int) -> Job | None: ...

    def release(self, message: JobMessage) -> Job | None: ...

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


class Once(Protocol):
    """What runs a job once per key: boringml.adapters.once."""

    def run(self, key: list[str], payload: str, work: Callable[[], Outcome]) -> Outcome: ...


@dataclass(frozen=True)
class Policy:
    """Older messages are not run; a job has `attempts`; a lease is how long one may be silent.

    `timeout_seconds` is the longest that one invocation runs.
    """

    max_age_seconds: int
    attempts: int
    lease_seconds: int
    timeout_seconds: int


class TryAgainError(Exception):
    """The message is to come back after `seconds`."""

    def __init__(self, code: str, seconds: int) -> None:
        super().__init__(f"{code}: again in {seconds} s")
        self.code = code
        self.seconds = seconds


class _ClosedError(Exception):
    """The job is final already: nothing of it runs."""

    def __init__(self, job: Job) -> None:
        super().__init__(job.job_id)
        self.job = job


@dataclass(frozen=True)
class Worker:
    """Runs the jobs of one model. `model` is None before the first release.

    `store` puts a large result where it is kept, under a key; `knows` tells whether a client has
    registered a callback's name; `write` takes lines of the prediction log.
    """

    name: str
    model: ServedModel | None
    jobs: Jobs
    once: Once
    store: Callable[[str, bytes], None]
    callbacks: Sender
    knows: Callable[[str, str], bool]
    log: PredictionLog
    write: Callable[[str], Any]
    policy: Policy
    clock: Callable[[], float] = time.time

    def run_job(self, text: str, receives: int) -> Job:
        """Bring the job of a message to its final state, tell it, and return the job.

        `receives` counts how often the message came, from 1. Whatever crashes in between, the same
        message does the rest. Raises PoisonError, or TryAgainError where another attempt may help.
        """
        message = parse(text, self.name)
        job = self._finished(message, receives)
        tell(job, self.jobs, self.callbacks)
        return job

    def _finished(self, message: JobMessage, receives: int) -> Job:
        callback = message.callback
        try:
            if self._now() - message.posted_ms > self.policy.max_age_seconds * 1000:
                told = f"It waited for more than {self.policy.max_age_seconds} s: post it again."
                outcome = _error(EXPIRED, BoringError("job_expired", told))
            else:
                request = self._read(message)
                outcome = self._run_once(message, request, receives)
        except _ClosedError as closed:
            return closed.job
        except BoringError as refusal:
            outcome = _error(REFUSED, refusal)
            self._log(message, receives, [], code=refusal.code)
            if refusal.code == "callback_unknown":
                callback = None
        first = outcome.pop("job_id", message.job_id)
        return self.jobs.finish(
            message,
            outcome.pop("status"),
            outcome,
            self._now(),
            callback=callback,
            same_as=None if first == message.job_id else first,
        )

    def _read(self, message: JobMessage) -> JobRequest | None:
        """Return the request. None where there is no model yet that could tell what is one."""
        check_key(message.idempotency_key)
        if self.model is None:
            return None
        request = parse_request(message.body, self.model.contract)
        name = request.callback
        if name is not None and not self.knows(message.client, name):
            told = f"You have no callback endpoint {name!r}: register it, or leave it out."
            raise BoringError("callback_unknown", told, field="$.callback")
        return request

    def _run_once(self, message: JobMessage, request: JobRequest | None, receives: int) -> Outcome:
        key = [message.client, message.model, message.idempotency_key or message.job_id]
        try:
            return self.once.run(
                key, message.body_digest, lambda: self._attempt(message, request, receives)
            )
        except BoringError as error:
            if error.code == "in_progress":
                raise TryAgainError(error.code, self._wait(receives)) from error
            raise

    def _attempt(self, message: JobMessage, request: JobRequest | None, receives: int) -> Outcome:
        there = self.jobs.begin(message, message.callback, self._now())
        if there is not None:
            raise _ClosedError(there)
        begin = time.perf_counter()
        lines: list[str] = []
        try:
            if self.model is None or request is None:
                told = f"No version of {self.name} has been released yet."
                raise BoringError("model_not_released", told)
            result, lines = self._predicted(self.model, request)
            outcome = {"status": SUCCEEDED, **self._kept(message, result)}
        except Exception as error:
            refusal = error if isinstance(error, BoringError) else _internal(error)
            milliseconds = (time.perf_counter() - begin) * 1000
            self._log(message, receives, lines, code=refusal.code, latency_ms=milliseconds)
            if refusal.status < 500:
                outcome = _error(REFUSED, refusal)
            elif receives >= self.policy.attempts:
                outcome = _error(FAILED, refusal)
            else:
                self.jobs.release(message)
                raise TryAgainError(refusal.code, self._pause(receives)) from error
        else:
            self._log(message, receives, lines, latency_ms=(time.perf_counter() - begin) * 1000)
        version = self.model.version if self.model else None
        return {"job_id": message.job_id, "model_version": version, **outcome}

    def _predicted(
        self, model: ServedModel, request: JobRequest
    ) -> tuple[dict[str, Any], list[str]]:
        records = records_of(request, model.decoder)
        if isinstance(records, list):
            shown, lines = Outcomes(model).of(records)
            return {"predictions": [orjson.loads(f"{{{one}}}") for one in shown]}, lines
        only, line = Outcomes(model).of_one(records)
        return orjson.loads(f"{{{only}}}"), [line]

    def _kept(self, message: JobMessage, result: Mapping[str, Any]) -> Outcome:
        encoded = orjson.dumps(result)
        if len(encoded) <= INLINE_BYTES:
            return {"result": dict(result)}
        # Of this attempt alone: another one, with another version perhaps, never writes over it.
        key = f"results/{message.job_id}/{uuid4().hex}.json"
        self.store(key, encoded)
        return {"result_key": key}

    def _log(
        self,
        message: JobMessage,
        receives: int,
        lines: list[str],
        *,
        code: str | None = None,
        latency_ms: float = 0.0,
    ) -> None:
        fields = {
            "stage": None,
            "request_id": message.job_id,
            "upstream_request_id": message.upstream_request_id,
            "trace_id": message.trace_id,
            "attempt": receives,
            "queue_ms": max(0, self._now() - message.posted_ms),
        }
        failed = code is not None and BoringError(code, "").status >= 500
        told = self.log.lines(
            members_of(fields),
            [] if code else lines,
            code=code,
            failed=failed,
            latency_ms=latency_ms,
        )
        self.write(told)

    def _wait(self, receives: int) -> int:
        """Return the seconds until a key that is in progress may be free.

        A message that came before had a worker, which died: it blocks its key until its time would
        have been up, and each look before that is a receive of the few that the queue gives.
        """
        if receives == 1:
            return self.policy.lease_seconds
        return max(self.policy.lease_seconds, self.policy.timeout_seconds)

    def _pause(self, receives: int) -> int:
        return int(min(self.policy.lease_seconds * 2 ** (receives - 1), _LONGEST_PAUSE))

    def _now(self) -> int:
        return int(self.clock() * 1000)


def _internal(error: Exception) -> BoringError:
    # The cause is for the log; a client is told what it can do.
    logger.error("a prediction failed", exc_info=error)
    return BoringError("internal_error", "The service failed: post the job again.")


def _error(status: str, error: BoringError) -> Outcome:
    return {"status": status, **error.body()}
