"""Score rows of the newest batch again, by live and by the candidate, and compare the two."""

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
from boringml.adapters.object_store import ObjectStore
from boringml.adapters.registry_table import RegistryTable
from boringml.batch.column_model import ColumnModel, load_column_model
from boringml.batch.settings import key_of
from boringml.errors import BoringError
from boringml.package import layout
from boringml.package.reader import Package
from boringml.release.batch_shadow import BatchShadow, compare_batch, pass_uncompared
from boringml.release.shadow import conclude
from boringml.release.shadow_judge import ShadowPlan
from boringml.settings import load
from boringml.steps import run_step


@dataclass(frozen=True)
class Settings:
    registry_table: str
    packages_bucket: str
    lake_bucket: str
    batch_runs_table: str


@cache
def _adapters() -> tuple[RegistryTable, ObjectStore, BatchFiles, BatchRuns]:
    settings = load(Settings, os.environ)
    dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
    return (
        RegistryTable(dynamodb, settings.registry_table),
        ObjectStore(s3, settings.packages_bucket),
        BatchFiles(ObjectStore(s3, settings.lake_bucket)),
        BatchRuns(DynamoTable(dynamodb, settings.batch_runs_table), lambda: datetime.now(UTC)),
    )


def _loaded(model: str, number: int) -> tuple[ColumnModel, Package]:
    registry, objects, _, _ = _adapters()
    version = registry.version(model, number)
    fetch = objects.folder(version.package_uri)
    loaded = load_column_model(fetch, model, version.package_digest, number)
    return loaded, Package(fetch, version.package_digest)


def _compare_batch(event: Mapping[str, Any]) -> dict[str, Any]:
    registry, objects, files, runs = _adapters()
    model, version, execution = event["model"], event["version"], event["execution_arn"]
    newest = runs.newest(model)
    if newest is None:
        return pass_uncompared(registry, model, version, execution)
    live, live_package = _loaded(model, event["live_version"])
    candidate, package = _loaded(model, version)
    key = key_of(json.loads(live_package.read(layout.CONTRACT)))
    if key != key_of(json.loads(package.read(layout.CONTRACT))):
        told = f"Live names its rows by {key}, the candidate otherwise: files would be refused."
        raise BoringError("contract_incompatible", told, 422)
    shadow = BatchShadow(
        model=model,
        version=version,
        live_version=event["live_version"],
        release=event["release"],
        run=newest.run.label,
        plan=ShadowPlan(**event["plan"], unit="rows"),
    )
    baseline = json.loads(package.read(layout.BASELINE))["features"]
    chunks = files.chunks(newest.run)
    found = compare_batch(shadow, live, candidate, baseline, chunks, files.open, key, objects)
    return conclude(registry, model, version, found, execution)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"decision", "samples", "reasons", "report"}; a candidate that fails is a refusal."""
    return run_step("compare_batch", _compare_batch, event, context.aws_request_id)
