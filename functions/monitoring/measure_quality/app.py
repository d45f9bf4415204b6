"""Look at how good each model was on the predictions whose labels are known by now."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3

from boringml.adapters import declarations
from boringml.adapters.event_bus import EventBus
from boringml.adapters.labels_table import LabelsTable
from boringml.adapters.monitoring_reports import MonitoringReports
from boringml.adapters.object_store import ObjectStore
from boringml.adapters.predictions_lake import PredictionsLake
from boringml.adapters.registry_table import RegistryTable
from boringml.errors import BoringError
from boringml.monitoring.each_model import models_of
from boringml.monitoring.measure_quality import QualityMeasurer, summary_of
from boringml.monitoring.quality import Holdout
from boringml.package import layout
from boringml.package.reader import Package
from boringml.registry.records import LIVE
from boringml.settings import load
from boringml.steps import run_step

_NOT_DECLARED = "quality_not_measured"
_UNPROVED = {"object_missing", "package_incomplete", "digest_mismatch", "version_not_found"}


@dataclass(frozen=True)
class Settings:
    lake_bucket: str
    packages_bucket: str
    registry_table: str
    metrics_namespace: str
    stack_name: str


@cache
def _packages() -> tuple[RegistryTable, ObjectStore]:
    settings = load(Settings, os.environ)
    registry = RegistryTable(boto3.client("dynamodb"), settings.registry_table)
    return registry, ObjectStore(boto3.client("s3"), settings.packages_bucket)


@cache
def _measurer() -> QualityMeasurer:
    settings = load(Settings, os.environ)
    lake = ObjectStore(boto3.client("s3"), settings.lake_bucket)
    return QualityMeasurer(
        labels=LabelsTable(lake),
        predictions=PredictionsLake(lake),
        reports=MonitoringReports(lake),
        live_of=lambda model: _packages()[0].alias(model, LIVE),
        holdout_of=_holdout,
        publish=EventBus(boto3.client("events"), settings.stack_name).publish,
        # Looked up each time: Lambda's runtime puts its own stream there.
        write=lambda line: sys.stdout.write(line),
        namespace=settings.metrics_namespace,
    )


@cache  # a version never changes
def _holdout(model: str, number: int) -> Holdout | None:
    """Return the holdout of a version; None, and a line that says why, where it cannot be proved.

    Then the version is compared with its own past alone, which its report says.
    """
    registry, packages = _packages()
    try:
        version = registry.version(model, number)
        package = Package(packages.folder(version.package_uri), version.package_digest)
        return Holdout.of(json.loads(package.read(layout.EVALUATION)))
    except BoringError as error:
        if error.code not in _UNPROVED:
            raise
        line = {"level": "WARN", "model": model, "version": number, "code": error.code}
        sys.stdout.write(json.dumps({**line, "message": error.message}) + "\n")
        return None


def _measure_quality(event: Mapping[str, Any], invocation: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    reports, failed = [], []
    for model in models_of(event, "quality", declarations.models(), _measurer().publish):
        declaration, contract = declarations.declaration(model), declarations.contract(model)
        try:
            reports += _measurer().measure(declaration, contract, now, invocation)
        except Exception as error:  # noqa: BLE001 - raised below, once all models had their turn
            if not (isinstance(error, BoringError) and error.code == _NOT_DECLARED):
                failed.append(error)
    if failed:
        raise failed[0] if len(failed) == 1 else ExceptionGroup("Looks failed.", failed)
    return {"reports": summary_of(reports)}


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"reports": [{"model", "version", "status", "says"}]} of all models.

    `models` looks at some alone; `each` asks for each in an invocation of its own.
    """
    invocation = context.aws_request_id
    return run_step(
        "measure_quality", lambda told: _measure_quality(told, invocation), event, invocation
    )
