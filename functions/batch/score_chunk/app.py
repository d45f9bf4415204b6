"""Score one chunk in constant memory: its parts are scores and rejected rows."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import boto3

from boringml.adapters.batch_files import BatchFiles
from boringml.adapters.object_store import ObjectStore
from boringml.batch.chunks import Chunk
from boringml.batch.column_model import ColumnModel, load_column_model
from boringml.batch.pinned import pinned_contract
from boringml.batch.run import BatchRun
from boringml.batch.score_chunk import score_chunk
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


@lru_cache(maxsize=1)
def _model(run: BatchRun) -> tuple[ColumnModel, str]:
    fetch = _adapters()[1].folder(run.package_uri)
    _, key = pinned_contract(run, fetch)
    return load_column_model(fetch, run.model, run.package_digest, run.version), key


def _score_chunk(event: Mapping[str, Any]) -> dict[str, Any]:
    files, _ = _adapters()
    run, chunk = BatchRun.of(event["run"]), Chunk.of(event["chunk"])
    model, key = _model(run)
    counts = score_chunk(run, chunk, files.open(chunk), model, key, files.lake.write)
    return {"chunk": chunk.number, **vars(counts)}


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"chunk", "rows", "scored", "rejected"}."""
    return run_step("score_chunk", _score_chunk, event, context.aws_request_id)
