"""Time limits, aborts, nested executions and events of state machines of the local AWS."""

import json
from typing import Any

import pytest

from tests.integration.local.machines import Events, Machines, catching, only, task
from tests.integration.local.training_world import TrainingWorld, unique, until, world

pytestmark = pytest.mark.local_aws
__all__ = ["world"]

# SFN_WAIT_SCALE of the local AWS makes a tenth of it.
LONG: dict[str, Any] = {"Type": "Wait", "Seconds": 300, "End": True}
STATUS_CHANGE = "Step Functions Execution Status Change"
LATE = "import time\ndef handler(event, context):\n    time.sleep(1)\n    raise ValueError\n"
SLOW = "import time\ndef handler(event, context):\n    time.sleep(2)\n"


@pytest.fixture
def machines(world: TrainingWorld) -> Machines:
    """The maker of state machines."""
    return Machines(world)


def test_a_state_beyond_its_timeout_is_caught(machines: Machines) -> None:
    arguments = {"FunctionName": machines.function(SLOW), "Payload": {}}
    executions = []
    for timeout in (1, "{% $states.input.seconds %}"):
        state = task("lambda:invoke", arguments, TimeoutSeconds=timeout)
        state["Catch"] = catching("States.Timeout")
        executions.append(machines.start(machines.create(only(state)), {"seconds": 1}))
    caught = [machines.ended(execution)["output"]["Error"] for execution in executions]
    assert caught == ["States.Timeout", "States.Timeout"]


@pytest.mark.parametrize(
    ("state", "machine", "status", "error"),
    [
        ({"Type": "Succeed"}, {}, "SUCCEEDED", None),
        ({"Type": "Fail", "Error": "Bad", "Cause": "c"}, {}, "FAILED", "Bad"),
        (LONG, {"TimeoutSeconds": 1}, "TIMED_OUT", "States.Timeout"),
        (LONG, {"stop": True}, "ABORTED", "Stopped"),
    ],
)
def test_each_end_of_an_execution_has_its_status_and_event(
    machines: Machines, state: dict[str, Any], machine: dict[str, Any], status: str, error: str
) -> None:
    stop = machine.pop("stop", False) if "stop" in machine else False
    arn = machines.create(only(state, **machine))
    events = Events(
        machines.world,
        {"source": ["aws.states"], "detail": {"stateMachineArn": [arn]}},
    )
    execution = machines.start(arn, {"n": 4})
    if stop:
        machines.states.stop_execution(executionArn=execution, error="Stopped", cause="by hand")
    found = machines.ended(execution)
    assert (found["status"], found.get("error")) == (status, error)
    seen = events.until_one_is("status", status)
    assert [event["detail"]["status"] for event in seen] == ["RUNNING", status]
    assert seen[-1]["detail-type"] == STATUS_CHANGE
    assert seen[-1]["resources"] == [execution]
    assert json.loads(seen[-1]["detail"]["input"]) == {"n": 4}


def test_an_aborted_execution_stays_aborted(machines: Machines) -> None:
    state = task("lambda:invoke", {"FunctionName": machines.function(LATE), "Payload": {}})
    execution = machines.start(machines.create(only(state)))
    until(lambda: "TaskScheduled" in history(machines, execution))
    machines.states.stop_execution(executionArn=execution)
    until(lambda: "TaskFailed" in history(machines, execution))
    assert machines.ended(execution)["status"] == "ABORTED"
    assert "ExecutionFailed" not in history(machines, execution)


def history(machines: Machines, execution: str) -> list[str]:
    """Return the types of an execution's events."""
    events = machines.states.get_execution_history(executionArn=execution)["events"]
    return [event["type"] for event in events]


def test_a_nested_execution_returns_its_output(machines: Machines) -> None:
    child = machines.create(only({"Type": "Succeed", "Output": {"n": "{% $states.input.n + 1 %}"}}))
    arguments = {"StateMachineArn": child, "Input": {"n": 4}, "Name": unique("child")}
    events = Events(machines.world, {"detail": {"stateMachineArn": [child]}})
    second = machines.output(only(task("states:startExecution.sync:2", arguments)))
    assert second["Output"] == {"n": 5}
    assert second["Status"] == "SUCCEEDED"
    assert second["Name"] == arguments["Name"]
    events.until_one_is("status", "SUCCEEDED")
    arguments["Name"] = unique("child")
    first = machines.output(only(task("states:startExecution.sync", arguments)))
    assert first["Output"] == '{"n": 5}'


def test_a_nested_failure_is_a_failed_task(machines: Machines) -> None:
    child = machines.create(only({"Type": "Fail", "Error": "Bad", "Cause": "c"}))
    state = task("states:startExecution.sync:2", {"StateMachineArn": child, "Input": {}})
    state["Catch"] = catching("States.TaskFailed")
    caught = machines.output(only(state))
    cause = json.loads(caught["Cause"])
    assert (cause["Status"], cause["Error"], cause["Cause"]) == ("FAILED", "Bad", "c")


def test_a_nested_execution_ends_with_its_parent(machines: Machines) -> None:
    child = machines.create(only(LONG))
    name = unique("child")
    state = task("states:startExecution.sync:2", {"StateMachineArn": child, "Name": name})
    state["TimeoutSeconds"] = 1
    assert machines.run(only(state))["error"] == "States.Timeout"
    execution = child.replace(":stateMachine:", ":execution:") + f":{name}"
    assert machines.ended(execution)["status"] == "ABORTED"


def test_an_execution_is_started_and_left(machines: Machines) -> None:
    child = machines.create(only({"Type": "Succeed"}))
    arguments = {"StateMachineArn": child, "Input": {"from": "parent"}}
    started = machines.output(only(task("states:startExecution", arguments)))
    found = machines.ended(started["ExecutionArn"])
    assert found["status"] == "SUCCEEDED"
    assert json.loads(found["input"]) == {"from": "parent"}


def test_events_are_put_with_their_origin(machines: Machines) -> None:
    model = unique("model")
    events = Events(machines.world, {"source": ["boringml"], "detail": {"model": [model]}})
    detail = {"model": "{% $states.input.model %}", "n": {"deep": 1}}
    entry = {"Source": "boringml", "DetailType": "ModelRegistered", "Detail": detail}
    machine = machines.create(only(task("events:putEvents", {"Entries": [entry]})))
    execution = machines.start(machine, {"model": model})
    assert machines.ended(execution)["output"]["FailedEntryCount"] == 0
    (event,) = events.until_one_is("model", model)
    assert event["detail"] == {"model": model, "n": {"deep": 1}}
    assert event["resources"] == [execution, machine]


def test_a_failed_entry_fails_the_task(machines: Machines) -> None:
    entry = {"Source": "aws.boringml", "DetailType": "Forged", "Detail": {}}
    state = task("events:putEvents", {"Entries": [entry]})
    execution = machines.run(only(state))
    assert execution["error"] == "EventBridge.FailedEntry"
    assert "NotAuthorizedForSource" in execution["cause"]
