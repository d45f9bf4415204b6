"""Say what is trained on which data, and claim the trigger so that it trains once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from boringml.adapters import declarations
from boringml.adapters.object_store import ObjectStore
from boringml.adapters.registry_table import RegistryTable
from boringml.errors import BoringError
from boringml.settings import load
from boringml.steps import run_step
from boringml.training.trigger import trigger_of


@dataclass(frozen=True)
class Settings:
    registry_table: str
    lake_bucket: str


@cache
def _adapters() -> tuple[RegistryTable, ObjectStore]:
    settings = load(Settings, os.environ)
    registry = RegistryTable(boto3.client("dynamodb"), settings.registry_table)
    return registry, ObjectStore(boto3.client("s3"), settings.lake_bucket)


def _open_run(event: Mapping[str, Any]) -> dict[str, Any]:
    registry, lake = _adapters()
    trigger = trigger_of(event["input"], event["execution_name"])
    declarations.declaration(trigger.model)
    run = {"model": trigger.model, "trigger_id": trigger.trigger_id, "trigger": trigger.kind}
    try:
        registry.claim_run(trigger.model, trigger.trigger_id, execution_arn=event["execution_arn"])
    except BoringError as error:
        if error.code != "run_already_claimed":
            raise
        return {**run, "ignored": True, "key": trigger.key, "reason": error.message}
    return {**run, "ignored": False, "key": trigger.key or _newest(lake, trigger.model)}


def _newest(lake: ObjectStore, model: str) -> str:
    found = [item for item in lake.list(f"data/{model}/") if not item.key.endswith("/")]
    if not found:
        raise BoringError("data_missing", f"There is nothing under data/{model}/ to train on.", 404)
    return max(found, key=lambda item: item.modified).key


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"model", "trigger_id", "trigger", "key", "ignored"} of an execution."""
    return run_step("open_run", _open_run, event, context.aws_request_id)
