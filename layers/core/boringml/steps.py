"""How a state machine's Lambda steps start, log and fail, the same for all."""

import json
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from boringml.errors import BoringError

Step = Callable[[Mapping[str, Any]], Mapping[str, Any]]
# A refusal with one of these statuses may succeed when asked again.
_PASSING = frozenset({409, 429, 503})


class Refused(Exception):  # noqa: N818 - the name is what state machines match
    """A refusal that asking again cannot change; its text is `code: message`."""


class Retryable(Exception):  # noqa: N818 - the name is what state machines match
    """A refusal that time may heal: Retry names it."""


def run_step(name: str, step: Step, event: Mapping[str, Any], request_id: str) -> dict[str, Any]:
    """Return what `step` makes of `event`, with one log line for how it went.

    Lambda reports an exception's class as its error type, so BoringError leaves here as
    `Refused` or `Retryable`, which is what the state machines catch and retry by name.
    """
    try:
        result = dict(step(event))
    except BoringError as error:
        _log("ERROR", name, request_id, code=error.code, message=error.message)
        kind = Retryable if error.status in _PASSING else Refused
        raise kind(str(error)) from error
    _log("INFO", name, request_id, result=result)
    return result


def reason_of(error: str | None, cause: str | None) -> dict[str, str]:
    """Return {"code", "message"} of a state machine's errorOutput.

    A Lambda step's cause is JSON whose errorMessage is `code: message`; a SageMaker job's cause is
    its description, whose FailureReason tells; anything else keeps its own words.
    """
    text = cause or ""
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if isinstance(told, dict):
        if told.get("errorType") in ("Refused", "Retryable"):
            code, _, message = str(told.get("errorMessage", "")).partition(": ")
            return {"code": code, "message": message}
        for job in ("Training", "Transform"):
            if f"{job}JobName" in told:
                message = str(told.get("FailureReason") or told.get(f"{job}JobStatus"))
                return {"code": f"{job.lower()}_job_failed", "message": message[:1024]}
        text = str(told.get("errorMessage", text))
    if error == "States.Timeout":
        return {"code": "timeout", "message": text or "A step ran out of its time."}
    return {"code": "step_failed", "message": f"{error or 'unknown'}: {text}"[:1024]}


def _log(level: str, step: str, request_id: str, **fields: Any) -> None:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    line = {"level": level, "timestamp": now, "step": step, "request_id": request_id, **fields}
    sys.stdout.write(json.dumps(line, default=str) + "\n")
