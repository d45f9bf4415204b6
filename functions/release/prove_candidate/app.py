"""Load the candidate of a model without a function, and ask it for its golden answers."""

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
from boringml.registry.records import ModelVersion
from boringml.release.proof import golden_answers
from boringml.release.road import prove_candidate
from boringml.serving.model import load_model
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


def _shown(version: ModelVersion) -> dict[str, Any]:
    fetch = _adapters()[1].folder(version.package_uri)
    model = load_model(fetch, version.model, version.package_digest, version.number)
    return golden_answers(
        model, json.loads(Package(fetch, version.package_digest).read(layout.GOLDEN))
    )


def _prove_candidate(event: Mapping[str, Any]) -> dict[str, Any]:
    registry, _ = _adapters()
    return prove_candidate(
        registry, event["model"], event["version"], event["execution_arn"], _shown
    )


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"examples", "largest_difference"}; a candidate that is not well is a refusal."""
    return run_step("prove_candidate", _prove_candidate, event, context.aws_request_id)
