"""Rules and schedules call only what they may."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.server import LocalAWS
from tests.integration.local.conftest import MakeFunction, unique, until

MACHINE = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
ACCOUNT = "arn:aws:iam::000000000000"


def make_role(local_aws: LocalAWS, service: str, *actions: str) -> str:
    """Return the ARN of a role that a service may take, with permission to these actions."""
    iam = local_aws.client("iam")
    name = unique("role")
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
    if actions:
        allow = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy)
    return f"{ACCOUNT}:role/{name}"


@pytest.fixture
def machine(local_aws: LocalAWS) -> tuple[str, Callable[[], int]]:
    """The ARN of a state machine, and how many executions it had."""
    client = local_aws.client("stepfunctions")
    arn = client.create_state_machine(
        name=unique("machine"),
        definition=json.dumps(MACHINE),
        roleArn=make_role(local_aws, "states.amazonaws.com"),
    )["stateMachineArn"]
    return arn, lambda: len(client.list_executions(stateMachineArn=arn)["executions"])


def total(local_aws: LocalAWS, namespace: str, metric: str, **dimensions: str) -> float:
    """Return the sum of a metric over the last hours."""
    now = datetime.now(UTC)
    points = local_aws.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Statistics=["Sum"],
        Period=3600,
        StartTime=now - timedelta(hours=2),
        EndTime=now + timedelta(hours=1),
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))


def send_to(local_aws: LocalAWS, target: dict[str, Any]) -> tuple[str, Any]:
    """Make a rule with a target and a queue for what fails; send one event. Return both."""
    events, sqs = local_aws.client("events"), local_aws.client("sqs")
    name = unique("rule")
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    letters = {"DeadLetterConfig": {"Arn": f"arn:aws:sqs:us-east-1:000000000000:{name}"}}
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    events.put_targets(Rule=name, Targets=[{"Id": "one", **target, **letters}])
    events.put_events(Entries=[{"Source": name, "DetailType": "Sent", "Detail": "{}"}])

    def letter() -> Any:
        found = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages")
        return json.loads(found[0]["Body"]) if found else None

    return name, letter


def test_a_rule_starts_a_state_machine_with_a_role_that_may(
    local_aws: LocalAWS, machine: tuple[str, Callable[[], int]]
) -> None:
    arn, executions = machine
    role = make_role(local_aws, "events.amazonaws.com", "states:StartExecution")
    send_to(local_aws, {"Arn": arn, "RoleArn": role})
    assert until(executions) == 1


@pytest.mark.parametrize(
    ("service", "actions"),
    [("events.amazonaws.com", []), ("lambda.amazonaws.com", ["states:StartExecution"])],
)
def test_a_rule_whose_role_may_not_sends_the_event_to_its_queue(
    local_aws: LocalAWS,
    machine: tuple[str, Callable[[], int]],
    service: str,
    actions: list[str],
) -> None:
    arn, executions = machine
    role = make_role(local_aws, service, *actions)
    name, letter = send_to(local_aws, {"Arn": arn, "RoleArn": role})
    assert until(letter)["source"] == name
    assert executions() == 0
    assert total(local_aws, "AWS/Events", "FailedInvocations", RuleName=name) == 1


def test_a_rule_without_permission_invokes_no_function(
    local_aws: LocalAWS, make_function: MakeFunction
) -> None:
    function = make_function("def handler(event, context): pass\n")
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{function}"
    _name, letter = send_to(local_aws, {"Arn": arn})
    assert until(letter)["detail-type"] == "Sent"


def test_a_schedule_starts_a_state_machine_with_its_role(
    local_aws: LocalAWS, machine: tuple[str, Callable[[], int]]
) -> None:
    arn, executions = machine
    role = make_role(local_aws, "scheduler.amazonaws.com", "states:StartExecution")
    local_aws.client("scheduler").create_schedule(
        Name=unique("schedule"),
        ScheduleExpression="at(2026-01-01T00:00:00)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": arn, "RoleArn": role},
    )
    assert until(executions) == 1


def test_a_single_alias_is_judged_by_its_own_action(
    local_aws: LocalAWS, make_function: MakeFunction
) -> None:
    iam, user = local_aws.client("iam"), unique("user")
    function = make_function("def handler(event, context): pass\n")
    local_aws.client("lambda").publish_version(FunctionName=function)
    local_aws.client("lambda").create_alias(FunctionName=function, Name="live", FunctionVersion="1")
    iam.create_user(UserName=user)
    actions = ["lambda:GetAlias", "lambda:UpdateAlias"]
    allow = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_user_policy(UserName=user, PolicyName="own", PolicyDocument=policy)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    own = local_aws.client(
        "lambda",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    assert own.get_alias(FunctionName=function, Name="live")["FunctionVersion"] == "1"
    own.update_alias(FunctionName=function, Name="live", Description="moved")
    with pytest.raises(ClientError, match="lambda:ListAliases"):
        own.list_aliases(FunctionName=function)
    with pytest.raises(ClientError, match="lambda:DeleteAlias"):
        own.delete_alias(FunctionName=function, Name="live")
