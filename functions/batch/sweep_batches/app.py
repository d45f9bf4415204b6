"""End the runs whose state machine ended without a word: stopped, timed out, event lost."""

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
from boringml.adapters.executions import Executions
from boringml.adapters.object_store import ObjectStore
from boringml.batch.counting import counted
from boringml.batch.finish import Publish, abandon_run, end_each, is_lost, publish_run
from boringml.batch.open_batch import HeldRun
from boringml.batch.run import SCORED
from boringml.settings import load
from boringml.steps import run_step

LOST = {
    "code": "run_lost",
    "message": "The state machine ended and did not say why: see its history.",
}


@dataclass(frozen=True)
class Settings:
    lake_bucket: str
    batch_runs_table: str
    database: str
    stack_name: str
    metrics_namespace: str


@cache
def _adapters() -> tuple[BatchFiles, BatchRuns, BatchTables, Publish, Executions]:
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
        Executions(boto3.client("stepfunctions")),
    )


def _sweep_batches(event: Mapping[str, Any]) -> dict[str, Any]:
    files, runs, tables, publish, executions = _adapters()
    ended = event.get("detail", {}).get("executionArn")

    def end(held: HeldRun) -> None:
        if held.status == SCORED:
            publish_run(held, runs, tables, files.write_summary, publish)
            return
        arn = held.execution_arn
        reason = held.reason or LOST
        abandon_run(held.run, reason, runs, files.clear, publish, execution_arn=arn)

    lost = (
        held
        for held in runs.unfinished()
        if (not ended or held.execution_arn == ended) and is_lost(held, executions.running)
    )
    return {"closed": end_each(lost, end)}


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"closed": runs}. Runs on a schedule and when an execution ends badly."""
    return run_step("sweep_batches", _sweep_batches, event, context.aws_request_id)
