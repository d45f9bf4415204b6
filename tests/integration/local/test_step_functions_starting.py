"""Starting executions on the local AWS, and the log that they write."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.local.machines import Events, Machines, only
from tests.integration.local.training_world import TrainingWorld, allow, unique, until, world

pytestmark = pytest.mark.local_aws
__all__ = ["world"]

DONE = only({"Type": "Succeed"})
LONG = only({"Type": "Wait", "Seconds": 300, "End": True})


@pytest.fixture
def machines(world: TrainingWorld) -> Machines:
    """The maker of state machines."""
    return Machines(world)


def test_the_same_request_twice_is_one_execution(machines: Machines) -> None:
    machine, name = machines.create(LONG), unique("execution")

    def start(value: str) -> str:
        return str(
            machines.states.start_execution(stateMachineArn=machine, name=name, input=value)[
                "executionArn"
            ]
        )

    execution = start('{"n":1}')
    assert start('{"n":1}') == execution
    with pytest.raises(machines.states.exceptions.ExecutionAlreadyExists):
        start('{"n":2}')
    machines.states.stop_execution(executionArn=execution)
    with pytest.raises(machines.states.exceptions.ExecutionAlreadyExists):
        start('{"n":1}')


@pytest.mark.parametrize("name", ["a b", "a/b", "a:b", "x" * 81])
def test_a_name_that_aws_refuses_is_refused(machines: Machines, name: str) -> None:
    machine = machines.create(DONE)
    with pytest.raises(ClientError) as caught:
        machines.states.start_execution(stateMachineArn=machine, name=name)
    assert caught.value.response["Error"]["Code"] in {"InvalidName", "ValidationException"}


def test_an_express_execution_emits_no_event(machines: Machines) -> None:
    definition = json.dumps({"QueryLanguage": "JSONata", **DONE})
    express = machines.states.create_state_machine(
        name=unique("express"),
        type="EXPRESS",
        definition=definition,
        roleArn=machines.world.role("states"),
    )["stateMachineArn"]
    standard = machines.create(DONE)
    events = Events(machines.world, {"detail": {"stateMachineArn": [express, standard]}})
    machines.ended(machines.start(express))
    machines.start(standard)
    seen = events.until_one_is("status", "SUCCEEDED")
    assert {event["detail"]["stateMachineArn"] for event in seen} == {standard}


DELIVERY = allow(
    [
        "logs:CreateLogDelivery",
        "logs:GetLogDelivery",
        "logs:UpdateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:DescribeResourcePolicies",
        "logs:DescribeLogGroups",
    ]
)


def logging_machine(
    machines: Machines, state: dict[str, Any], level: str, data: bool, *statements: Any
) -> tuple[str, str]:
    """Make a machine that logs; return its ARN and its log group."""
    group = f"/aws/vendedlogs/states/{unique('log')}"
    machines.world.client("logs").create_log_group(logGroupName=group)
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{group}:*"
    created = machines.states.create_state_machine(
        name=unique("machine"),
        roleArn=machines.world.role("states", *statements),
        definition=json.dumps({"QueryLanguage": "JSONata", **only(state)}),
        loggingConfiguration={
            "level": level,
            "includeExecutionData": data,
            "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}],
        },
    )
    return str(created["stateMachineArn"]), group


@pytest.mark.parametrize(
    ("level", "data", "types"),
    [
        ("ALL", True, ["ExecutionStarted", "FailStateEntered", "ExecutionFailed"]),
        ("ALL", False, ["ExecutionStarted", "FailStateEntered", "ExecutionFailed"]),
        ("ERROR", True, ["ExecutionFailed"]),
        ("FATAL", True, ["ExecutionFailed"]),
    ],
)
def test_an_execution_is_logged_at_the_level_of_its_machine(
    machines: Machines, level: str, data: bool, types: list[str]
) -> None:
    fail = {"Type": "Fail", "Error": "Bad", "Cause": "c"}
    machine, group = logging_machine(machines, fail, level, data, DELIVERY)
    execution = machines.start(machine, {"n": 4})
    machines.ended(execution)
    logs = machines.world.client("logs")

    def look() -> list[dict[str, Any]] | None:
        events = logs.filter_log_events(logGroupName=group)["events"]
        return (
            [json.loads(event["message"]) for event in events]
            if len(events) >= len(types)
            else None
        )

    lines = until(look)
    assert [line["type"] for line in lines] == types
    assert {line["execution_arn"] for line in lines} == {execution}
    assert lines[-1]["details"]["error"] == "Bad"
    if level == "ALL":
        assert ("input" in lines[0]["details"]) is data


def test_a_machine_that_logs_needs_the_rights_to_deliver(machines: Machines) -> None:
    with pytest.raises(ClientError, match="not authorized to access the Log Destination"):
        logging_machine(machines, {"Type": "Succeed"}, "ALL", True, allow("logs:PutLogEvents"))
