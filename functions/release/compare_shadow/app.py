"""Ask live and the candidate what live was asked of late, and compare the two."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from boringml.adapters.object_store import ObjectStore
from boringml.adapters.prediction_log_reader import PredictionLogReader
from boringml.adapters.registry_table import RegistryTable
from boringml.adapters.serving_function import ServingFunction
from boringml.package import layout
from boringml.package.reader import Package
from boringml.release.replay import Rebuilder
from boringml.release.shadow import Shadow, compare_shadow, conclude
from boringml.release.shadow_judge import ShadowPlan
from boringml.settings import load
from boringml.steps import run_step

# A version answers or times out within 10 s: a request that hangs is not waited for any longer.
_ONCE = Config(read_timeout=15, retries={"total_max_attempts": 2})


@dataclass(frozen=True)
class Settings:
    registry_table: str
    packages_bucket: str


@cache
def _adapters() -> tuple[RegistryTable, ObjectStore]:
    settings = load(Settings, os.environ)
    registry = RegistryTable(boto3.client("dynamodb"), settings.registry_table)
    return registry, ObjectStore(boto3.client("s3"), settings.packages_bucket)


def _package(registry: RegistryTable, objects: ObjectStore, model: str, number: int) -> Package:
    version = registry.version(model, number)
    return Package(objects.folder(version.package_uri), version.package_digest)


def _compare_shadow(event: Mapping[str, Any]) -> dict[str, Any]:
    registry, objects = _adapters()
    shadow = Shadow(
        model=event["model"],
        version=event["version"],
        function_version=event["function_version"],
        live_function_version=event["live_function_version"],
        release=event["release"],
        plan=ShadowPlan(**event["plan"]),
        started_at=datetime.fromisoformat(event["started_at"]).timestamp(),
    )
    package = _package(registry, objects, shadow.model, shadow.version)
    live = _package(registry, objects, shadow.model, event["live_version"])
    baseline = json.loads(package.read(layout.BASELINE))["features"]
    contract, live_contract = (json.loads(one.read(layout.CONTRACT)) for one in (package, live))
    rebuilder = Rebuilder(contract, baseline, live_contract)
    function = ServingFunction(boto3.client("lambda", config=_ONCE), event["function"])
    log = PredictionLogReader(
        boto3.client("logs"), function.log_group(shadow.live_function_version)
    )
    found = compare_shadow(shadow, rebuilder, baseline, log, function.invoke, objects)
    return conclude(registry, shadow.model, shadow.version, found, event["execution_arn"])


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"decision", "samples", "reasons", "report"}; a candidate that fails is a refusal."""
    return run_step("compare_shadow", _compare_shadow, event, context.aws_request_id)
