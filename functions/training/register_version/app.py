"""Register a package as the model's next version."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from boringml.adapters.object_store import ObjectStore
from boringml.adapters.registry_table import RegistryTable
from boringml.package import layout
from boringml.package.reader import Package
from boringml.registry.records import NewVersion
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


def _register_version(event: Mapping[str, Any]) -> dict[str, Any]:
    registry, packages = _adapters()
    package = Package(packages.folder(event["package_uri"]), event["package_digest"])
    evaluation = json.loads(package.read(layout.EVALUATION))
    manifest = package.manifest
    job = manifest["training"]
    candidate = NewVersion(
        model=event["model"],
        package_uri=event["package_uri"],
        package_digest=event["package_digest"],
        contract_version=manifest["contract_version"],
        runtime=manifest["runtime"],
        data_digest=manifest["data"]["digest"],
        git_commit=manifest["git_commit"],
        metrics=evaluation["metrics"],
        job_name=job["job_name"],
        cost_usd=job["cost_usd"],
        image=job["image"],
    )
    why = f"{event['trigger']}: {event['key']}; " + "; ".join(event["passed"])
    version = registry.register_version(candidate, by=event["execution_arn"], why=why[:900])
    return {"version": version.number}


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"version"}; a package that is registered already keeps its number."""
    return run_step("register_version", _register_version, event, context.aws_request_id)
