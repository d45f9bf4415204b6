"""Plan a training job from the model's blueprint: everything about it is decided here."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from boringml.adapters import declarations
from boringml.adapters.registry_table import RegistryTable
from boringml.governance.job_rules import job_name
from boringml.governance.training_job import plan_training_job
from boringml.settings import load
from boringml.steps import run_step


@dataclass(frozen=True)
class Settings:
    registry_table: str
    lake_bucket: str
    packages_bucket: str
    job_role_arn: str
    aws_region: str
    environment: str
    git_commit: str = "unknown"
    job_image_uri: str = ""


@cache
def _adapters() -> tuple[Settings, RegistryTable]:
    settings = load(Settings, os.environ)
    return settings, RegistryTable(boto3.client("dynamodb"), settings.registry_table)


def _plan_job(event: Mapping[str, Any]) -> dict[str, Any]:
    settings, registry = _adapters()
    model = event["model"]
    declared = declarations.declaration(model)
    blueprint = declarations.blueprint(declared["blueprint"])
    number = registry.alias(model, "live")
    live = registry.version(model, number) if number is not None else None
    name = job_name(model, event["execution_arn"], event["attempt"])
    request = plan_training_job(
        declared,
        blueprint,
        job_name=name,
        image_uri=settings.job_image_uri,
        role_arn=settings.job_role_arn,
        region=settings.aws_region,
        input_uri=f"s3://{settings.lake_bucket}/{event['key']}",
        output_uri=f"s3://{settings.packages_bucket}/jobs/{model}/",
        checkpoint_uri=f"s3://{settings.packages_bucket}/checkpoints/{model}/",
        live_package_uri=live.package_uri if live else None,
        live_model_version=live.number if live else None,
        live_digest=live.package_digest if live else None,
        tags={"environment": settings.environment, "trigger": event["trigger"]},
        git_commit=settings.git_commit,
    )
    limit = blueprint.max_wait_seconds or blueprint.max_runtime_seconds
    # Starting the machine, loading the image and uploading are not part of the job's own limit.
    return {"request": request, "timeout_seconds": limit + 1800, "blueprint": blueprint.name}


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"request": CreateTrainingJob's, "timeout_seconds", "blueprint"}."""
    return run_step("plan_job", _plan_job, event, context.aws_request_id)
