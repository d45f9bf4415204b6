"""What DynamoDB answers when writers collide: moto never does, so the answers are stubbed."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from boringml.adapters.dynamodb_table import ATTEMPTS, attempts
from boringml.adapters.registry_table import RegistryTable
from boringml.errors import BoringError
from tests.unit.registry.samples import package

Reason = dict[str, Any]
NONE: Reason = {"Code": "None"}
CONFLICT: Reason = {"Code": "TransactionConflict"}
FAILED: Reason = {"Code": "ConditionalCheckFailed"}
# The order in which a registration and a move write: the reasons come in the same one.
PACKAGE, VERSION, EVENT, STATE = range(4)


class Answers:
    """DynamoDB, as far as a test has told it what to answer."""

    def __init__(self, stubber: Stubber, sent: list[dict[str, Any]]) -> None:
        self._stubber = stubber
        self.sent = sent

    def state(self, last_version: int, last_event: int) -> None:
        counters = {
            "last_version": {"N": str(last_version)},
            "last_event": {"N": str(last_event)},
            "last_at": {"S": "2026-11-24T11:00:00.000000Z"},
        }
        self._stubber.add_response("get_item", {"Item": counters})

    def written(self) -> None:
        self._stubber.add_response("transact_write_items", {})

    def cancelled(self, *reasons: Reason) -> None:
        self._stubber.add_client_error(
            "transact_write_items",
            "TransactionCanceledException",
            modeled_fields={"CancellationReasons": list(reasons)},
        )

    def error(self, operation: str, code: str) -> None:
        self._stubber.add_client_error(operation, code)


@pytest.fixture
def sent() -> list[dict[str, Any]]:
    """The transactions, as they were sent."""
    return []


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, sent: list[dict[str, Any]]) -> Any:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    client = boto3.client(
        "dynamodb",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    client.meta.events.register(
        "before-parameter-build.dynamodb.TransactWriteItems",
        lambda params, **_: sent.append(params),
    )
    return client


@pytest.fixture
def answers(client: Any, sent: list[dict[str, Any]]) -> Iterator[Answers]:
    with Stubber(client) as stubber:
        yield Answers(stubber, sent)
        stubber.assert_no_pending_responses()


@pytest.fixture
def registry(client: Any, clock: Any, pauses: list[float]) -> RegistryTable:
    return RegistryTable(client, "registry", clock, pauses.append)


def register(registry: RegistryTable) -> int:
    return registry.register_version(package(1), by="train", why="new data").number


def test_a_lost_race_is_run_again_from_the_new_counters(
    registry: RegistryTable, answers: Answers, pauses: list[float]
) -> None:
    answers.state(last_version=2, last_event=5)
    answers.cancelled(NONE, FAILED, FAILED, FAILED)
    answers.state(last_version=3, last_event=6)
    answers.written()
    assert register(registry) == 4
    assert len(pauses) == 1


@pytest.mark.parametrize(
    "code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]
)
def test_a_collision_is_tried_again_with_a_new_token(
    registry: RegistryTable, answers: Answers, code: str
) -> None:
    for _ in range(2):
        answers.state(2, 5)
        answers.cancelled(NONE, NONE, NONE, {"Code": code})
    answers.state(2, 5)
    answers.written()
    assert register(registry) == 3
    assert len({request["ClientRequestToken"] for request in answers.sent}) == 3


def test_a_request_has_a_token_that_its_retries_share(
    registry: RegistryTable, answers: Answers
) -> None:
    answers.state(2, 5)
    answers.written()
    register(registry)
    # Without one of ours botocore would make one up; what counts is that it is there from the
    # start, since botocore repeats a lost request with the parameters it was given.
    assert len(answers.sent[0]["ClientRequestToken"]) == 36


def test_a_throttled_table_is_tried_again(registry: RegistryTable, answers: Answers) -> None:
    answers.state(2, 5)
    answers.error("transact_write_items", "ThrottlingException")
    answers.state(2, 5)
    answers.written()
    assert register(registry) == 3


def test_a_registry_that_stays_busy_says_so(
    registry: RegistryTable, answers: Answers, pauses: list[float]
) -> None:
    for _ in range(ATTEMPTS):
        answers.state(2, 5)
        answers.cancelled(NONE, NONE, NONE, CONFLICT)
    with pytest.raises(BoringError) as refusal:
        register(registry)
    assert (refusal.value.code, refusal.value.status) == ("registry_busy", 503)
    assert len(pauses) == ATTEMPTS - 1


def test_a_package_registered_meanwhile_is_returned_at_once(
    registry: RegistryTable, answers: Answers, pauses: list[float]
) -> None:
    answers.state(2, 5)
    known = {"Code": "ConditionalCheckFailed", "Item": {"number": {"N": "3"}}}
    answers.cancelled(known, FAILED, FAILED, FAILED)
    answers._stubber.add_response("get_item", {}, {
        "TableName": "registry",
        "Key": {"pk": {"S": "MODEL#credit"}, "sk": {"S": "VERSION#000003"}},
        "ConsistentRead": True,
    })  # fmt: skip
    with pytest.raises(BoringError, match="credit has no version 3"):
        register(registry)
    assert pauses == []


def test_an_alias_that_moved_is_not_tried_again_whatever_else_collided(
    registry: RegistryTable, answers: Answers, pauses: list[float]
) -> None:
    answers.state(2, 5)
    at = {"to_version": {"N": "2"}, "by": {"S": "bo"}, "at": {"S": "2026-11-24T11:00:00.000000Z"}}
    answers.cancelled({**FAILED, "Item": at}, NONE, FAILED, CONFLICT)
    with pytest.raises(BoringError) as refusal:
        registry.move_alias("credit", "live", to=2, expected=1, by="ann", why="x")
    assert refusal.value.details["current"] == 2
    assert refusal.value.details["moved_by"] == "bo"
    assert pauses == []


def test_a_move_that_collided_with_another_change_is_tried_again(
    registry: RegistryTable, answers: Answers
) -> None:
    answers.state(2, 5)
    answers.cancelled(NONE, NONE, FAILED, FAILED)
    answers.state(2, 6)
    answers.written()
    event = registry.move_alias("credit", "live", to=2, expected=1, by="ann", why="x")
    assert event.sequence == 7


@pytest.mark.parametrize("code", ["ValidationError", "ItemCollectionSizeLimitExceeded"])
def test_what_a_retry_cannot_mend_is_raised_as_it_is(
    registry: RegistryTable, answers: Answers, code: str
) -> None:
    answers.state(2, 5)
    answers.cancelled(NONE, NONE, NONE, {"Code": code})
    with pytest.raises(ClientError, match="TransactionCanceled"):
        register(registry)


@pytest.mark.parametrize("code", ["AccessDeniedException", "TransactionInProgressException"])
def test_an_error_whose_outcome_is_not_a_collision_is_raised_as_it_is(
    registry: RegistryTable, answers: Answers, code: str
) -> None:
    answers.state(2, 5)
    answers.error("transact_write_items", code)
    with pytest.raises(ClientError, match=code):
        register(registry)


def test_pauses_grow_are_jittered_and_end(pauses: list[float]) -> None:
    runs = []
    for _ in range(50):
        pauses.clear()
        assert list(attempts(pauses.append)) == list(range(ATTEMPTS))
        runs.append(tuple(pauses))
    assert len(set(runs)) == 50
    assert all(0 <= run[0] <= 0.02 and max(run) <= 0.64 for run in runs)
    assert max(run[0] for run in runs) < max(run[-1] for run in runs)
