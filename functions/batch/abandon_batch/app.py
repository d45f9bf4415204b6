"""Delete what a failed attempt wrote, record why it failed, and tell it."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3

from boringml.adapters.batch_files import BatchFiles
from boringml.adapters.batch_runs import BatchRuns
from boringml.adapters.dynamodb_table import DynamoTable
from boringml.adapters.event_bus import EventBus
from boringml.adapters.object_store import ObjectStore
from boringml.batch.counting import counted
from boringml.batch.failures import failures_of
from boringml.batch.finish import Publish, abandon_run
from boringml.batch.run import BatchRun
from boringml.settings import load
from boringml.steps import reason_of, run_step

_MAP_FAILED = "States.ExceedToleratedFailureThreshold"


@dataclass(frozen=True)
class Settings:
    lake_bucket: str
    batch_runs_table: str
    stack_name: str
    metrics_namespace: str


@cache
def _adapters() -> tuple[BatchFiles, BatchRuns, Publish]:
    settings = load(Settings, os.environ)
    table = DynamoTable(boto3.client("dynamodb"), settings.batch_runs_table)
    return (
        BatchFiles(ObjectStore(boto3.client("s3"), settings.lake_bucket)),
        BatchRuns(table, lambda: datetime.now(UTC)),
        counted(
            EventBus(boto3.client("events"), settings.stack_name).publish,
            settings.metrics_namespace,
        ),
    )


def _abandon_batch(event: Mapping[str, Any]) -> dict[str, Any]:
    files, runs, publish = _adapters()
    reason = reason_of(event.get("error"), event.get("cause"))
    details = {"input": _told(event.get("input")), "execution_arn": event["execution_arn"]}
    if not event.get("run"):
        model = (event.get("input") or {}).get("model")
        publish("BatchFailed", {"model": model, "run": None, "reason": reason, **details})
        return {"status": "failed", "reason": reason}
    run = BatchRun.of(event["run"])
    if event.get("error") == _MAP_FAILED:
        reason = _of_chunks(run, files) or reason
    status = abandon_run(run, reason, runs, files.clear, publish, **details)
    return {"status": status, "reason": reason}


def _of_chunks(run: BatchRun, files: BatchFiles) -> dict[str, str] | None:
    failures = failures_of(run, files)
    if not failures:
        return None
    first = failures[min(failures)]
    told = f"{len(failures)} chunks failed, the first with {first['code']}: {first['message']}"
    return {"code": first["code"] if len(failures) == 1 else "too_many_failed", "message": told}


def _told(given: Any) -> Any:
    """Return what was asked for, without what an event of S3 says besides."""
    if isinstance(given, Mapping) and given.get("detail-type") == "Object Created":
        return {"key": given["detail"]["object"]["key"]}
    return given if len(json.dumps(given)) < 2000 else None


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"status", "reason"}. Publishes BatchFailed, unless the run was scored already."""
    return run_step("abandon_batch", _abandon_batch, event, context.aws_request_id)
