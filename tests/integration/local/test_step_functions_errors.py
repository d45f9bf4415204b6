"""Errors, Retry and Catch in state machines of the local AWS."""

import json
from typing import Any

import pytest

from tests.integration.local.machines import Machines, catching, only, task
from tests.integration.local.training_world import TrainingWorld, unique, world

pytestmark = pytest.mark.local_aws
__all__ = ["world"]


@pytest.fixture
def machines(world: TrainingWorld) -> Machines:
    """The maker of state machines."""
    return Machines(world)


def invoke(function: str, payload: Any, **members: Any) -> dict[str, Any]:
    """Return a state that invokes a function."""
    return task("lambda:invoke", {"FunctionName": function, "Payload": payload}, **members)


def test_a_retry_by_a_functions_exception_class_retries(machines: Machines) -> None:
    retry = [{"ErrorEquals": ["NoSuchColumn"], "IntervalSeconds": 1, "MaxAttempts": 2}]
    output = machines.output(
        only(invoke(machines.function(), {"who": "retry", "fail": 2}, Retry=retry))
    )
    assert output["Payload"]["calls"] == 3


def test_a_catch_by_a_functions_exception_class_gets_its_message(machines: Machines) -> None:
    function = machines.function()
    caught = machines.output(
        only(invoke(function, {"who": "catch", "fail": 1}, Catch=catching("NoSuchColumn")))
    )
    assert caught["Error"] == "NoSuchColumn"
    assert json.loads(caught["Cause"])["errorMessage"] == "term"
    execution = machines.run(
        only(invoke(function, {"who": "other", "fail": 9}, Catch=catching("ValueError")))
    )
    assert (execution["status"], execution["error"]) == ("FAILED", "NoSuchColumn")


def test_a_throttled_invocation_is_caught_by_its_name(machines: Machines) -> None:
    function = machines.function("def handler(event, context):\n    return {}\n")
    machines.world.client("lambda").put_function_concurrency(
        FunctionName=function, ReservedConcurrentExecutions=0
    )
    throttled = "Lambda.TooManyRequestsException"
    caught = machines.output(only(invoke(function, {}, Catch=catching(throttled))))
    assert caught["Error"] == throttled


def test_a_function_is_invoked_by_qualifier_and_names_the_version(machines: Machines) -> None:
    function, client = machines.function(), machines.world.client("lambda")
    version = client.publish_version(FunctionName=function)["Version"]
    client.create_alias(FunctionName=function, Name="live", FunctionVersion=version)
    arguments = {"FunctionName": function, "Qualifier": "live", "Payload": {}}
    output = machines.output(only(task("lambda:invoke", arguments)))
    assert output["StatusCode"] == 200
    assert output["ExecutedVersion"] == output["Payload"]["version"] == version
    latest = machines.output(only(task("lambda:invoke", {"FunctionName": function})))
    assert latest["ExecutedVersion"] == "$LATEST"


@pytest.mark.parametrize(
    ("resource", "code", "name"),
    [
        ("dynamodb:getItem", "unmodelled", "DynamoDB.AmazonDynamoDBException"),
        ("aws-sdk:dynamodb:getItem", "unmodelled", "DynamoDb.DynamoDbException"),
        ("dynamodb:putItem", "condition", "DynamoDB.ConditionalCheckFailedException"),
        ("aws-sdk:dynamodb:putItem", "condition", "DynamoDb.ConditionalCheckFailedException"),
        ("aws-sdk:s3:getObject", "key", "S3.NoSuchKeyException"),
        ("aws-sdk:sqs:getQueueUrl", "queue", "Sqs.QueueDoesNotExistException"),
    ],
)
def test_errors_of_services_have_the_names_of_aws(
    machines: Machines, table: str, resource: str, code: str, name: str
) -> None:
    arguments: dict[str, Any] = {
        "unmodelled": {"TableName": table, "Key": {"wrong": {"S": "a"}}},
        "condition": {
            "TableName": table,
            "Item": {"pk": {"S": "a"}},
            "ConditionExpression": "attribute_exists(pk)",
        },
        "key": {"Bucket": machines.world.bucket, "Key": "none"},
        "queue": {"QueueName": "none"},
    }[code]
    execution = machines.run(only(task(resource, arguments)))
    assert execution["error"] == name


@pytest.fixture
def table(world: TrainingWorld) -> str:
    """The name of an empty table with the key pk."""
    name = unique("table")
    world.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
    )
    return name


def test_tables_are_written_by_both_integrations(machines: Machines, table: str) -> None:
    item = {"pk": {"S": "a"}, "n": {"N": "{% $string($states.input.n) %}"}}
    states = {
        "Put": task("dynamodb:putItem", {"TableName": table, "Item": item}, Next="Write"),
        "Write": task(
            "aws-sdk:dynamodb:transactWriteItems",
            {"TransactItems": [{"Put": {"TableName": table, "Item": {"pk": {"S": "b"}}}}]},
            Next="Get",
        ),
        "Get": task("dynamodb:getItem", {"TableName": table, "Key": {"pk": {"S": "a"}}}),
    }
    output = machines.output({"StartAt": "Put", "States": states}, value={"n": 4})
    assert output["Item"] == {"pk": {"S": "a"}, "n": {"N": "4"}}
    assert machines.world.client("dynamodb").scan(TableName=table)["Count"] == 2


def test_what_is_not_emulated_is_never_caught(machines: Machines) -> None:
    executions = [
        machines.start(machines.create(only(task(resource, {}, Catch=catching(name)))))
        for resource in (
            "athena:startQueryExecution",
            "aws-sdk:comprehend:listEndpoints",
            "aws-sdk:sagemaker:listModels",
            "aws-sdk:dynamodb:noSuchOperation",
            "arn:aws:states:us-east-1:000000000000:nothing",
        )
        for name in ("States.ALL", "States.TaskFailed", "States.Runtime")
    ]
    for execution in executions:
        found = machines.ended(execution)
        assert (found["status"], found.get("error")) == ("FAILED", "States.Runtime"), found


def test_a_result_beyond_256_kib_fails_the_task(machines: Machines) -> None:
    world = machines.world
    world.put("large", "x" * 262_145)
    state = task("aws-sdk:s3:getObject", {"Bucket": world.bucket, "Key": "large"})
    assert machines.run(only(state))["error"] == "States.DataLimitExceeded"
    state["Catch"] = catching("States.ALL")
    assert machines.run(only(state))["error"] == "States.DataLimitExceeded"
    state["Catch"] = catching("States.DataLimitExceeded")
    assert machines.output(only(state))["Error"] == "States.DataLimitExceeded"


def test_an_input_beyond_256_kib_is_refused(machines: Machines) -> None:
    machine = machines.create(only({"Type": "Succeed"}))
    with pytest.raises(machines.states.exceptions.InvalidExecutionInput):
        machines.start(machine, "x" * 262_144)
