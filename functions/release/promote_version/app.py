"""Move `live` to the candidate, in Lambda and in the registry."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from boringml.adapters.event_bus import EventBus
from boringml.adapters.followers import follower_of
from boringml.adapters.registry_table import RegistryTable
from boringml.release.road import promote_version
from boringml.settings import load
from boringml.steps import run_step


@dataclass(frozen=True)
class Settings:
    registry_table: str
    stack_name: str


@cache
def _adapters() -> tuple[RegistryTable, EventBus]:
    settings = load(Settings, os.environ)
    table = settings.registry_table
    return RegistryTable(boto3.client("dynamodb"), table), EventBus(
        boto3.client("events"), settings.stack_name
    )


def _promote_version(event: Mapping[str, Any]) -> dict[str, Any]:
    registry, events = _adapters()
    function = follower_of(boto3.client("lambda"), event["function"])
    return promote_version(
        registry,
        function,
        events,
        event["model"],
        event["version"],
        event["execution_arn"],
        event["function_version"],
        event["why"],
    )


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"version", "from", "function_version"}. Publishes ModelPromoted."""
    return run_step("promote_version", _promote_version, event, context.aws_request_id)
