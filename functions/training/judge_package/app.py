"""Hold a package to its gates: parity, thresholds, and not worse than the live version."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from boringml.adapters import declarations
from boringml.adapters.object_store import ObjectStore
from boringml.package import layout
from boringml.package.reader import Package
from boringml.settings import load
from boringml.steps import run_step
from boringml.training.gates import judge


@dataclass(frozen=True)
class Settings:
    packages_bucket: str


@cache
def _packages() -> ObjectStore:
    return ObjectStore(boto3.client("s3"), load(Settings, os.environ).packages_bucket)


def _judge_package(event: Mapping[str, Any]) -> dict[str, Any]:
    package = Package(_packages().folder(event["package_uri"]), event["package_digest"])
    evaluation = json.loads(package.read(layout.EVALUATION))
    declared = declarations.declaration(event["model"])
    serving_runtime = declared["serving"].get("runtime", layout.RUNTIME_ONNX)
    runtime = package.manifest["runtime"]
    return {"passed": judge(evaluation, declared["gates"], runtime, serving_runtime)}


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"passed": gates in words}; a gate that is missed is a refusal."""
    return run_step("judge_package", _judge_package, event, context.aws_request_id)
