"""An answer that never arrives: the request was done, and its repetition must not do it twice."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session

from boringml.adapters.registry_table import RegistryTable
from boringml.errors import BoringError
from local.server import LocalAWS
from tests.unit.registry.samples import TABLE, package

pytestmark = pytest.mark.local_aws

_tables = count(1)


@pytest.fixture
def table(local_aws: LocalAWS) -> Iterator[str]:
    name = f"registry-lost-{next(_tables)}"
    client = local_aws.client("dynamodb")
    client.create_table(TableName=name, **TABLE)
    yield name
    client.delete_table(TableName=name)


def losing_client(local_aws: LocalAWS, attempts: int) -> Any:
    """Return a client whose first transaction is done by DynamoDB, but whose answer gets lost."""
    client = local_aws.client("dynamodb", config=Config(retries={"total_max_attempts": attempts}))
    sent: list[Any] = []

    def lose_the_first(request: Any, **_: Any) -> None:
        sent.append(request)
        if len(sent) == 1:
            assert URLLib3Session().send(request).status_code == 200
            raise ConnectionClosedError(endpoint_url=request.url)

    client.meta.events.register("before-send.dynamodb.TransactWriteItems", lose_the_first)
    return client


def test_a_registration_whose_answer_was_lost_is_done_once(local_aws: LocalAWS, table: str) -> None:
    registry = RegistryTable(losing_client(local_aws, attempts=2), table)
    version = registry.register_version(package(1), by="train", why="new data")
    assert registry.versions("credit") == [version]
    assert len(registry.history("credit")) == 1


def test_a_move_whose_answer_was_lost_is_a_success(local_aws: LocalAWS, table: str) -> None:
    RegistryTable(local_aws.client("dynamodb"), table).register_version(
        package(1), by="train", why="new data"
    )
    registry = RegistryTable(losing_client(local_aws, attempts=2), table)
    event = registry.move_alias("credit", "live", to=1, expected=None, by="me", why="good")
    assert registry.history("credit")[-1] == event
    assert registry.alias("credit", "live") == 1


def test_a_caller_that_asks_again_finds_its_own_name(local_aws: LocalAWS, table: str) -> None:
    RegistryTable(local_aws.client("dynamodb"), table).register_version(
        package(1), by="train", why="new data"
    )
    registry = RegistryTable(losing_client(local_aws, attempts=1), table)
    with pytest.raises(ConnectionClosedError):
        registry.move_alias("credit", "live", to=1, expected=None, by="run-7", why="good")
    with pytest.raises(BoringError) as refusal:
        registry.move_alias("credit", "live", to=1, expected=None, by="run-7", why="good")
    assert refusal.value.details["current"] == 1
    assert refusal.value.details["moved_by"] == "run-7"
    assert len(registry.history("credit")) == 2
