"""Pack the pinned package for SageMaker, and say what model and job are to be made."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from boringml.adapters import declarations
from boringml.adapters.object_store import ObjectStore
from boringml.batch.run import BatchRun
from boringml.batch.settings import BatchSettings
from boringml.batch.transform import archive, plan_transform
from boringml.package.reader import Package
from boringml.settings import load
from boringml.steps import run_step


@dataclass(frozen=True)
class Settings:
    lake_bucket: str
    packages_bucket: str
    job_role_arn: str
    job_image_uri: str = ""


@cache
def _packages() -> ObjectStore:
    return ObjectStore(boto3.client("s3"), load(Settings, os.environ).packages_bucket)


def _plan_transform(event: Mapping[str, Any]) -> dict[str, Any]:
    settings = load(Settings, os.environ)
    packages = _packages()
    run = BatchRun.of(event["run"])
    declaration = declarations.declaration(run.model)
    key = f"jobs/{run.model}/batch-{run.label}/model.tar.gz"
    plan = plan_transform(
        run,
        declaration,
        BatchSettings.of(declaration),
        image_uri=settings.job_image_uri,
        role_arn=settings.job_role_arn,
        model_data_uri=f"s3://{packages.bucket}/{key}",
        bucket=settings.lake_bucket,
    )
    package = Package(packages.folder(run.package_uri), run.package_digest)
    packages.write(key, archive(package))
    return plan


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"model", "job"}, requests of CreateModel and CreateTransformJob."""
    return run_step("plan_transform", _plan_transform, event, context.aws_request_id)
