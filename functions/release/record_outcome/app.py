"""Count a business outcome of a prediction for the version that made it."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from boringml.release.outcomes import outcome_line
from boringml.settings import load
from boringml.steps import run_step


@dataclass(frozen=True)
class Settings:
    metrics_namespace: str


@cache
def _settings() -> Settings:
    return load(Settings, os.environ)


def _record_outcome(event: Mapping[str, Any]) -> dict[str, Any]:
    line = outcome_line(
        event["detail-type"], event.get("detail") or {}, _settings().metrics_namespace
    )
    sys.stdout.write(line)
    return {}


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {}; the line that it writes is the metric."""
    return run_step("record_outcome", _record_outcome, event, context.aws_request_id)
