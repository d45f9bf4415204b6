"""Asynchronous invocations, and requests under a policy that demands TLS."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.server import LocalAWS
from tests.integration.local.conftest import MakeFunction, unique, until


@pytest.fixture
def failing(local_aws: LocalAWS, make_function: MakeFunction, tmp_path: Path) -> tuple[Any, ...]:
    """An alias that does not retry and tells a queue: (its ARN, calls so far, next message)."""
    client, sqs = local_aws.client("lambda"), local_aws.client("sqs")
    calls = tmp_path / "calls"
    name = make_function(
        "def handler(event, context):\n"
        f"    open({str(calls)!r}, 'a').write('x')\n"
        "    raise ValueError('no')\n"
    )
    queue = sqs.create_queue(QueueName=unique("failures"))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    client.publish_version(FunctionName=name)
    alias = client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    client.put_function_event_invoke_config(
        FunctionName=name,
        Qualifier="live",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": arn["Attributes"]["QueueArn"]}},
    )

    def message() -> Any:
        def receive() -> Any:
            return sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages")

        return json.loads(until(receive)[0]["Body"])

    return alias["AliasArn"], calls.read_text, message


def test_an_alias_is_retried_and_fails_as_its_own_configuration_says(
    local_aws: LocalAWS, failing: tuple[Any, ...]
) -> None:
    arn, calls, message = failing
    local_aws.client("lambda").invoke(FunctionName=arn, InvocationType="Event", Payload=b"1")
    assert message()["responsePayload"]["errorType"] == "ValueError"
    assert calls() == "x"


def test_a_function_that_a_rule_invoked_tells_of_its_failure(
    local_aws: LocalAWS, failing: tuple[Any, ...]
) -> None:
    arn, calls, message = failing
    events = local_aws.client("events")
    source = unique("source")
    rule = events.put_rule(Name=source, EventPattern=json.dumps({"source": [source]}))
    events.put_targets(Rule=source, Targets=[{"Id": "function", "Arn": arn}])
    name, _, alias = arn.partition(":function:")[2].partition(":")
    local_aws.client("lambda").add_permission(
        FunctionName=name,
        Qualifier=alias,
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule["RuleArn"],
    )
    events.put_events(Entries=[{"Source": source, "DetailType": "Done", "Detail": "{}"}])
    assert message()["requestPayload"]["detail-type"] == "Done"
    assert calls() == "x"


def test_a_bucket_that_demands_tls_serves_local_users(local_aws: LocalAWS) -> None:
    s3, iam = local_aws.client("s3"), local_aws.client("iam")
    bucket, user = unique("tls-only"), unique("user")
    s3.create_bucket(Bucket=bucket)
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3.put_bucket_policy(
        Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    )
    iam.create_user(UserName=user)
    allow = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    iam.put_user_policy(
        UserName=user,
        PolicyName="all",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    )
    key = iam.create_access_key(UserName=user)["AccessKey"]
    own = local_aws.client(
        "s3", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
    )
    own.put_object(Bucket=bucket, Key="one", Body=b"1")
