"""Put the answers of a transform job beside the keys of one chunk."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from boringml.adapters.batch_files import BatchFiles
from boringml.adapters.object_store import ObjectStore
from boringml.batch import transform
from boringml.batch.chunks import Chunk
from boringml.batch.pinned import pinned_contract
from boringml.batch.run import BatchRun
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


def _join_chunk(event: Mapping[str, Any]) -> dict[str, Any]:
    files, packages = _adapters()
    run, chunk = BatchRun.of(event["run"]), Chunk.of(event["chunk"])
    keys_key = transform.keys_key(run, chunk.number)
    if not files.has(keys_key):
        # It failed before the job, within what is tolerated: its failure is recorded.
        return {"chunk": chunk.number, "rows": chunk.rows, "scored": 0, "rejected": 0}
    contract, _ = pinned_contract(run, packages.folder(run.package_uri))
    asked = files.has(transform.input_key(run, chunk.number))
    answers = files.read(transform.output_key(run, chunk.number)) if asked else b""
    counts = transform.join_chunk(
        run, chunk, files.read(keys_key), answers, contract, files.lake.write
    )
    return {"chunk": chunk.number, **vars(counts)}


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"chunk", "rows", "scored", "rejected"}."""
    return run_step("join_chunk", _join_chunk, event, context.aws_request_id)
