"""The functions of a batch, called in turn as the state machine calls them, on emulated AWS."""

import importlib.util
import io
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto import mock_aws

from boringml.adapters.registry_table import RegistryTable
from boringml.package import layout, manifest
from boringml.registry.records import NewVersion
from boringml.serving.model import load_model
from boringml.steps import Refused
from local.datasets import churn
from tests.integration.training.ml_root import trained_churn

ROOT = Path(__file__).parents[3]
KEY = "batch/churn/incoming/all.parquet"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1",
    "LAKE_BUCKET": "lake", "PACKAGES_BUCKET": "packages", "REGISTRY_TABLE": "registry",
    "BATCH_RUNS_TABLE": "runs", "DATABASE": "lake", "STACK_NAME": "one", "SCORER_MEMORY_MB": "1769",
    "METRICS_NAMESPACE": "BoringML/x",
    "JOB_ROLE_ARN": "arn:aws:iam::123456789012:role/jobs",
    "JOB_IMAGE_URI": f"123456789012.dkr.ecr.us-east-1.amazonaws.com/image@sha256:{'0' * 64}",
}  # fmt: skip


class Catalog:
    """Glue's tables, in memory: moto's needs what is not installed."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, str]] = []

    def get_table(self, **_: Any) -> Any:
        return {"Table": {"StorageDescriptor": {}}}

    def create_partition(self, **asked: Any) -> None:
        self.shown.append((asked["TableName"], asked["PartitionInput"]["Values"][2]))


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Churn, trained on all customers."""
    return trained_churn(tmp_path_factory.mktemp("churn")).model


@pytest.fixture
def catalog(package: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Catalog]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        real, found = boto3.client, Catalog()
        s3, dynamodb = real("s3"), real("dynamodb")
        for bucket in ("lake", "packages"):
            s3.create_bucket(Bucket=bucket)
        versions: Any = {"Status": "Enabled"}
        s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration=versions)
        for table in ("registry", "runs"):
            keys: Any = [("pk", "HASH"), ("sk", "RANGE")]
            dynamodb.create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n, _ in keys],
                KeySchema=[{"AttributeName": n, "KeyType": k} for n, k in keys],
            )
        for file in package.iterdir():
            s3.upload_file(str(file), "packages", f"packages/churn/one/{file.name}")
        _make_live(RegistryTable(dynamodb, "registry"), package)
        s3.put_object(
            Bucket="lake",
            Key=KEY,
            Body=churn().drop(columns="churn").to_parquet(index=False, row_group_size=2000),
        )
        monkeypatch.setattr(
            boto3, "client", lambda name, *args: found if name == "glue" else real(name, *args)
        )
        yield found


def _make_live(registry: RegistryTable, package: Path) -> None:
    version = NewVersion(
        model="churn",
        package_uri="s3://packages/packages/churn/one/",
        package_digest=_digest(package),
        contract_version="1.0.0",
        runtime="onnx",
        data_digest=f"sha256:{'1' * 64}",
        git_commit="a" * 40,
        metrics={},
        job_name="one",
        cost_usd=0.0,
        image="image",
    )
    registry.register_version(version, by="test", why="a test")
    registry.move_alias("churn", "live", to=1, expected=None, by="test", why="a test")


def _digest(package: Path) -> str:
    return manifest.package_digest(json.loads((package / layout.MANIFEST).read_text()))


def call(name: str, **event: Any) -> dict[str, Any]:
    """Call a function as a fresh one, which knows nothing of the call before."""
    path = ROOT / "functions" / "batch" / name / "app.py"
    spec = importlib.util.spec_from_file_location(f"batch_{name}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return dict(module.handler(event, SimpleNamespace(aws_request_id="test")))


def opened(execution: str, **given: Any) -> dict[str, Any]:
    return call(
        "open_batch", input={"model": "churn", "key": KEY, **given}, execution_arn=execution
    )


def planned(run: dict[str, Any]) -> list[Any]:
    key = call("plan_chunks", run=run)["chunks_key"]
    chunks: list[Any] = json.loads(
        boto3.client("s3").get_object(Bucket="lake", Key=key)["Body"].read()
    )
    return chunks


def finished(run: dict[str, Any], job: Any = None) -> dict[str, Any]:
    call("commit_batch", run=run, job=job)
    return call("publish_batch", run=run)


def keys(prefix: str) -> list[str]:
    found = boto3.client("s3").list_objects_v2(Bucket="lake", Prefix=prefix)
    return [item["Key"] for item in found.get("Contents", [])]


def scores(summary: dict[str, Any]) -> pa.Table:
    s3 = boto3.client("s3")
    parts = [k for k in keys(summary["scored_uri"].removeprefix("s3://lake/")) if "part-" in k]
    read = [s3.get_object(Bucket="lake", Key=key)["Body"].read() for key in parts]
    return pa.concat_tables([pq.read_table(io.BytesIO(content)) for content in read])


def test_both_engines_write_equal_scores_and_the_input_is_scored_once(
    catalog: Catalog, package: Path
) -> None:
    by_map = opened("one")["run"]
    for chunk in planned(by_map):
        call("score_chunk", run=by_map, chunk=chunk)
    assert catalog.shown == []
    first = finished(by_map)
    other = opened("two", engine="transform")["run"]
    chunks = planned(other)
    for chunk in chunks:
        call("prepare_chunk", run=other, chunk=chunk)
    plan = call("plan_transform", run=other)
    assert plan["model"]["PrimaryContainer"]["Environment"]["MODEL_DIGEST"] == _digest(package)
    _transform(other, package)
    for chunk in chunks:
        call("join_chunk", run=other, chunk=chunk)
    second = finished(other, {"TransformStartTime": 0, "TransformEndTime": 60_000})
    assert scores(first).num_rows == 7043
    assert scores(first).equals(scores(second))
    assert keys(f"{other['work']}transform/") == []
    assert [table for table, _ in catalog.shown] == ["rejected", "scores"] * 2
    again = opened("three")
    assert (again["action"], again["summary"]) == ("answer", first)


def test_a_dead_attempt_leaves_nothing_that_is_seen(catalog: Catalog) -> None:
    dead = opened("one")["run"]
    chunks = planned(dead)
    call("score_chunk", run=dead, chunk=chunks[0])
    call("abandon_batch", run=dead, error="States.Timeout", cause="", execution_arn="one", input={})
    assert keys("scored/") == []
    run = opened("two")["run"]
    call("score_chunk", run=dead, chunk=chunks[0])  # it wakes up late
    for chunk in planned(run):
        call("score_chunk", run=run, chunk=chunk)
    summary = finished(run)
    assert (run["attempt"], scores(summary).num_rows) == (2, 7043)
    assert {label for _, label in catalog.shown} == {run["label"]}
    with pytest.raises(Refused, match="attempt_replaced"):
        call("commit_batch", run=dead, job=None)


def test_a_missing_part_is_a_failed_run_and_not_a_short_one(catalog: Catalog) -> None:
    run = opened("one")["run"]
    planned(run)
    with pytest.raises(Refused, match="ledger_broken"):
        call("commit_batch", run=run, job=None)
    assert catalog.shown == []


def _transform(run: dict[str, Any], package: Path) -> None:
    """Answer every line as the container does."""
    s3 = boto3.client("s3")
    fetch = lambda name: (package / name).read_bytes()  # noqa: E731
    model = load_model(fetch, "churn", _digest(package), 1)
    for key in keys(f"{run['work']}transform/input/"):
        lines = s3.get_object(Bucket="lake", Key=key)["Body"].read().splitlines()
        told = []
        for line in lines:
            (probability,) = model.predict([model.decoder.decode(line)])
            told.append({"prediction": model.label(probability), "probability": probability})
        content = "".join(json.dumps(answer) + "\n" for answer in told).encode()
        output = key.replace("/input/", "/output/") + ".out"
        s3.put_object(Bucket="lake", Key=output, Body=content)
