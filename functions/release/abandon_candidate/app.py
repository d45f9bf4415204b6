"""Put all traffic back on what was live, and take the candidate away."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from boringml.adapters.event_bus import EventBus
from boringml.adapters.followers import follower_of
from boringml.adapters.registry_table import RegistryTable
from boringml.registry.records import Route
from boringml.release.road import abandon_candidate
from boringml.release.traffic import Mover
from boringml.settings import load
from boringml.steps import reason_of, run_step


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


def _abandon_candidate(event: Mapping[str, Any]) -> dict[str, Any]:
    registry, events = _adapters()
    function = follower_of(boto3.client("lambda"), event["function"])
    live = (
        Route(version=event["live_version"], function_version=event["live_function_version"])
        if event.get("live_version")
        else None
    )
    reason = reason_of(event.get("error"), event.get("cause"))
    model, version = event["model"], event["version"]
    mover = Mover(event["execution_arn"], event["execution_arn"])
    return abandon_candidate(registry, function, events, model, live, version, mover, reason)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"version", "reason", "traffic"}. Publishes PromotionFailed or RollbackFailed."""
    return run_step("abandon_candidate", _abandon_candidate, event, context.aws_request_id)
