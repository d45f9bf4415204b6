"""Step Functions as a script: executions whose next events come with each look at them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

BEGIN = datetime(2026, 11, 24, 12, tzinfo=UTC)


def refused(operation: str, code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "told by AWS"}}, operation)


class States:
    """A client of Step Functions. `script` is what each look at a new execution brings.

    A list has the states that were entered; "Name: why" is one that is left with a reason, too.
    """

    def __init__(self) -> None:
        self.started: list[dict[str, Any]] = []
        self.executions: dict[str, list[Any]] = {}
        self.script: list[Any] = [["PublishVersion"], ["SmokeCandidate"], {"version": 2}]
        self.tokens: dict[str, str] = {}
        self._seen: dict[str, list[dict[str, Any]]] = {}
        self._looks: dict[str, int] = {}

    def start_execution(self, **members: Any) -> dict[str, str]:
        arn = members["stateMachineArn"].replace("stateMachine", "execution")
        arn = f"{arn}:{members['name']}"
        self.started.append({**members, "input": json.loads(members["input"])})
        self.executions[arn] = list(self.script)
        return {"executionArn": arn}

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803
        if executionArn not in self.executions:
            raise refused("DescribeExecution", "ExecutionDoesNotExist")
        script = self.executions[executionArn]
        look = min(self._looks.get(executionArn, 0), len(script) - 1)
        self._looks[executionArn] = look + 1
        found: dict[str, Any] = {"status": "RUNNING", "startDate": BEGIN}
        if isinstance(script[look], list):
            self._enter(executionArn, script[look])
        elif isinstance(script[look], dict):
            found |= {"status": "SUCCEEDED", "output": json.dumps(script[look])}
        elif isinstance(script[look], tuple):
            status, error, cause = script[look]
            found |= {"status": status, "error": error, "cause": cause}
        elif script[look] is KeyboardInterrupt:
            raise KeyboardInterrupt
        return found

    def get_paginator(self, name: str) -> "States":
        assert name == "get_execution_history"
        return self

    def paginate(self, executionArn: str, **options: Any) -> Iterator[dict[str, Any]]:  # noqa: N803
        assert options["reverseOrder"]
        events = self._seen.get(executionArn, [])[::-1]
        for at in range(0, max(len(events), 1), 2):
            yield {"events": events[at : at + 2]}

    def send_task_success(self, **members: str) -> None:
        self._answer(members)

    def send_task_failure(self, **members: str) -> None:
        self._answer(members)

    def _answer(self, members: dict[str, str]) -> None:
        if members["taskToken"] in self.tokens:
            raise refused("SendTaskSuccess", "TaskTimedOut")
        self.tokens[members["taskToken"]] = json.dumps(members)

    def _enter(self, execution: str, states: list[str]) -> None:
        seen = self._seen.setdefault(execution, [])
        for entry in states:
            state, _, why = entry.partition(": ")
            number = len(seen) + 1
            moment = BEGIN + timedelta(seconds=number)
            seen.append({"id": number, "timestamp": moment, "type": "LambdaFunctionSucceeded"})
            details = {"name": state}
            seen.append(
                {"id": number + 1, "timestamp": moment, "type": "TaskStateEntered"}
                | {"stateEnteredEventDetails": details}
            )
            if why:
                left = {"name": state, "output": json.dumps({"Payload": {"reasons": [why]}})}
                seen.append(
                    {"id": number + 2, "timestamp": moment, "type": "TaskStateExited"}
                    | {"stateExitedEventDetails": left}
                )
