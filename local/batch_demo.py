"""A batch of all customers, by both engines, and whether they answer the same."""

import io
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from local.datasets import write_churn_customers
from local.following import executions, follow, started_after
from local.telling import Say
from local.up import Deployed

MODEL = "churn"
# Of two runtimes of the same model: float32 sums in another order.
MOST_DIFFERENCE = 1e-6


@dataclass(frozen=True)
class Compared:
    """Both summaries of the same customers, and the largest difference of two probabilities."""

    by_map: dict[str, Any]
    by_transform: dict[str, Any]
    rows: int
    largest_difference: float
    flipped_labels: int

    def broken(self) -> list[str]:
        """Return, in words, what does not add up."""
        told = []
        for summary in (self.by_map, self.by_transform):
            ends = summary["scored"] + summary["rejected_rows"] + summary["failed_rows"]
            if summary["rows_in"] != ends or not summary["scored"]:
                told.append(f"rows were lost: {summary}")
        if self.largest_difference > MOST_DIFFERENCE or self.flipped_labels:
            told.append(f"the engines differ: {self}")
        return told


def run_batches(deployed: Deployed, say: Say) -> Compared:
    """Score all customers by an upload, and again by the other engine; return both.

    Raises ExecutionFailedError.
    """
    states = deployed.local_aws.client("stepfunctions")
    lake, machine = deployed.outputs["LakeBucket"], deployed.outputs["BatchStateMachine"]
    known = executions(states, machine)
    with tempfile.TemporaryDirectory() as folder:
        name = f"customers-{time.strftime('%Y%m%dT%H%M%S')}.parquet"
        file = write_churn_customers(Path(folder) / name, format="parquet")
        key = f"batch/{MODEL}/incoming/{name}"
        deployed.local_aws.client("s3").upload_file(str(file), lake, key)
    say(f"uploaded s3://{lake}/{key}")
    by_map = follow(states, started_after(states, machine, known), say)
    say("the same file, by SageMaker Batch Transform")
    again = states.start_execution(
        stateMachineArn=machine,
        input=json.dumps(
            {"model": MODEL, "key": key, "engine": "transform", "occasion": "transform"}
        ),
    )["executionArn"]
    by_transform = follow(states, again, say)
    first, second = (_scores(deployed, summary) for summary in (by_map, by_transform))
    differences = [abs(one[1] - two[1]) for one, two in _pairs(first, second)]
    flipped = sum(one[0] != two[0] for one, two in _pairs(first, second))
    return Compared(by_map, by_transform, len(first), max(differences), flipped)


def _pairs(first: dict[str, Any], second: dict[str, Any]) -> list[tuple[Any, Any]]:
    if first.keys() != second.keys():
        raise RuntimeError("the engines scored different customers")
    return [(first[key], second[key]) for key in first]


def table_below(s3: Any, uri: str) -> pa.Table | None:
    """Return the rows of the Parquet files below an S3 folder; None where there is none."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    parts = [
        pq.read_table(io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read()))
        for key in keys
        if key.endswith(".parquet")
    ]
    return pa.concat_tables(parts) if parts else None


def _scores(deployed: Deployed, summary: dict[str, Any]) -> dict[str, tuple[str, float]]:
    """Return (prediction, probability) of each customer of a run."""
    table = table_below(deployed.local_aws.client("s3"), summary["scored_uri"])
    rows = table.to_pylist() if table is not None else []
    return {row["key"]: (row["prediction"], row["probability"]) for row in rows}
