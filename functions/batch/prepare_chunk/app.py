"""Check one chunk, and write its good rows as a transform job reads them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from boringml.adapters.batch_files import BatchFiles
from boringml.adapters.object_store import ObjectStore
from boringml.batch.chunks import Chunk
from boringml.batch.pinned import pinned_contract
from boringml.batch.run import BatchRun
from boringml.batch.transform import prepare_chunk
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


def _prepare_chunk(event: Mapping[str, Any]) -> dict[str, Any]:
    files, packages = _adapters()
    run, chunk = BatchRun.of(event["run"]), Chunk.of(event["chunk"])
    contract, key = pinned_contract(run, packages.folder(run.package_uri))
    counts = prepare_chunk(run, chunk, files.open(chunk), contract, key, files.lake.write)
    return {"chunk": chunk.number, **vars(counts)}


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"chunk", "rows", "scored", "rejected"}, with what is to be scored."""
    return run_step("prepare_chunk", _prepare_chunk, event, context.aws_request_id)
