"""Start a release for each model whose function's newest code is not the one that is live."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from boringml.adapters.executions import Executions
from boringml.adapters.registry_table import RegistryTable
from boringml.adapters.serving_function import ServingFunction
from boringml.release.code_change import releases_of_new_code
from boringml.release.serving_functions import parse
from boringml.settings import load
from boringml.steps import run_step


@dataclass(frozen=True)
class Settings:
    registry_table: str
    release_state_machine: str
    serving_functions: str


@cache
def _settings() -> Settings:
    return load(Settings, os.environ)


def _release_code(_event: Mapping[str, Any]) -> dict[str, Any]:
    settings = _settings()
    registry = RegistryTable(boto3.client("dynamodb"), settings.registry_table)
    executions = Executions(boto3.client("stepfunctions"))
    client = boto3.client("lambda")
    functions = {
        model: ServingFunction(client, name)
        for model, name in parse(settings.serving_functions).items()
        if name is not None
    }
    releases = releases_of_new_code(registry, functions, executions)
    started = [
        executions.start(
            settings.release_state_machine, name, {"model": model, "why": "new code was deployed"}
        )
        for model, name in releases.items()
    ]
    return {"started": started}


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"started": executions}. Called when a stack update or a release is over."""
    return run_step("release_code", _release_code, event, context.aws_request_id)
