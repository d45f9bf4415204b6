"""Wait for executions of a state machine, saying each state as it is entered."""

import json
import time
from datetime import datetime
from typing import Any

from local.telling import EVERY_SECONDS, Say


class ExecutionFailedError(RuntimeError):
    """An execution did not succeed; the message is its own."""


def started_after(client: Any, machine: str, known: set[str], seconds: float = 60) -> str:
    """Return the first execution of a machine that is not among `known`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for item in client.list_executions(stateMachineArn=machine)["executions"]:
            if item["executionArn"] not in known:
                return str(item["executionArn"])
        time.sleep(0.1)
    raise ExecutionFailedError(f"no execution of {machine} began within {seconds:.0f} s")


def executions(client: Any, machine: str) -> set[str]:
    """Return the ARNs of a machine's executions."""
    pages = client.get_paginator("list_executions").paginate(stateMachineArn=machine)
    return {item["executionArn"] for page in pages for item in page["executions"]}


def follow(client: Any, execution: str, say: Say, seconds: float = 600) -> dict[str, Any]:
    """Return the output of an execution, once it has succeeded. Raises ExecutionFailedError.

    Where nothing new happens, the last state is said again each EVERY_SECONDS.
    """
    deadline = time.monotonic() + seconds
    said: set[int] = set()
    last = "waiting to begin"
    begin: datetime | None = None
    since = spoke = time.monotonic()
    while time.monotonic() < deadline:
        status = client.describe_execution(executionArn=execution)
        pages = client.get_paginator("get_execution_history").paginate(executionArn=execution)
        for event in (event for page in pages for event in page["events"]):
            begin = begin or event["timestamp"]
            if event["id"] not in said and event["type"] == "TaskStateEntered":
                name = event["stateEnteredEventDetails"]["name"]
                after = (event["timestamp"] - begin).total_seconds()
                # A state that looks again and again is said once.
                if name != last:
                    say(f"  {after:5.1f} s  {name}")
                    since = spoke = time.monotonic()
                last = name
            said.add(event["id"])
        if status["status"] == "SUCCEEDED":
            output: dict[str, Any] = json.loads(status["output"])
            return output
        if status["status"] != "RUNNING":
            raise ExecutionFailedError(f"{status.get('error')}: {status.get('cause')}")
        if time.monotonic() - spoke >= EVERY_SECONDS:
            spoke = time.monotonic()
            say(f"           still {last}: {spoke - since:.0f} s")
        time.sleep(0.1)
    raise ExecutionFailedError(f"{execution} runs longer than {seconds:.0f} s")
