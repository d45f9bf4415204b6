"""Send live's requests back to what was live before."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3

from boringml.adapters.declarations import declaration
from boringml.adapters.event_bus import EventBus
from boringml.adapters.executions import Executions
from boringml.adapters.followers import follower_of
from boringml.adapters.object_store import ObjectStore
from boringml.adapters.registry_table import RegistryTable
from boringml.release.plan import check_function, release_plan
from boringml.release.rollback import roll_back
from boringml.settings import load
from boringml.steps import run_step


@dataclass(frozen=True)
class Settings:
    registry_table: str
    packages_bucket: str
    minute_seconds: int
    stack_name: str


@cache
def _settings() -> Settings:
    return load(Settings, os.environ)


@cache
def _adapters() -> tuple[RegistryTable, ObjectStore, Executions, EventBus]:
    settings = _settings()
    registry = RegistryTable(boto3.client("dynamodb"), settings.registry_table)
    packages = ObjectStore(boto3.client("s3"), settings.packages_bucket)
    executions = Executions(boto3.client("stepfunctions"))
    return registry, packages, executions, EventBus(boto3.client("events"), settings.stack_name)


def _roll_back(event: Mapping[str, Any]) -> dict[str, Any]:
    registry, packages, executions, events = _adapters()
    declared = declaration(event["model"])
    check_function(declared, event["function"])
    plan = release_plan(declared, minute_seconds=_settings().minute_seconds, approval=False)
    return roll_back(
        registry,
        packages,
        follower_of(boto3.client("lambda"), event["function"]),
        executions,
        events,
        model=event["model"],
        to=event.get("to"),
        seen=event.get("seen"),
        by=event["by"],
        why=event["why"],
        execution=event["execution_arn"],
        now=datetime.now(UTC),
        bake_seconds=plan["bake_seconds"],
    )


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"version", "from", "function_version", ...}. Publishes ModelRolledBack."""
    return run_step("roll_back", _roll_back, event, context.aws_request_id)
