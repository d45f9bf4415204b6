"""A state machine of the local AWS may do what its role may, and no more."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.local.machines import Machines, only, task
from tests.integration.local.training_world import TrainingWorld, allow, unique, until, world

pytestmark = pytest.mark.local_aws
__all__ = ["world"]

HERE = "us-east-1:000000000000"


@pytest.fixture
def machines(world: TrainingWorld) -> Machines:
    """The maker of state machines."""
    return Machines(world)


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


def cases(machines: Machines, table: str) -> dict[str, tuple[dict[str, Any], str, str, str]]:
    """Return, by resource: a state, the action and ARN it needs, and the error without."""
    world = machines.world
    world.put("readable", "x")
    queue = unique("queue")
    url = world.client("sqs").create_queue(QueueName=queue)["QueueUrl"]
    child = machines.create(only({"Type": "Succeed"}))
    function = machines.function()
    table_arn = f"arn:aws:dynamodb:{HERE}:table/{table}"
    item = {"TableName": table, "Item": {"pk": {"S": "a"}}}
    entry = {"Source": "boringml", "DetailType": "ModelRegistered", "Detail": {}}
    return {
        "lambda": (
            task("lambda:invoke", {"FunctionName": function, "Payload": {}}),
            "lambda:InvokeFunction",
            f"arn:aws:lambda:{HERE}:function:{function}",
            "Lambda.AWSLambdaException",
        ),
        "lambda arn": (
            task(f"arn:aws:lambda:{HERE}:function:{function}", {}),
            "lambda:InvokeFunction",
            f"arn:aws:lambda:{HERE}:function:{function}",
            "Lambda.AWSLambdaException",
        ),
        "dynamodb": (
            task("dynamodb:putItem", item),
            "dynamodb:PutItem",
            table_arn,
            "DynamoDB.AmazonDynamoDBException",
        ),
        "dynamodb sdk": (
            task("aws-sdk:dynamodb:putItem", item),
            "dynamodb:PutItem",
            table_arn,
            "DynamoDb.DynamoDbException",
        ),
        "dynamodb transaction": (
            task("aws-sdk:dynamodb:transactWriteItems", {"TransactItems": [{"Put": item}]}),
            "dynamodb:PutItem",
            table_arn,
            "DynamoDb.DynamoDbException",
        ),
        "s3": (
            task("aws-sdk:s3:getObject", {"Bucket": world.bucket, "Key": "readable"}),
            "s3:GetObject",
            f"arn:aws:s3:::{world.bucket}/readable",
            "S3.S3Exception",
        ),
        "sqs": (
            task("sqs:sendMessage", {"QueueUrl": url, "MessageBody": "x"}),
            "sqs:SendMessage",
            f"arn:aws:sqs:{HERE}:{queue}",
            "SQS.AmazonSQSException",
        ),
        "events": (
            task("events:putEvents", {"Entries": [entry]}),
            "events:PutEvents",
            f"arn:aws:events:{HERE}:event-bus/default",
            "EventBridge.AmazonEventBridgeException",
        ),
        "states": (
            task("states:startExecution", {"StateMachineArn": child, "Input": {}}),
            "states:StartExecution",
            child,
            "StepFunctions.AWSStepFunctionsException",
        ),
    }


def test_each_integration_needs_its_action_on_its_resource(machines: Machines, table: str) -> None:
    tried = []
    for name, (state, action, arn, error) in cases(machines, table).items():
        refused = ("FAILED", error)
        for statements, expected in (
            ([allow(action, arn)], ("SUCCEEDED", None)),
            ([allow(action, f"{arn}-of-another")], refused),
            ([allow("logs:*")], refused),
            ([allow("*"), {**allow(action, arn), "Effect": "Deny"}], refused),
        ):
            execution = machines.start(machines.create(only(state), *statements))
            tried.append((name, statements, action, expected, execution))
    for name, statements, action, expected, execution in tried:
        found = machines.ended(execution)
        assert (found["status"], found.get("error")) == expected, (name, statements, found)
        if expected[1]:
            assert f"not authorized to perform: {action}" in found["cause"]


def test_an_alias_needs_the_right_to_the_alias(machines: Machines) -> None:
    function, client = machines.function(), machines.world.client("lambda")
    version = client.publish_version(FunctionName=function)["Version"]
    client.create_alias(FunctionName=function, Name="rights", FunctionVersion=version)
    arguments = {"FunctionName": function, "Qualifier": "rights", "Payload": {}}
    state = task("lambda:invoke", arguments)
    arn = f"arn:aws:lambda:{HERE}:function:{function}"
    assert machines.run(only(state), allow("lambda:*", arn))["status"] == "FAILED"
    assert machines.run(only(state), allow("lambda:*", f"{arn}:rights"))["status"] == "SUCCEEDED"


def test_branches_and_iterations_act_with_the_same_role(machines: Machines, table: str) -> None:
    put = task("dynamodb:putItem", {"TableName": table, "Item": {"pk": {"S": "a"}}})
    inner = {"StartAt": "Put", "States": {"Put": put}}
    for state in (
        {"Type": "Parallel", "Branches": [inner], "End": True},
        {"Type": "Map", "Items": [1], "ItemProcessor": inner, "End": True},
    ):
        refused = machines.run(only(state), allow("logs:*"))
        assert refused["error"] == "DynamoDB.AmazonDynamoDBException"


def test_a_machine_needs_a_role_that_trusts_it(machines: Machines) -> None:
    role = machines.world.role("lambda", allow("*"))
    with pytest.raises(ClientError) as caught:
        machines.create(only({"Type": "Succeed"}), role=role)
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"


@pytest.mark.parametrize(
    ("resource", "rule"),
    [
        (
            "sagemaker:createTrainingJob.sync",
            "StepFunctionsGetEventsForSageMakerTrainingJobsRule",
        ),
        (
            "states:startExecution.sync:2",
            "StepFunctionsGetEventsForStepFunctionsExecutionRule",
        ),
    ],
)
def test_sync_needs_the_right_to_the_managed_rule(
    machines: Machines, resource: str, rule: str
) -> None:
    definition = only(task(resource, {}))
    with pytest.raises(ClientError, match="not authorized to create managed-rule"):
        machines.create(definition, allow(["sagemaker:*", "states:*", "iam:PassRole"]))
    arn = f"arn:aws:events:{HERE}:rule/{rule}"
    rights = allow(["events:PutTargets", "events:PutRule", "events:DescribeRule"], arn)
    machine = machines.create(only({"Type": "Succeed"}), allow("logs:*"))
    with pytest.raises(ClientError, match="not authorized to create managed-rule"):
        machines.states.update_state_machine(
            stateMachineArn=machine,
            definition=json.dumps({"QueryLanguage": "JSONata", **definition}),
        )
    assert machines.create(definition, rights)


@pytest.mark.parametrize(("with_rights", "status"), [(False, "FAILED"), (True, "COMPLETE")])
def test_a_stack_with_such_a_machine_fails_without_the_right(
    world: TrainingWorld, with_rights: bool, status: str
) -> None:
    statements = [allow(["events:PutTargets", "events:PutRule", "events:DescribeRule"])]
    role = world.role("states", *(statements if with_rights else [allow("logs:*")]))
    definition = {"QueryLanguage": "JSONata"} | only(task("sagemaker:createTrainingJob.sync", {}))
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {"RoleArn": role, "DefinitionString": json.dumps(definition)},
    }
    cloudformation, name = world.client("cloudformation"), unique("stack")
    cloudformation.create_stack(
        StackName=name,
        OnFailure="DO_NOTHING",
        TemplateBody=json.dumps({"Resources": {"Machine": machine}}),
    )

    def look() -> dict[str, Any] | None:
        stack: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        return None if stack["StackStatus"].endswith("IN_PROGRESS") else stack

    assert until(look)["StackStatus"] == f"CREATE_{status}"
