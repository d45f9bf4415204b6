"""Compare what another endpoint answered with what live answers to the same request."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from boringml.adapters import declarations
from boringml.adapters.live_version import LiveVersion
from boringml.adapters.serving_function import ServingFunction
from boringml.serving.compare_request import RequestComparer
from boringml.settings import load

# Below the API's own time limit, and once: the mirror's next request compares as well.
_BRIEFLY = Config(read_timeout=8, connect_timeout=2, retries={"total_max_attempts": 1})


@dataclass(frozen=True)
class Settings:
    model_name: str
    predict_function: str
    metrics_namespace: str


@cache
def _comparer() -> RequestComparer:
    settings = load(Settings, os.environ)
    function = ServingFunction(boto3.client("lambda", config=_BRIEFLY), settings.predict_function)
    return RequestComparer(
        declarations.contract(settings.model_name),
        LiveVersion(function).invoke,
        # Looked up each time: Lambda's runtime puts its own stream there.
        lambda line: sys.stdout.write(line),
        settings.metrics_namespace,
    )


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return API Gateway's answer: 202 {"request_id"}, or the contract's refusal."""
    return _comparer().answer(event, context.aws_request_id)
