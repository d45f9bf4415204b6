"""Begin a release: take the model's lock, and refuse what could only fail later."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from boringml.adapters.declarations import declaration
from boringml.adapters.executions import Executions
from boringml.adapters.followers import follower_of
from boringml.adapters.object_store import ObjectStore
from boringml.adapters.registry_table import RegistryTable
from boringml.release.opening import open_release
from boringml.release.plan import check_function, release_plan
from boringml.settings import load
from boringml.steps import run_step


@dataclass(frozen=True)
class Settings:
    registry_table: str
    packages_bucket: str
    minute_seconds: int
    approval: bool


@cache
def _settings() -> Settings:
    return load(Settings, os.environ)


@cache
def _adapters() -> tuple[RegistryTable, ObjectStore, Executions]:
    settings = _settings()
    registry = RegistryTable(boto3.client("dynamodb"), settings.registry_table)
    packages = ObjectStore(boto3.client("s3"), settings.packages_bucket)
    return registry, packages, Executions(boto3.client("stepfunctions"))


def _open_release(event: Mapping[str, Any]) -> dict[str, Any]:
    registry, packages, executions = _adapters()
    settings = _settings()
    declared = declaration(event["model"])
    check_function(declared, event["function"])
    plan = release_plan(
        declared,
        minute_seconds=settings.minute_seconds,
        approval=settings.approval,
    )
    opened = open_release(
        registry,
        packages,
        follower_of(boto3.client("lambda"), event["function"]),
        executions,
        model=event["model"],
        number=event["version"],
        execution=event["execution_arn"],
        why=event["why"],
    )
    return {**opened, "plan": plan}


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"version", "code", "first", "live_version", "live_function_version", "plan"}."""
    return run_step("open_release", _open_release, event, context.aws_request_id)
