"""Prove that no row is lost, and record the run as scored."""

import os
import platform
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
from boringml.adapters.object_store import ObjectStore
from boringml.batch.commit_batch import ledger_of, shown, summary_of
from boringml.batch.ledger import Ledger, check_shares
from boringml.batch.run import SCORED, BatchRun
from boringml.batch.settings import BatchSettings
from boringml.batch.transform import job_seconds
from boringml.errors import BoringError
from boringml.governance.cost import Cost, function_cost, transform_cost
from boringml.settings import load
from boringml.steps import run_step

_ARCHITECTURES = {"aarch64": "arm64"}


@dataclass(frozen=True)
class Settings:
    lake_bucket: str
    batch_runs_table: str
    scorer_memory_mb: int
    aws_region: str


@cache
def _adapters() -> tuple[BatchFiles, BatchRuns]:
    settings = load(Settings, os.environ)
    table = DynamoTable(boto3.client("dynamodb"), settings.batch_runs_table)
    return (
        BatchFiles(ObjectStore(boto3.client("s3"), settings.lake_bucket)),
        BatchRuns(table, lambda: datetime.now(UTC)),
    )


def _commit_batch(event: Mapping[str, Any]) -> dict[str, Any]:
    files, runs = _adapters()
    run = BatchRun.of(event["run"])
    held = runs.get(run.model, run.run_id)
    if held is None or held.run.attempt != run.attempt:
        raise BoringError("attempt_replaced", "Another attempt took this input over.", 422)
    if held.status == SCORED:
        return {"summary": held.summary}
    settings = BatchSettings.of(declarations.declaration(run.model))
    ledger = ledger_of(run, files.chunks(run), files)
    check_shares(ledger, settings)
    summary = summary_of(
        run,
        ledger,
        files.input(run),
        files.lake.bucket,
        opened_at=held.opened_at,
        now=datetime.now(UTC),
        cost=_cost(ledger, settings, event.get("job")),
    )
    files.clear_transform(run)
    ended = runs.finish(run, SCORED, summary=shown(summary))
    if ended.status != SCORED or ended.run.attempt != run.attempt:
        raise BoringError("attempt_replaced", f"The run was ended meanwhile: {ended.status}.", 422)
    return {"summary": ended.summary}


def _cost(ledger: Ledger, settings: BatchSettings, job: Mapping[str, Any] | None) -> Cost | None:
    own = load(Settings, os.environ)
    machine = platform.machine()
    try:
        functions = function_cost(
            ledger.seconds,
            own.scorer_memory_mb,
            ledger.chunks,
            region=own.aws_region,
            architecture=_ARCHITECTURES.get(machine, machine),
        )
        if job is None:
            return functions
        transform = settings.transform
        instances = transform_cost(
            transform["instance_type"],
            job_seconds(job),
            transform["instance_count"],
            region=own.aws_region,
        )
    except BoringError as error:
        if error.code != "price_unknown":
            raise
        return None  # a price that nobody looked up is no reason to lose a night's scores
    told = f"{instances.price_source}; {functions.price_source}"
    return Cost(round(instances.usd + functions.usd, 6), told)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"summary"}. It may be asked again: the first end stands."""
    return run_step("commit_batch", _commit_batch, event, context.aws_request_id)
