"""The function: what stays in the queue, what is buried, what rings."""

import importlib.util
import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest
from moto import mock_aws

from boringml.adapters import callback_http
from boringml.adapters.callback_endpoints import CallbackEndpoints
from boringml.adapters.callback_secrets import CACHE_SECONDS, CallbackSecrets
from boringml.jobs.callback_schedule import ATTEMPTS
from boringml.jobs.callback_signature import SigningSecrets, new_secret
from boringml.jobs.callback_target import Target
from boringml.jobs.deliver_callback import Answer
from tests.unit.registry.samples import TABLE

ROOT = Path(__file__).parents[3]
EVENT = json.loads((ROOT / "events/jobs/deliver_callback.json").read_text())
CLIENT = json.loads(EVENT["Records"][0]["body"])["client"]


class World:
    """Queues in moto, and a receiver that answers with `status`."""

    def __init__(self, app: ModuleType) -> None:
        self.app = app
        self.sqs = boto3.client("sqs")
        self.queue = self.sqs.create_queue(QueueName="callbacks")["QueueUrl"]
        self.dead = self.sqs.create_queue(QueueName="dead")["QueueUrl"]
        boto3.client("dynamodb").create_table(TableName="endpoints", **TABLE)
        self.status = 204
        secrets = CallbackSecrets(boto3.client("secretsmanager"))
        arn = secrets.create("s/callbacks/", CLIENT, "orders", SigningSecrets(new_secret()))
        endpoints = CallbackEndpoints(boto3.client("dynamodb"), "endpoints")
        endpoints.add(CLIENT, "orders", "https://hooks.example.com/", arn)

    def post(self, _target: Target, _body: bytes, _headers: Mapping[str, str]) -> Answer:
        return Answer(self.status)

    def records(self, count: int, **changed: Any) -> list[dict[str, Any]]:
        """Queue the sample so often, receive it, and return it as Lambda shows it."""
        found = []
        for number in range(count):
            self.sqs.send_message(
                QueueUrl=self.queue, MessageBody=changed.get("body", EVENT["Records"][0]["body"])
            )
            (message,) = self.sqs.receive_message(QueueUrl=self.queue)["Messages"]
            record = deepcopy(EVENT["Records"][0])
            record |= {"messageId": f"m{number}", "receiptHandle": message["ReceiptHandle"]}
            record["body"] = message["Body"]
            record["attributes"]["ApproximateReceiveCount"] = str(changed.get("attempt", 1))
            found.append(record)
        return found

    def left(self, records: list[dict[str, Any]]) -> list[str]:
        answer = self.app.handler({"Records": records}, None)
        return [item["itemIdentifier"] for item in answer["batchItemFailures"]]

    def codes(self) -> list[str]:
        found = self.sqs.receive_message(
            QueueUrl=self.dead, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages", [])
        return [message["MessageAttributes"]["code"]["StringValue"] for message in found]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name, value in {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "CALLBACK_ENDPOINTS_TABLE": "endpoints",
        "CALLBACK_HOUR_SECONDS": "3600",
        "CALLBACK_LOOPBACK": "false",
    }.items():
        monkeypatch.setenv(name, value)
    spec = importlib.util.spec_from_file_location(
        "deliver_callback_app", ROOT / "functions/jobs/deliver_callback/app.py"
    )
    assert spec is not None
    assert spec.loader is not None
    app = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(__import__("sys").modules, spec.name, app)
    spec.loader.exec_module(app)
    with mock_aws():
        made = World(app)
        monkeypatch.setenv("CALLBACK_QUEUE_URL", made.queue)
        monkeypatch.setenv("CALLBACK_DEAD_QUEUE_URL", made.dead)
        monkeypatch.setattr(callback_http, "post", made.post)
        monkeypatch.setattr(callback_http, "resolve", lambda *_: ["93.184.215.14"])
        yield made


def test_what_is_delivered_leaves_the_queue(world: World) -> None:
    assert world.left(world.records(3)) == []
    assert world.codes() == []


def test_what_failed_stays_hidden_until_its_next_attempt(world: World) -> None:
    world.status = 500
    assert world.left(world.records(1, attempt=3)) == ["m0"]
    hidden = world.sqs.get_queue_attributes(QueueUrl=world.queue, AttributeNames=["All"])
    assert hidden["Attributes"]["ApproximateNumberOfMessagesNotVisible"] == "1"
    assert world.codes() == []


def test_one_that_is_no_callback_is_buried_and_takes_no_other_along(world: World) -> None:
    assert world.left([*world.records(1), *world.records(1, body="poison")]) == []
    assert world.codes() == ["callback_malformed"]


def test_the_last_failure_is_buried_with_its_reason(world: World) -> None:
    world.status = 503
    assert world.left(world.records(1, attempt=ATTEMPTS)) == []
    assert world.codes() == ["callback_refused"]


def test_a_failure_of_our_own_is_left_in_the_queue_and_an_alarm_hears_of_it(world: World) -> None:
    records = world.records(2)
    world.left(records)
    boto3.client("dynamodb").delete_table(TableName="endpoints")
    with pytest.raises(RuntimeError, match="internal_error"):
        world.left(records)
    assert world.codes() == []


def test_a_rotation_is_known_within_a_minute(world: World) -> None:
    at = [0.0]
    client = boto3.client("secretsmanager")
    mine = CallbackSecrets(client, lambda: at[0])
    arn = mine.create("s/callbacks/", CLIENT, "other", SigningSecrets("whsec_YQ=="))
    assert mine.get(arn).current == "whsec_YQ=="
    CallbackSecrets(client).put(arn, SigningSecrets("whsec_Yg=="))
    at[0] = CACHE_SECONDS - 1
    assert mine.get(arn).current == "whsec_YQ=="
    at[0] = CACHE_SECONDS
    assert mine.get(arn).current == "whsec_Yg=="
