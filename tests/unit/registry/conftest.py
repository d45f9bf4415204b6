"""A registry in moto: its transactions are honest as long as one thread writes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from boringml.adapters.registry_table import RegistryTable
from tests.unit.registry.samples import TABLE


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(TableName="registry", **TABLE)
        yield client


@pytest.fixture
def pauses() -> list[float]:
    """How long the registry would have waited before each further attempt."""
    return []


@pytest.fixture
def registry(dynamodb: Any, clock: Clock, pauses: list[float]) -> RegistryTable:
    return RegistryTable(dynamodb, "registry", clock, pauses.append)
