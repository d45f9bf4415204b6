"""Make a model package of what a completed training job left."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from boringml.adapters.object_store import ObjectStore
from boringml.governance.cost import training_cost
from boringml.settings import load
from boringml.steps import run_step
from boringml.training.package_model import package_model


@dataclass(frozen=True)
class Settings:
    packages_bucket: str
    aws_region: str


@cache
def _adapters() -> tuple[Settings, ObjectStore]:
    settings = load(Settings, os.environ)
    return settings, ObjectStore(boto3.client("s3"), settings.packages_bucket)


def _package_model(event: Mapping[str, Any]) -> dict[str, Any]:
    settings, packages = _adapters()
    model, job = event["model"], event["job"]
    machine = job["ResourceConfig"]
    billable = job["BillableTimeInSeconds"]
    cost = training_cost(
        machine["InstanceType"],
        billable,
        machine["InstanceCount"],
        region=settings.aws_region,
        volume_gb=machine["VolumeSizeInGB"],
    )
    facts = {
        "job_name": job["TrainingJobName"],
        "job_arn": job["TrainingJobArn"],
        "image": job["AlgorithmSpecification"]["TrainingImage"],
        "instance_type": machine["InstanceType"],
        "billable_seconds": billable,
        "training_seconds": job["TrainingTimeInSeconds"],
        "cost_usd": cost.usd,
        "price_source": cost.price_source,
    }
    artefact = job["ModelArtifacts"]["S3ModelArtifacts"]
    key = artefact.removeprefix(f"s3://{packages.bucket}/")
    made = package_model(packages, key, f"packages/{model}/{facts['job_name']}/", facts)
    # The manifest lies in the package; a state machine carries what it needs to find it.
    return {"package_uri": made["package_uri"], "package_digest": made["package_digest"]}


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"package_uri", "package_digest"}."""
    return run_step("package_model", _package_model, event, context.aws_request_id)
