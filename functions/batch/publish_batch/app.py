"""Show a scored run to readers, and tell it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3

from boringml.adapters.batch_files import BatchFiles
from boringml.adapters.batch_runs import BatchRuns
from boringml.adapters.batch_tables import BatchTables
from boringml.adapters.dynamodb_table import DynamoTable
from boringml.adapters.event_bus import EventBus
from boringml.adapters.object_store import ObjectStore
from boringml.batch.counting import counted
from boringml.batch.finish import Publish, publish_run
from boringml.batch.run import SCORED, BatchRun
from boringml.errors import BoringError
from boringml.settings import load
from boringml.steps import run_step


@dataclass(frozen=True)
class Settings:
    lake_bucket: str
    batch_runs_table: str
    database: str
    stack_name: str
    metrics_namespace: str


@cache
def _adapters() -> tuple[BatchFiles, BatchRuns, BatchTables, Publish]:
    settings = load(Settings, os.environ)
    table = DynamoTable(boto3.client("dynamodb"), settings.batch_runs_table)
    return (
        BatchFiles(ObjectStore(boto3.client("s3"), settings.lake_bucket)),
        BatchRuns(table, lambda: datetime.now(UTC)),
        BatchTables(boto3.client("glue"), settings.database, settings.lake_bucket),
        counted(
            EventBus(boto3.client("events"), settings.stack_name).publish,
            settings.metrics_namespace,
        ),
    )


def _publish_batch(event: Mapping[str, Any]) -> dict[str, Any]:
    files, runs, tables, publish = _adapters()
    run = BatchRun.of(event["run"])
    held = runs.get(run.model, run.run_id)
    if held is None or held.status != SCORED:
        raise BoringError("run_not_scored", f"Run {run.label} is not scored.", 422)
    return publish_run(held, runs, tables, files.write_summary, publish)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return the summary of the run. Publishes BatchScored; asked again, it does the same."""
    return run_step("publish_batch", _publish_batch, event, context.aws_request_id)
