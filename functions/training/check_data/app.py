"""Check a data file against the model's contract before anything is spent on it."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3

from boringml.adapters import declarations
from boringml.adapters.object_store import ObjectStore
from boringml.contract.features import features_of
from boringml.settings import load
from boringml.steps import run_step
from boringml.training.data_check import checked_table
from boringml.training.data_files import load as load_files


@dataclass(frozen=True)
class Settings:
    lake_bucket: str


@cache
def _lake() -> ObjectStore:
    return ObjectStore(boto3.client("s3"), load(Settings, os.environ).lake_bucket)


def _check_data(event: Mapping[str, Any]) -> dict[str, Any]:
    contract = declarations.contract(event["model"])
    features = features_of(contract)
    max_bytes = contract["data"]["max_bytes"]
    with tempfile.TemporaryDirectory() as folder:
        channel = Path(folder)
        _lake().download(event["key"], channel / Path(event["key"]).name, max_bytes)
        table = checked_table(load_files(channel, features, max_bytes), contract, features)
    return {"rows": table.num_rows}


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"rows"} of a good file; a bad one is refused with each thing that is wrong."""
    return run_step("check_data", _check_data, event, context.aws_request_id)
