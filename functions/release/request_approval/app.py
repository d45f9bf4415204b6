"""Ask a person to approve a release, and leave the token with which to answer."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from boringml.adapters.event_bus import EventBus
from boringml.adapters.registry_table import RegistryTable
from boringml.settings import load
from boringml.steps import run_step


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


def _request_approval(event: Mapping[str, Any]) -> dict[str, Any]:
    registry, events = _adapters()
    model, version, release = event["model"], event["version"], event["execution_arn"]
    report = event.get("report")
    approval = registry.ask_approval(
        model, version=version, release=release, token=event["token"], report=report
    )
    registry.record_step(
        model,
        step="approval",
        outcome="asked",
        version=version,
        by=release,
        why="its plan wants a person's approval before live requests go to it",
    )
    # The token stays in the registry: whoever reads this event cannot answer with it.
    asked = {"model": model, "version": version, "release": release, "report": report}
    events.publish("ApprovalRequested", {**asked, "answer": f"boringml approve {model}"})
    return {"asked_at": approval.asked_at.isoformat()}


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"asked_at"}; the state goes on when the token is answered. ApprovalRequested."""
    return run_step("request_approval", _request_approval, event, context.aws_request_id)
