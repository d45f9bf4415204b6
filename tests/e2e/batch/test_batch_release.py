"""Releases of a model that batches alone ask: compared with the last batch, refused, taken back."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from boringml.registry.records import Route
from local.bad_versions import WRONG, register_bad_version
from local.datasets import churn, write_churn
from local.following import executions, started_after
from tests.e2e.batch.conftest import Batch

pytestmark = pytest.mark.local_aws


def start(batch: Batch, machine: str, **given: Any) -> str:
    name = f"churn-{random.randrange(10**9)}"
    return batch.stack.start(
        machine, name, json.dumps({"model": "churn", "why": "a test", **given})
    )


def steps(batch: Batch, version: int) -> dict[str, Any]:
    """Return the steps of a version's releases in the history: {step: its last event}."""
    history = batch.stack.registry.history("churn")
    return {
        event.details["step"]: event
        for event in history
        if event.to_version == version and event.details.get("step")
    }


@pytest.fixture(scope="module")
def second(batch: Batch, tmp_path_factory: pytest.TempPathFactory) -> int:
    """A second version, released by its training data after a batch of all customers."""
    customers = churn().drop(columns="churn")
    batch.summary(batch.send("before-release.parquet", customers.to_parquet(index=False)))
    file: Path = write_churn(tmp_path_factory.mktemp("more") / "more.csv", slice(6000))
    machine = batch.stack.outputs["ReleaseStateMachine"]
    known = executions(batch.states, machine)
    key = f"data/churn/{file.name}"
    batch.stack.local_aws.client("s3").upload_file(str(file), batch.lake, key)
    release = started_after(batch.states, machine, known, 300)
    promoted = batch.stack.output(release)
    assert (promoted["from"], promoted["function_version"]) == (1, None)
    assert {"ProveCandidate", "CompareBatch"} <= set(batch.stack.entered(release))
    return int(promoted["version"])


def test_a_first_version_is_proved_and_promoted_in_the_registry_alone(batch: Batch) -> None:
    found = steps(batch, 1)
    assert found["prove"].details["outcome"] == "passed"
    assert found["prove"].details["examples"] > 0
    assert found["promote"].details["function_version"] is None
    assert "shadow" not in found


def test_a_second_version_is_compared_with_the_last_batch_and_promoted(
    batch: Batch, second: int
) -> None:
    assert batch.stack.registry.route("churn") == Route(version=second)
    assert batch.stack.registry.lock("churn") is None
    assert batch.stack.registry.alias("churn", "candidate") is None
    told = steps(batch, second)["shadow"]
    assert told.details["outcome"] == "passed"
    stored = batch.s3.get_object(
        Bucket=batch.stack.outputs["PackagesBucket"], Key=told.details["report"]
    )
    report = json.loads(stored["Body"].read())
    assert report["summary"]["samples"] == report["summary"]["compared"] > 3000
    assert report["summary"]["segments"]
    assert report["summary"]["latency_ratio"] is None
    svg = told.details["report"].replace(".json", ".svg")
    drawing = batch.s3.get_object(Bucket=batch.stack.outputs["PackagesBucket"], Key=svg)
    assert drawing["Body"].read().startswith(b"<svg")


def test_a_version_with_probabilities_swapped_is_refused_and_live_stays(
    batch: Batch, second: int
) -> None:
    registry = batch.stack.registry
    good = registry.version("churn", second)
    bad = register_bad_version(batch.s3, registry, good, WRONG)
    before = registry.route("churn")
    why = batch.failure(start(batch, "ReleaseStateMachine", version=bad))
    assert why.startswith("PromotionFailed: shadow_failed: ")
    assert "labels differ" in why
    assert registry.route("churn") == before
    assert registry.lock("churn") is None
    assert registry.alias("churn", "candidate") is None
    assert steps(batch, bad)["end"].details["outcome"] == "abandoned"


def test_a_rollback_goes_back_and_the_next_batch_asks_that_version(
    batch: Batch, second: int
) -> None:
    registry = batch.stack.registry
    seen = registry.route("churn").identity
    back = batch.stack.output(start(batch, "RollbackStateMachine", by="person", seen=seen))
    assert (back["version"], back["from"]) == (1, second)
    assert registry.route("churn") == Route(version=1)
    rows = churn(slice(500)).drop(columns="churn").to_parquet(index=False)
    assert batch.summary(batch.send("after-rollback.parquet", rows))["model_version"] == 1
    again = start(batch, "RollbackStateMachine", by="person", seen=seen)
    assert "live_changed" in batch.failure(again)
    # For whoever comes after: the second version once more, this time as it is.
    start_again = start(batch, "ReleaseStateMachine", version=second)
    assert batch.stack.output(start_again)["version"] == second
