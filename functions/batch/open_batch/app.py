"""Say which input is scored by which version, and claim it so that it is scored once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3

from boringml.adapters import declarations
from boringml.adapters.batch_files import BatchFiles
from boringml.adapters.batch_runs import BatchRuns
from boringml.adapters.dynamodb_table import DynamoTable
from boringml.adapters.executions import Executions
from boringml.adapters.object_store import ObjectStore
from boringml.adapters.registry_table import RegistryTable
from boringml.batch.open_batch import open_batch
from boringml.batch.request import request_of
from boringml.batch.run import run_id
from boringml.batch.settings import BatchSettings
from boringml.errors import BoringError
from boringml.registry.records import ModelVersion
from boringml.settings import load
from boringml.steps import run_step


@dataclass(frozen=True)
class Settings:
    lake_bucket: str
    registry_table: str
    batch_runs_table: str


@cache
def _adapters() -> tuple[BatchFiles, BatchRuns, RegistryTable, Executions]:
    settings = load(Settings, os.environ)
    dynamodb = boto3.client("dynamodb")
    return (
        BatchFiles(ObjectStore(boto3.client("s3"), settings.lake_bucket)),
        BatchRuns(DynamoTable(dynamodb, settings.batch_runs_table), lambda: datetime.now(UTC)),
        RegistryTable(dynamodb, settings.registry_table),
        Executions(boto3.client("stepfunctions")),
    )


def _open_batch(event: Mapping[str, Any]) -> dict[str, Any]:
    files, runs, registry, executions = _adapters()
    request = request_of(event["input"])
    if request is None:
        return {"action": "ignore", "run": None, "summary": None}
    settings = BatchSettings.of(declarations.declaration(request.model))
    found = files.input_of(request)

    def live() -> ModelVersion:
        number = registry.alias(request.model, "live")
        if number is None:
            told = f"No version of {request.model} is live: release one, then send the file again."
            raise BoringError("nothing_live", told, 422)
        return registry.version(request.model, number)

    opened = open_batch(
        runs,
        request.model,
        run_id(request.model, files.lake.bucket, found, request.apart),
        execution_arn=event["execution_arn"],
        running=executions.running,
        pin=live,
        engine=request.engine or settings.engine,
        now=datetime.now(UTC),
    )
    if opened.action == "score":
        if opened.replaced is not None:
            files.clear(opened.replaced)
        files.write_input(opened.held.run, found)
    return {
        "action": opened.action,
        "run": opened.held.run.document(),
        "summary": opened.held.summary,
    }


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"action", "run", "summary"}: score, publish, answer with the summary, or ignore."""
    return run_step("open_batch", _open_batch, event, context.aws_request_id)
