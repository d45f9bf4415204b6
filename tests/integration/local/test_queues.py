"""Queues of the local AWS: hidden messages, receives that count, threads, and secrets."""

import json
import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.server import LocalAWS
from tests.integration.local.conftest import MakeFunction, unique, until

pytestmark = pytest.mark.local_aws


@pytest.fixture
def queue(local_aws: LocalAWS) -> str:
    return str(local_aws.client("sqs").create_queue(QueueName=unique("queue"))["QueueUrl"])


def arn_of(sqs: Any, url: str) -> str:
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(found["Attributes"]["QueueArn"])


@pytest.mark.parametrize("seconds", [43_201, -1])
def test_no_message_is_hidden_for_longer_than_twelve_hours(
    local_aws: LocalAWS, queue: str, seconds: int
) -> None:
    sqs = local_aws.client("sqs")
    sqs.send_message(QueueUrl=queue, MessageBody="one")
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    handle = message["ReceiptHandle"]
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        sqs.change_message_visibility(
            QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=seconds
        )
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=0)
    assert len(sqs.receive_message(QueueUrl=queue)["Messages"]) == 1


def test_twelve_hours_are_counted_from_when_it_was_received(
    local_aws: LocalAWS, queue: str
) -> None:
    sqs = local_aws.client("sqs")
    sqs.send_message(QueueUrl=queue, MessageBody="one")
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    with pytest.raises(ClientError, match="beyond the limit"):
        sqs.change_message_visibility(
            QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=43_200
        )


def test_a_function_puts_off_its_message_and_each_receive_counts_until_the_dead_queue(
    local_aws: LocalAWS, make_function: MakeFunction, queue: str
) -> None:
    sqs, iam = local_aws.client("sqs"), local_aws.client("iam")
    dead = sqs.create_queue(QueueName=unique("dead"))["QueueUrl"]
    sqs.set_queue_attributes(
        QueueUrl=queue,
        Attributes={
            # What is not put off would come back in a minute.
            "VisibilityTimeout": "60",
            "RedrivePolicy": json.dumps(
                {"deadLetterTargetArn": arn_of(sqs, dead), "maxReceiveCount": 3}
            ),
        },
    )
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}
    role = iam.create_role(
        RoleName=unique("putting-off"),
        AssumeRolePolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{**trust, "Action": "sts:AssumeRole"}]}
        ),
    )["Role"]
    allow = {"Effect": "Allow", "Action": "sqs:*", "Resource": arn_of(sqs, queue)}
    iam.put_role_policy(
        RoleName=role["RoleName"],
        PolicyName="queue",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    )
    counts = sqs.create_queue(QueueName=unique("counts"))["QueueUrl"]
    iam.put_role_policy(
        RoleName=role["RoleName"],
        PolicyName="counts",
        PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{**allow, "Resource": arn_of(sqs, counts)}]}
        ),
    )
    name = make_function(
        "import boto3\n"
        "def handler(event, context):\n"
        "    sqs, left = boto3.client('sqs'), []\n"
        "    for record in event['Records']:\n"
        f"        sqs.change_message_visibility(QueueUrl={queue!r},\n"
        "            ReceiptHandle=record['receiptHandle'], VisibilityTimeout=1)\n"
        f"        sqs.send_message(QueueUrl={counts!r},\n"
        "            MessageBody=record['attributes']['ApproximateReceiveCount'])\n"
        "        left.append({'itemIdentifier': record['messageId']})\n"
        "    return {'batchItemFailures': left}\n",
        Role=role["Arn"],
    )
    local_aws.client("lambda").create_event_source_mapping(
        FunctionName=name,
        EventSourceArn=arn_of(sqs, queue),
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    sqs.send_message(QueueUrl=queue, MessageBody="one")
    buried = until(
        lambda: sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=1).get("Messages"), 30
    )
    assert [message["Body"] for message in buried] == ["one"]
    told = sqs.receive_message(QueueUrl=counts, MaxNumberOfMessages=10)["Messages"]
    assert sorted(message["Body"] for message in told) == ["1", "2", "3"]


def test_no_message_is_lost_or_doubled_while_a_mapping_and_a_client_delete_others(
    local_aws: LocalAWS, make_function: MakeFunction, queue: str
) -> None:
    sqs = local_aws.client("sqs")
    name = make_function("def handler(event, context):\n    return {'batchItemFailures': []}\n")
    local_aws.client("lambda").create_event_source_mapping(
        FunctionName=name, EventSourceArn=arn_of(sqs, queue), BatchSize=1
    )

    def send(count: int) -> None:
        own = local_aws.client("sqs")
        for _ in range(count):
            own.send_message(QueueUrl=queue, MessageBody="x")

    received: list[str] = []
    sent = threading.Event()

    def receive() -> None:
        own = local_aws.client("sqs")
        while not sent.is_set():
            for message in own.receive_message(QueueUrl=queue).get("Messages", []):
                received.append(message["MessageId"])
                own.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])

    receiver = threading.Thread(target=receive)
    senders = [threading.Thread(target=send, args=[100]) for _ in range(4)]
    for thread in (receiver, *senders):
        thread.start()
    for sender in senders:
        sender.join()
    sent.set()
    receiver.join()
    logs = local_aws.client("logs")

    def handled() -> int:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/{name}", filterPattern="START"
        )
        return sum(len(page["events"]) for page in pages)

    until(lambda: handled() + len(received) >= 400, 90)
    assert handled() + len(received) == 400


def test_a_role_reads_the_secrets_below_its_prefix_and_no_other(local_aws: LocalAWS) -> None:
    iam, secrets = local_aws.client("iam"), local_aws.client("secretsmanager")
    prefix, user = unique("prefix"), unique("user")
    mine = secrets.create_secret(Name=f"{prefix}/callbacks/one", SecretString="a")["ARN"]
    other = secrets.create_secret(Name=f"{prefix}/other", SecretString="b")["ARN"]
    iam.create_user(UserName=user)
    allow = {
        "Effect": "Allow",
        "Action": "secretsmanager:GetSecretValue",
        "Resource": f"arn:aws:secretsmanager:us-east-1:000000000000:secret:{prefix}/callbacks/*",
    }
    iam.put_user_policy(
        UserName=user,
        PolicyName="read",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    )
    key = iam.create_access_key(UserName=user)["AccessKey"]
    own = local_aws.client(
        "secretsmanager",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    assert own.get_secret_value(SecretId=mine)["SecretString"] == "a"
    with pytest.raises(ClientError, match="AccessDenied"):
        own.get_secret_value(SecretId=other)
    with pytest.raises(ClientError, match="AccessDenied"):
        own.put_secret_value(SecretId=mine, SecretString="c")
