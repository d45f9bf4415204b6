"""Callbacks of the deployed stack: queue, function, receiver, and the operator's command."""

import json
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from boringml.adapters.callback_queue import CallbackQueue
from boringml.jobs.callback_message import CallbackMessage
from local.endpoints import Command as OperatorCommand
from local.receiver import Behaviour, Receiver
from tests.e2e.conftest import Stack

pytestmark = pytest.mark.local_aws

Command = Callable[..., Any]


@pytest.fixture
def command(stack: Stack) -> Command:
    """Run `boringml callbacks ...` and return its document, or its error and exit code."""

    return partial(OperatorCommand(stack.local_aws, "e2e-one").run, "callbacks")


@pytest.fixture
def client() -> str:
    """A client of the test's own."""
    return f"arn:aws:iam::000000000000:role/client-{uuid.uuid4().hex[:8]}"


def send(stack: Stack, client: str, count: int, name: str = "orders") -> list[str]:
    """Queue callbacks and return their ids."""
    queue = CallbackQueue(stack.local_aws.client("sqs"), stack.outputs["CallbackQueue"])
    ids = [f"msg_{uuid.uuid4().hex}" for _ in range(count)]
    for message_id in ids:
        queue.send(CallbackMessage(message_id, client, name, {"type": "job.succeeded", "data": {}}))
    return ids


def test_each_callback_arrives_with_a_valid_signature_though_a_third_of_the_calls_fail(
    stack: Stack, command: Command, client: str
) -> None:
    with Receiver([], Behaviour(fails=0.33)) as receiver:
        receiver.secrets.append(command("add", client, "orders", receiver.url)["secret"])
        ids = send(stack, client, 60)
        record = receiver.record
        stack.until(lambda: set(record.delivered) == set(ids), "all are delivered", 300)
    assert record.unverified == 0
    # Tried again with the id of the first time, and not again once it was taken.
    assert set(record.attempts) == set(ids)
    assert sum(record.attempts.values()) > len(ids)
    assert set(record.delivered.values()) == {1}
    failed = next(i for i in ids if record.attempts[i] > 1)
    times = [h["webhook-timestamp"] for h in record.headers if h["webhook-id"] == failed]
    assert times == sorted(times)


def test_a_rotated_secret_signs_beside_the_old_one(
    stack: Stack, command: Command, client: str
) -> None:
    with Receiver([]) as old, Receiver([]) as new:
        first = command("add", client, "orders", old.url)["secret"]
        second = command("rotate", client, "orders")["secret"]
        old.secrets.append(first)
        (message_id,) = send(stack, client, 1)
        stack.until(lambda: old.record.delivered[message_id] == 1, "the old secret verifies")
        sent = old.record.headers[0]
        assert len(sent["webhook-signature"].split()) == 2
        new.secrets.append(second)
        body = json.dumps(old.record.bodies[message_id], separators=(",", ":")).encode()
        assert new.take(sent, body) == 204


def test_a_receiver_that_is_gone_is_disabled_and_its_callbacks_can_be_replayed(
    stack: Stack, command: Command, client: str
) -> None:
    with Receiver([], Behaviour(status=410)) as receiver:
        receiver.secrets.append(command("add", client, "orders", receiver.url)["secret"])
        ids = send(stack, client, 3)

        def dead() -> dict[str, str]:
            return {d["id"]: d["code"] for d in command("dead")["dead"] if d["client"] == client}

        stack.until(lambda: set(dead()) == set(ids), "all are dead")
        assert set(dead().values()) <= {"callback_endpoint_gone", "callback_endpoint_disabled"}
        (listed,) = [e for e in command("list")["endpoints"] if e["client"] == client]
        assert (listed["enabled"], listed["reason"]) == (False, "it answered 410 Gone")
        # Refused while it is disabled, and nothing is lost by asking.
        kept = command("replay", ids[0])
        assert [item["code"] for item in kept["kept"]] == ["callback_endpoint_disabled"]
        receiver.behaviour.status = 204
        command("enable", client, "orders")
        assert set(command("replay", *ids)["sent"]) == set(ids)
        stack.until(lambda: set(receiver.record.delivered) == set(ids), "they are delivered")
        assert command("replay", ids[0])["code"] == "callback_not_dead"
        assert dead() == {}


def test_a_message_that_is_no_callback_is_buried_at_once(stack: Stack, command: Command) -> None:
    sqs = stack.local_aws.client("sqs")
    poison = f"no callback {uuid.uuid4().hex}"
    sqs.send_message(QueueUrl=stack.outputs["CallbackQueue"], MessageBody=poison)
    stack.until(
        lambda: any(d["code"] == "callback_malformed" for d in command("dead")["dead"]),
        "it is dead",
    )


def test_a_receiver_that_hangs_does_not_keep_others_waiting(
    stack: Stack, command: Command, client: str
) -> None:
    with Receiver([], Behaviour(seconds=60)) as hung, Receiver([]) as healthy:
        hung.secrets.append(command("add", client, "hung", hung.url)["secret"])
        healthy.secrets.append(command("add", client, "healthy", healthy.url)["secret"])
        send(stack, client, 200, "hung")
        # By then each execution has held its first calls for their whole time limit.
        stack.until(
            lambda: any(
                e["circuit_open_until"] for e in command("list")["endpoints"] if e["name"] == "hung"
            ),
            "its circuit opens",
            90,
        )
        ids = send(stack, client, 20, "healthy")
        delivered = healthy.record.delivered
        stack.until(lambda: set(delivered) == set(ids), "the others arrive", 45)
        command("disable", client, "hung")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://169.254.169.254/latest/meta-data/", "169.254.169.254"),
        ("https://[::ffff:169.254.169.254]/", "169.254.169.254"),
        ("https://10.0.0.1/", "10.0.0.1"),
        ("https://2130706433/", "2130706433"),
        ("https://0177.0.0.1/", "0177.0.0.1"),
        ("http://169.254.169.254/", "169.254.169.254"),
        ("https://user@127.0.0.1/", "user"),
    ],
)
def test_a_closed_target_is_refused_when_it_is_registered(
    command: Command, client: str, url: str, says: str
) -> None:
    refused = command("add", client, "orders", url)
    assert (refused["exit"], refused["code"]) == (1, "callback_url_refused")
    assert says in refused["message"]
    assert command("rotate", client, "orders")["code"] == "callback_not_found"


def test_a_name_in_use_is_refused_and_its_secret_stays(
    stack: Stack, command: Command, client: str
) -> None:
    with Receiver([]) as receiver:
        receiver.secrets.append(command("add", client, "orders", receiver.url)["secret"])
        assert command("add", client, "orders", receiver.url)["code"] == "callback_exists"
        (message_id,) = send(stack, client, 1)
        stack.until(lambda: receiver.record.delivered[message_id] == 1, "it is delivered")


def test_no_secret_is_in_a_log(stack: Stack, command: Command, client: str) -> None:
    with Receiver([]) as receiver:
        secret = command("add", client, "orders", receiver.url)["secret"]
        receiver.secrets.append(secret)
        (message_id,) = send(stack, client, 1)
        stack.until(lambda: receiver.record.delivered[message_id] == 1, "it is delivered")
    logs = stack.local_aws.client("logs")
    said = "\n".join(
        event["message"]
        for group in logs.describe_log_groups()["logGroups"]
        for event in logs.filter_log_events(logGroupName=group["logGroupName"])["events"]
    )
    assert message_id in said
    assert secret.removeprefix("whsec_") not in said
