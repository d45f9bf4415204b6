"""Publish a registered version with the newest code, and make it the candidate."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from boringml.adapters.registry_table import RegistryTable
from boringml.adapters.serving_function import ServingFunction
from boringml.release.road import publish_version
from boringml.settings import load
from boringml.steps import run_step


@dataclass(frozen=True)
class Settings:
    registry_table: str


@cache
def _registry() -> RegistryTable:
    return RegistryTable(boto3.client("dynamodb"), load(Settings, os.environ).registry_table)


def _publish_version(event: Mapping[str, Any]) -> dict[str, Any]:
    function = ServingFunction(boto3.client("lambda"), event["function"])
    return publish_version(
        _registry(), function, event["model"], event["version"], event["execution_arn"]
    )


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"function_version"}."""
    return run_step("publish_version", _publish_version, event, context.aws_request_id)
