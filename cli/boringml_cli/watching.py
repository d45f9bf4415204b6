"""Watch an execution of a state machine until it ends."""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from boringml.errors import BoringError

# Polls are quick at first, then as rare as an account with many of them wants.
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 2.0
_REASON = re.compile(r"(?P<code>[a-z][a-z0-9_]*): (?P<message>.+)", re.DOTALL)


@dataclass(frozen=True)
class Entered:
    """A state that an execution entered, `seconds` after it began."""

    state: str
    at: datetime
    seconds: float


@dataclass(frozen=True)
class Learned:
    """Why a step decided as it did, such as how far a comparison is, `seconds` after the begin."""

    seconds: float
    reasons: str


class Watcher:
    """Watches standard executions. `client` is a boto3 client of Step Functions."""

    def __init__(self, client: Any, pause: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._pause = pause

    def watch(
        self, execution: str, seconds: float | None = None
    ) -> Iterator[list[Entered | Learned]]:
        """Yield what happened in an execution since the last look, again and again until it ended.

        Raises TimeoutError after `seconds`. What it ended with, `result` tells.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        last, pause = 0, FIRST_PAUSE_SECONDS
        while True:
            # Asked first: an execution that had ended by then has its whole history.
            ended = self._status(execution)
            events = self._events_after(execution, last)
            last = events[-1]["id"] if events else last
            told = (_told(event, ended["startDate"]) for event in events)
            yield [one for one in told if one is not None]
            if ended["status"] != "RUNNING":
                return
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError(execution)
            self._pause(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)

    def result(self, execution: str) -> Any:
        """Return the output of an execution that succeeded.

        Raises BoringError with the code of the reason where it has one, else `execution_failed`,
        `execution_timed_out` or `execution_aborted`.
        """
        found = self._status(execution)
        if found["status"] == "SUCCEEDED":
            return json.loads(found["output"])
        told = ": ".join(text for text in (found.get("error"), found.get("cause")) if text)
        reason = _REASON.fullmatch(found.get("cause") or "")
        code = reason["code"] if reason else f"execution_{found['status'].lower()}"
        message = reason["message"] if reason else told or "It says no reason."
        raise BoringError(code, message, execution=execution, ended_as=found["status"])

    def _status(self, execution: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._client.describe_execution(executionArn=execution)
        return answer

    def _events_after(self, execution: str, last: int) -> list[dict[str, Any]]:
        """Return the events after number `last`, oldest first, reading no more pages than those."""
        pages = self._client.get_paginator("get_execution_history").paginate(
            executionArn=execution, reverseOrder=True, PaginationConfig={"PageSize": 100}
        )
        found: list[dict[str, Any]] = []
        for page in pages:
            new = [event for event in page["events"] if event["id"] > last]
            found.extend(new)
            if len(new) < len(page["events"]):
                break
        return found[::-1]


def _told(event: Mapping[str, Any], start: datetime) -> Entered | Learned | None:
    at, kind = event["timestamp"], event["type"]
    seconds = (at - start).total_seconds()
    if kind.endswith("StateEntered"):
        return Entered(event["stateEnteredEventDetails"]["name"], at, seconds)
    if kind == "TaskStateExited":
        reasons = _reasons(event["stateExitedEventDetails"].get("output"))
        return Learned(seconds, reasons) if reasons else None
    return None


def _reasons(output: str | None) -> str:
    """Return `reasons` of what a function answered, which the output of its state has."""
    found = json.loads(output) if output else None
    payload = found.get("Payload") if isinstance(found, dict) else None
    reasons = payload.get("reasons") if isinstance(payload, dict) else None
    return "; ".join(map(str, reasons)) if isinstance(reasons, list) else ""
