"""Write the operations pages of all models, and the one of the platform."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from boringml.adapters import declarations
from boringml.adapters.alarms import Alarms
from boringml.adapters.monitoring_reports import MonitoringReports
from boringml.adapters.object_store import ObjectStore
from boringml.adapters.queue_depths import QueueDepths
from boringml.adapters.registry_table import RegistryTable
from boringml.adapters.traffic_metrics import TrafficMetrics
from boringml.errors import BoringError
from boringml.monitoring.page.gather import Sources
from boringml.monitoring.write_pages import write_pages
from boringml.release import serving_functions
from boringml.settings import load
from boringml.steps import run_step


@dataclass(frozen=True)
class Settings:
    stack_name: str
    registry_table: str
    lake_bucket: str
    packages_bucket: str
    metrics_namespace: str
    serving_functions: str
    state_machines: str
    dead_queues: str
    minute_seconds: int


@cache
def _settings() -> Settings:
    return load(Settings, os.environ)


@cache
def _lake() -> ObjectStore:
    return ObjectStore(boto3.client("s3"), _settings().lake_bucket)


@cache
def _sources() -> Sources:
    settings = _settings()
    cloudwatch = boto3.client("cloudwatch")
    return Sources(
        stack=settings.stack_name,
        registry=RegistryTable(boto3.client("dynamodb"), settings.registry_table),
        metrics=TrafficMetrics(cloudwatch, settings.metrics_namespace),
        reports=MonitoringReports(_lake()),
        packages=ObjectStore(boto3.client("s3"), settings.packages_bucket),
        alarms=Alarms(cloudwatch, settings.stack_name),
        dead_letters=QueueDepths(boto3.client("sqs"), json.loads(settings.dead_queues)),
        functions=serving_functions.parse(settings.serving_functions),
        machines=json.loads(settings.state_machines),
        # Of AWS, of our own adapters, and of a document that is not what it should be.
        unreadable=(BoringError, ClientError, BotoCoreError, ValueError),
        minute_seconds=settings.minute_seconds,
    )


def _write_pages(_event: Mapping[str, Any]) -> dict[str, Any]:
    declared = {model: declarations.declaration(model) for model in declarations.models()}
    return write_pages(_sources(), declared, _lake().write_page, datetime.now(UTC))


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"pages", "unread"}. Whatever the event says, all pages are written anew."""
    return run_step("write_pages", _write_pages, event, context.aws_request_id)
