"""Send the candidate its golden requests, all that it must refuse, and time its answers."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from boringml.adapters.object_store import ObjectStore
from boringml.adapters.registry_table import RegistryTable
from boringml.adapters.serving_function import ServingFunction
from boringml.package import layout
from boringml.package.reader import Package
from boringml.release.smoke import smoke
from boringml.settings import load
from boringml.steps import run_step


@dataclass(frozen=True)
class Settings:
    registry_table: str
    packages_bucket: str


@cache
def _adapters() -> tuple[RegistryTable, ObjectStore]:
    settings = load(Settings, os.environ)
    registry = RegistryTable(boto3.client("dynamodb"), settings.registry_table)
    return registry, ObjectStore(boto3.client("s3"), settings.packages_bucket)


def _smoke_candidate(event: Mapping[str, Any]) -> dict[str, Any]:
    registry, packages = _adapters()
    version = registry.version(event["model"], event["version"])
    package = Package(packages.folder(version.package_uri), version.package_digest)
    function = ServingFunction(boto3.client("lambda"), event["function"])
    found = smoke(
        lambda request: function.invoke(event["function_version"], request),
        event["model"],
        version.number,
        json.loads(package.read(layout.GOLDEN)),
        json.loads(package.read(layout.CONTRACT)),
        event["p95_ms"],
    )
    registry.record_step(
        event["model"],
        step="smoke",
        outcome="passed",
        version=version.number,
        by=event["execution_arn"],
        why=f"{found['requests']} requests answered, {found['refusals']} refused as promised",
        details=found,
    )
    return found


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return what `smoke` returns; a candidate that is not well is a refusal."""
    return run_step("smoke_candidate", _smoke_candidate, event, context.aws_request_id)
