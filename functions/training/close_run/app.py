"""Say how a training run ended, in the registry and on the event bus."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from boringml.adapters.event_bus import EventBus
from boringml.adapters.registry_table import RegistryTable
from boringml.settings import load
from boringml.steps import reason_of, run_step


@dataclass(frozen=True)
class Settings:
    registry_table: str
    stack_name: str


@cache
def _adapters() -> tuple[RegistryTable, EventBus]:
    settings = load(Settings, os.environ)
    table = settings.registry_table
    return RegistryTable(boto3.client("dynamodb"), table), EventBus(
        boto3.client("events"), settings.stack_name
    )


def _close_run(event: Mapping[str, Any]) -> dict[str, Any]:
    registry, events = _adapters()
    run = event.get("run") or {}
    if event["status"] == "succeeded":
        registry.finish_run(
            run["model"], run["trigger_id"], status="succeeded", version=event["version"]
        )
        events.publish("ModelRegistered", {"model": run["model"], "version": event["version"]})
        return {"status": "succeeded"}
    reason = reason_of(event.get("error"), event.get("cause"))
    detail = {"model": run.get("model"), "key": run.get("key"), "reason": reason}
    events.publish("TrainingFailed", {**detail, "execution_arn": event["execution_arn"]})
    if run:
        registry.finish_run(
            run["model"],
            run["trigger_id"],
            status="failed",
            reason=reason,
        )
    return {"status": "failed", "reason": reason}


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"status", "reason"?}. Publishes ModelRegistered or TrainingFailed."""
    return run_step("close_run", _close_run, event, context.aws_request_id)
