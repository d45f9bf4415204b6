import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from boringml.adapters.event_bus import EventBus
from boringml.adapters.executions import Executions

MACHINE = "arn:aws:states:eu-west-1:111122223333:stateMachine:release"
ONE = "arn:aws:states:eu-west-1:111122223333:execution:release:one"


class States:
    """Step Functions, where every name was used already."""

    def start_execution(self, **given: Any) -> dict[str, str]:
        assert json.loads(given["input"]) == {"model": "credit"}
        raise refused("StartExecution", "ExecutionAlreadyExists")

    def describe_execution(self, **given: Any) -> dict[str, str]:
        raise refused("DescribeExecution", "ExecutionDoesNotExist")


def refused(operation: str, code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "told by AWS"}}, operation)


def test_an_execution_that_ended_under_a_name_is_not_started_again() -> None:
    states: Any = States()
    assert Executions(states).start(MACHINE, "one", {"model": "credit"}) == ONE


@pytest.mark.parametrize("holder", [ONE, "recovery", f"recovery of {ONE}"])
def test_what_is_forgotten_and_a_recovery_are_not_under_way(holder: str) -> None:
    states: Any = States()
    assert not Executions(states).running(holder)


def test_a_recovery_is_no_execution_to_stop() -> None:
    nobody: Any = None
    Executions(nobody).stop(f"recovery of {ONE}", "RolledBack", "It took over.")


class Hearer:
    """Step Functions and EventBridge, which keep what they are given."""

    def __init__(self) -> None:
        self.given: dict[str, Any] = {}

    def start_execution(self, **given: Any) -> dict[str, str]:
        self.given = given
        return {"executionArn": ONE}

    def put_events(self, **given: Any) -> dict[str, Any]:
        self.given = given
        return {"FailedEntryCount": 0}


def test_an_execution_and_an_event_stay_in_the_trace_of_their_function(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hearer: Any = Hearer()
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-67891233-abcdef012345678912345678;Sampled=1")
    Executions(hearer).start(MACHINE, "one", {"model": "credit"})
    trace = hearer.given["traceHeader"]
    EventBus(hearer, "stack").publish("ModelPromoted", {"model": "credit"})
    assert hearer.given["Entries"][0]["TraceHeader"] == trace
    assert trace.startswith("Root=1-67891233-")
    monkeypatch.delenv("_X_AMZN_TRACE_ID")
    Executions(hearer).start(MACHINE, "one", {"model": "credit"})
    assert "traceHeader" not in hearer.given, "outside of Lambda"
