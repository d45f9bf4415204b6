"""Count a business outcome of a prediction for the version that made it."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from boringml.adapters.outcomes_table import OutcomesTable
from boringml.release.outcomes import outcome_id, outcome_line
from boringml.settings import load
from boringml.steps import run_step


@dataclass(frozen=True)
class Settings:
    outcomes_table: str
    metrics_namespace: str


@cache
def _settings() -> Settings:
    return load(Settings, os.environ)


@cache
def _outcomes() -> OutcomesTable:
    return OutcomesTable(boto3.client("dynamodb"), _settings().outcomes_table)


def _record_outcome(event: Mapping[str, Any], invocation: str) -> dict[str, Any]:
    kind, detail = event["detail-type"], event.get("detail") or {}
    line = outcome_line(kind, detail, _settings().metrics_namespace)
    counted = _outcomes().claim(outcome_id(kind, detail), invocation)
    if counted:
        sys.stdout.write(line)
    return {"counted": counted}


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"counted"}: false of an outcome told before. Its line is the metric."""
    invocation = context.aws_request_id
    return run_step(
        "record_outcome", lambda told: _record_outcome(told, invocation), event, invocation
    )
