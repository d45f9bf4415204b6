"""Look at the traffic of each model for drift: every hour, of all models."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3

from boringml.adapters import declarations
from boringml.adapters.batch_files import BatchFiles
from boringml.adapters.batch_rows import BatchRows
from boringml.adapters.batch_runs import BatchRuns
from boringml.adapters.dynamodb_table import DynamoTable
from boringml.adapters.event_bus import EventBus
from boringml.adapters.executions import Executions
from boringml.adapters.monitoring_reports import MonitoringReports
from boringml.adapters.object_store import ObjectStore
from boringml.adapters.registry_table import RegistryTable
from boringml.adapters.served_rows import ServedRows
from boringml.monitoring.drift_looks import look_at_all, window_end
from boringml.monitoring.each_model import models_of
from boringml.monitoring.measure_drift import DriftWatch
from boringml.settings import load
from boringml.steps import run_step


@dataclass(frozen=True)
class Settings:
    lake_bucket: str
    packages_bucket: str
    registry_table: str
    batch_runs_table: str
    train_state_machine: str
    metrics_namespace: str
    stack_name: str


@cache
def _settings() -> Settings:
    return load(Settings, os.environ)


@cache
def _watch() -> DriftWatch:
    settings = _settings()
    s3, dynamodb = boto3.client("s3"), boto3.client("dynamodb")
    lake = ObjectStore(s3, settings.lake_bucket)
    runs = BatchRuns(DynamoTable(dynamodb, settings.batch_runs_table), lambda: datetime.now(UTC))
    executions = Executions(boto3.client("stepfunctions"))

    def train(model: str, name: str) -> str:
        event = {"model": model, "trigger": "drift"}
        return executions.start(settings.train_state_machine, name, event)

    return DriftWatch(
        registry=RegistryTable(dynamodb, settings.registry_table),
        package=ObjectStore(s3, settings.packages_bucket).folder,
        served=ServedRows(lake),
        scored=BatchRows(BatchFiles(lake)),
        newest_batch=runs.newest,
        reports=MonitoringReports(lake),
        publish=EventBus(boto3.client("events"), settings.stack_name).publish,
        train=train,
    )


def _measure_drift(event: Mapping[str, Any]) -> dict[str, Any]:
    names = models_of(event, "drift", declarations.models(), _watch().publish)
    return look_at_all(
        {name: declarations.declaration(name) for name in names},
        window_end(event.get("at"), datetime.now(UTC)),
        _watch().look_at,
        # Looked up each time: Lambda's runtime puts its own stream there.
        lambda line: sys.stdout.write(line),
        _settings().metrics_namespace,
    )


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {model: {"status", "version", "says"}} of the models that ask for looks.

    `at` (ISO 8601) looks at the window that ends then, `models` at some alone; `each` asks for each
    in an invocation of its own. Raises `Refused`
    with the code `looks_failed` where a look failed, after all others.
    """
    return run_step("measure_drift", _measure_drift, event, context.aws_request_id)
