"""Keep the labels that a client posts to /models/<model>/labels."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from boringml.adapters import declarations
from boringml.adapters.labels_table import LabelsTable
from boringml.adapters.object_store import ObjectStore
from boringml.errors import BoringError
from boringml.monitoring.labels import LabelRules
from boringml.monitoring.post_labels import LabelPoster
from boringml.monitoring.record_labels import LabelRecorder
from boringml.settings import load


@dataclass(frozen=True)
class Settings:
    lake_bucket: str
    metrics_namespace: str


def _rules(model: str) -> LabelRules:
    try:
        return LabelRules.of(declarations.declaration(model), declarations.contract(model))
    except BoringError as error:
        raise BoringError("model_not_found", error.message) from error


@cache
def _poster() -> LabelPoster:
    settings = load(Settings, os.environ)
    lake = ObjectStore(boto3.client("s3"), settings.lake_bucket)
    return LabelPoster(
        LabelRecorder(LabelsTable(lake), _rules),
        # Looked up each time: Lambda's runtime puts its own stream there.
        lambda line: sys.stdout.write(line),
        settings.metrics_namespace,
        declarations.models(),
    )


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return API Gateway's answer: 200 with what was kept and what was not, or a refusal."""
    return _poster().answer(event, context.aws_request_id)
