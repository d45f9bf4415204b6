"""Send a share of live's requests to the candidate."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3

from boringml.adapters.registry_table import RegistryTable
from boringml.adapters.serving_function import ServingFunction
from boringml.adapters.version_metrics import VersionMetrics
from boringml.registry.records import Canary, Route
from boringml.release.judging import slow_from_now_on
from boringml.release.road import start_canary
from boringml.settings import load
from boringml.steps import run_step


@dataclass(frozen=True)
class Settings:
    registry_table: str
    metrics_namespace: str
    minute_seconds: int


@cache
def _settings() -> Settings:
    return load(Settings, os.environ)


@cache
def _registry() -> RegistryTable:
    return RegistryTable(boto3.client("dynamodb"), _settings().registry_table)


def _start_canary(event: Mapping[str, Any]) -> dict[str, Any]:
    settings = _settings()
    plan = event["plan"]
    weight = plan["steps"][event["step"]]["weight"]
    metrics = VersionMetrics(
        boto3.client("cloudwatch"),
        settings.metrics_namespace,
        event["function"],
        event["model"],
        settings.minute_seconds,
    )
    slow_ms = slow_from_now_on(metrics, event, datetime.now(UTC), settings.minute_seconds)
    started = start_canary(
        _registry(),
        ServingFunction(boto3.client("lambda"), event["function"]),
        event["model"],
        Canary(version=event["version"], function_version=event["function_version"], weight=weight),
        Route(version=event["live_version"], function_version=event["live_function_version"]),
        event["execution_arn"],
        f"step {event['step'] + 1} of {len(plan['steps'])} of the canary: {weight:.0%} of requests",
    )
    return {**started, "slow_ms": slow_ms}


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"started_at", "slow_ms"}: the time of the move, and what is slow from now on."""
    return run_step("start_canary", _start_canary, event, context.aws_request_id)
