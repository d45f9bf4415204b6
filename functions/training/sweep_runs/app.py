"""Close the runs whose state machine ended without a word: stopped, timed out, event lost."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import boto3

from boringml.adapters.event_bus import EventBus
from boringml.adapters.registry_table import RegistryTable
from boringml.settings import load
from boringml.steps import run_step

# A run that claimed its trigger this lately may only just be starting.
GRACE = timedelta(seconds=30)


@dataclass(frozen=True)
class Settings:
    registry_table: str
    stack_name: str


@cache
def _adapters() -> tuple[RegistryTable, EventBus, Any]:
    settings = load(Settings, os.environ)
    table = settings.registry_table
    registry = RegistryTable(boto3.client("dynamodb"), table)
    return (
        registry,
        EventBus(boto3.client("events"), settings.stack_name),
        boto3.client("stepfunctions"),
    )


def _sweep_runs(event: Mapping[str, Any]) -> dict[str, Any]:
    registry, events, executions = _adapters()
    closed = []
    ended = event.get("detail", {}).get("executionArn")
    grace = timedelta() if ended else GRACE
    for run in registry.open_runs(older_than=datetime.now(UTC) - grace):
        if ended and run.execution_arn != ended:
            continue
        status = executions.describe_execution(executionArn=run.execution_arn)["status"]
        if status == "RUNNING":
            continue
        message = f"The state machine ended {status} and did not say why: see its history."
        reason = {"code": "run_lost", "message": message}
        events.publish(
            "TrainingFailed",
            {
                "model": run.model,
                "reason": reason,
                "execution_arn": run.execution_arn,
            },
        )
        registry.finish_run(run.model, run.trigger_id, status="failed", reason=reason)
        closed.append(run.execution_arn)
    return {"closed": closed}


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"closed": execution ARNs}. Runs on a schedule and when an execution ends badly."""
    return run_step("sweep_runs", _sweep_runs, event, context.aws_request_id)
