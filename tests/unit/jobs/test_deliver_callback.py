"""One attempt to deliver a callback, and what comes of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from moto import mock_aws

from boringml.adapters.callback_endpoints import CallbackEndpoints
from boringml.errors import BoringError
from boringml.jobs.callback_circuit import LONGEST_PAUSE_SECONDS, THRESHOLD, pause
from boringml.jobs.callback_endpoint import GONE
from boringml.jobs.callback_message import CallbackMessage
from boringml.jobs.callback_schedule import ATTEMPTS
from boringml.jobs.callback_signature import SigningSecrets, new_secret
from boringml.jobs.callback_target import Target
from boringml.jobs.deliver_callback import Answer, CallbackDeliverer, Outcome
from tests.unit.registry.samples import TABLE

CLIENT = "arn:aws:iam::123456789012:role/shop"
MESSAGE = CallbackMessage("msg_1", CLIENT, "orders", {"type": "job.succeeded"})
PUBLIC = "93.184.215.14"


@dataclass
class World:
    """A receiver that is scripted, endpoints in moto, and a clock that a test moves."""

    endpoints: CallbackEndpoints
    now: datetime = datetime(2026, 11, 25, 4, tzinfo=UTC)
    answer: Answer | None = field(default_factory=lambda: Answer(204))
    addresses: list[str] = field(default_factory=lambda: [PUBLIC])
    calls: list[tuple[Target, Mapping[str, str]]] = field(default_factory=list)

    def send(self, target: Target, _body: bytes, headers: Mapping[str, str]) -> Answer:
        self.calls.append((target, headers))
        if self.answer is None:
            raise BoringError("callback_failed", "it hangs", 503)
        return self.answer

    def deliver(self, attempt: int = 1, message: CallbackMessage = MESSAGE) -> Outcome:
        secrets = SigningSecrets(new_secret())
        return CallbackDeliverer(
            self.endpoints,
            lambda _arn: secrets,
            lambda *_: self.addresses,
            self.send,
            lambda: self.now,
            loopback=False,
            hour_seconds=3600,
            draw=lambda: 0.0,
        ).deliver(message, attempt)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("dynamodb", "us-east-1")
        client.create_table(TableName="endpoints", **TABLE)
        made = World(CallbackEndpoints(client, "endpoints"))
        made.endpoints.add(CLIENT, "orders", "https://hooks.example.com/", "arn:secret")
        yield made


def test_a_callback_that_is_taken_is_done(world: World) -> None:
    assert world.deliver() == Outcome("delivered", status=204)
    assert world.calls[0][0].addresses == (PUBLIC,)
    assert world.calls[0][1]["webhook-id"] == "msg_1"


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 429, 500, 503])
def test_any_other_answer_is_tried_again_and_a_redirect_is_not_followed(
    world: World, status: int
) -> None:
    world.answer = Answer(status)
    assert world.deliver() == Outcome("retried", "callback_refused", status, 5)
    assert len(world.calls) == 1


def test_a_receiver_may_ask_for_more_time(world: World) -> None:
    world.answer = Answer(429, "120")
    assert world.deliver().wait_seconds == 120


def test_a_receiver_that_is_gone_is_disabled_and_asked_no_more(world: World) -> None:
    world.answer = Answer(410)
    assert world.deliver() == Outcome("dead", "callback_endpoint_gone", 410)
    found = world.endpoints.get(CLIENT, "orders")
    assert found is not None
    assert (found.enabled, found.reason) == (False, GONE)
    assert world.deliver() == Outcome("dead", "callback_endpoint_disabled")
    assert len(world.calls) == 1


def test_the_last_failure_is_the_end(world: World) -> None:
    world.answer = Answer(500)
    assert world.deliver(ATTEMPTS) == Outcome("dead", "callback_refused", 500)


def test_a_name_that_leads_elsewhere_by_now_is_not_called(world: World) -> None:
    world.addresses = [PUBLIC, "169.254.169.254"]
    assert world.deliver().code == "callback_url_refused"
    assert world.calls == []


def test_an_endpoint_of_another_client_is_not_found(world: World) -> None:
    other = CallbackMessage("msg_1", "arn:aws:iam::123456789012:role/x", "orders", {"type": "a"})
    assert world.deliver(message=other) == Outcome("dead", "callback_not_found")


def test_a_session_of_the_role_is_the_client(world: World) -> None:
    session = "arn:aws:sts::123456789012:assumed-role/shop/one"
    message = CallbackMessage("msg_1", session, "orders", {"type": "job.succeeded"})
    assert world.deliver(message=message).kind == "delivered"


def test_a_receiver_that_is_down_is_asked_now_and_then_and_not_by_every_callback(
    world: World,
) -> None:
    world.answer = None
    for _ in range(50):
        assert world.deliver(2).kind == "retried"
    assert len(world.calls) == THRESHOLD
    # Of all that come when the pause is over, one probes.
    world.now += timedelta(seconds=31)
    for _ in range(20):
        world.deliver(2)
    assert len(world.calls) == THRESHOLD + 1
    # It is back: the next probe closes the circuit, and all go through.
    world.answer, world.now = Answer(204), world.now + timedelta(seconds=601)
    assert [world.deliver(3).kind for _ in range(3)] == ["delivered"] * 3


def test_nothing_dies_untried_behind_an_open_circuit(world: World) -> None:
    world.answer = None
    for _ in range(THRESHOLD):
        world.deliver()
    world.answer = Answer(204)
    assert world.deliver(2).code == "circuit_open"
    assert world.deliver(ATTEMPTS).kind == "delivered"


def test_one_receiver_that_is_down_closes_no_other(world: World) -> None:
    world.endpoints.add(CLIENT, "other", "https://other.example.com/", "arn:other")
    world.answer = None
    for _ in range(THRESHOLD):
        world.deliver()
    world.answer = Answer(204)
    other = CallbackMessage("msg_2", CLIENT, "other", {"type": "job.succeeded"})
    assert world.deliver(message=other).kind == "delivered"


def test_pauses_grow_to_ten_minutes_and_no_further() -> None:
    pauses = [pause(failures) for failures in range(THRESHOLD + 30)]
    assert pauses[:THRESHOLD] == [None] * THRESHOLD
    seconds = [found.total_seconds() for found in pauses if found]
    assert seconds == sorted(seconds)
    assert (seconds[0], seconds[-1]) == (30, LONGEST_PAUSE_SECONDS)
