"""Keep the labels of a file that was put under labels/<model>/."""

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
from boringml.monitoring.label_files import MOST_BYTES
from boringml.monitoring.labels import LabelRules
from boringml.monitoring.record_labels import LabelRecorder
from boringml.settings import load
from boringml.steps import run_step


@dataclass(frozen=True)
class Settings:
    lake_bucket: str
    metrics_namespace: str


@cache
def _settings() -> Settings:
    return load(Settings, os.environ)


@cache
def _lake() -> ObjectStore:
    return ObjectStore(boto3.client("s3"), _settings().lake_bucket)


def _rules(model: str) -> LabelRules:
    return LabelRules.of(declarations.declaration(model), declarations.contract(model))


def _record_labels(event: Mapping[str, Any]) -> dict[str, Any]:
    told = event["detail"]["object"]
    key = told["key"]
    if key.endswith("/"):  # a folder, as the console makes one
        return {"ignored": key}
    # Of a bucket with versions: what is written over it meanwhile has an event of its own.
    version_id = told.get("version-id") or _lake().pinned(key)[0]
    source = _lake().version(key, version_id)
    # One byte more than is read tells a file that is too large, without all of it.
    content = source.read(0, min(source.size, MOST_BYTES + 1))
    recorder = LabelRecorder(LabelsTable(_lake()), _rules)
    receipt = recorder.record_file(key, version_id, content)
    sys.stdout.write(receipt.line(_settings().metrics_namespace, declarations.models()))
    return receipt.document()


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"model", "received", "accepted", "refused", "file_code", "message"} of a file."""
    return run_step("record_labels", _record_labels, event, context.aws_request_id)
