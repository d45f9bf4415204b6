"""Judge the canary: candidate and live, over the same minutes."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3

from boringml.adapters.registry_table import RegistryTable
from boringml.adapters.version_metrics import VersionMetrics
from boringml.release.judging import judge_canary
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


def _judge_canary(event: Mapping[str, Any]) -> dict[str, Any]:
    settings = _settings()
    metrics = VersionMetrics(
        boto3.client("cloudwatch"),
        settings.metrics_namespace,
        event["function"],
        event["model"],
        settings.minute_seconds,
    )
    return judge_canary(_registry(), metrics, event, datetime.now(UTC), settings.minute_seconds)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"decision": "continue" or "advance"}; harm and indecision are refusals."""
    return run_step("judge_canary", _judge_canary, event, context.aws_request_id)
