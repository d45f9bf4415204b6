"""Put traffic back and free the lock where a release or a rollback ended without doing so."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from boringml.adapters.event_bus import EventBus
from boringml.adapters.executions import Executions
from boringml.adapters.followers import follower_of
from boringml.adapters.registry_table import RegistryTable
from boringml.release.recovery import recover_releases
from boringml.release.serving_functions import parse
from boringml.settings import load
from boringml.steps import run_step


@dataclass(frozen=True)
class Settings:
    registry_table: str
    serving_functions: str
    stack_name: str


@cache
def _settings() -> Settings:
    return load(Settings, os.environ)


@cache
def _adapters() -> tuple[RegistryTable, EventBus, Executions]:
    settings = _settings()
    registry = RegistryTable(boto3.client("dynamodb"), settings.registry_table)
    return (
        registry,
        EventBus(boto3.client("events"), settings.stack_name),
        Executions(boto3.client("stepfunctions")),
    )


def _recover_release(event: Mapping[str, Any]) -> dict[str, Any]:
    registry, events, executions = _adapters()
    client = boto3.client("lambda")
    functions = {
        model: follower_of(client, name)
        for model, name in parse(_settings().serving_functions).items()
    }
    ended = (event.get("detail") or {}).get("executionArn")
    return {"recovered": recover_releases(registry, functions, executions, events, ended)}


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"recovered": models}. Called with the end of an execution, or by schedule."""
    return run_step("recover_release", _recover_release, event, context.aws_request_id)
