"""Cut the input into chunks, from metadata and the ends of records; refuse what is no input."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from boringml.adapters import declarations
from boringml.adapters.batch_files import BatchFiles
from boringml.adapters.object_store import ObjectStore
from boringml.batch.pinned import pinned_contract
from boringml.batch.planning import plan_chunks
from boringml.batch.run import BatchRun
from boringml.batch.settings import BatchSettings
from boringml.settings import load
from boringml.steps import run_step


@dataclass(frozen=True)
class Settings:
    lake_bucket: str
    packages_bucket: str


@cache
def _adapters() -> tuple[BatchFiles, ObjectStore]:
    settings = load(Settings, os.environ)
    s3 = boto3.client("s3")
    return (
        BatchFiles(ObjectStore(s3, settings.lake_bucket)),
        ObjectStore(s3, settings.packages_bucket),
    )


def _plan_chunks(event: Mapping[str, Any]) -> dict[str, Any]:
    files, packages = _adapters()
    run = BatchRun.of(event["run"])
    settings = BatchSettings.of(declarations.declaration(run.model))
    contract, key = pinned_contract(run, packages.folder(run.package_uri))
    chunks = plan_chunks(files.input(run), files.open, contract, key, settings.chunk_rows)
    return {
        "chunks_key": files.write_chunks(run, chunks),
        "chunks": len(chunks),
        "rows": sum(chunk.rows for chunk in chunks),
        "max_concurrency": settings.max_concurrency,
        "tolerated_percentage": math.ceil(settings.max_failed_share * 100),
    }


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"chunks_key", "chunks", "rows", "max_concurrency", "tolerated_percentage"}."""
    return run_step("plan_chunks", _plan_chunks, event, context.aws_request_id)
