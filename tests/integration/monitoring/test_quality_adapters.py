"""Labels and predictions in an emulated S3, as looks at quality read them."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto import mock_aws

from boringml.adapters.labels_table import KEPT, MOST_OBJECTS, LabelsTable
from boringml.adapters.object_store import ObjectStore
from boringml.adapters.predictions_lake import PredictionsLake
from boringml.batch.parts import SCORED
from boringml.monitoring.label_join import join_keys, join_requests
from boringml.monitoring.labels import Label, RefusedLabel

NOW = datetime.now(UTC).replace(microsecond=0)
TODAY = NOW.date()


@pytest.fixture
def lake(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="lake")
        client.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
        yield ObjectStore(client, "lake")


def put(lake: ObjectStore, key: str, table: Any, **options: Any) -> None:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    lake.write(key, sink.getvalue())


def predictions(ids: list[str], **columns: Any) -> pa.Table:
    """Return rows of the table `predictions`, in the columns that a look reads, and one more."""
    count = len(ids)
    given: dict[str, Any] = {
        "at": [NOW] * count,
        "request_id": ids,
        "record": pa.array([0] * count, pa.int32()),
        "model_version": ["1"] * count,
        "stage": ["v1"] * count,
        "code": pa.nulls(count, pa.string()),
        "probability": [0.5] * count,
        "features": ["{}"] * count,
    }
    return pa.table({**given, **columns})


FOLDER = f"predictions/model=credit/date={TODAY:%Y-%m-%d}/"


def names(lake: ObjectStore) -> list[list[str]]:
    days = PredictionsLake(lake).requests("credit", TODAY - timedelta(days=2), TODAY)
    return [sorted(day.names.to_pylist()) for day in days]


def test_predictions_of_live_traffic_are_read_and_no_others(lake: ObjectStore) -> None:
    rows = predictions(
        ["a", "b", "c", "d"],
        stage=["v1", "shadow", None, "smoke"],
        probability=[0.1, 0.2, 0.3, 0.4],
    )
    put(lake, f"{FOLDER}one.parquet", rows)
    failed = predictions(
        ["e", "f"],
        code=pa.array(["internal_error", None]),
        probability=pa.array([None, 0.9], pa.float64()),
        model_version=pa.array([None, "2"]),
    )
    put(lake, f"{FOLDER}two.parquet", failed)
    lake.write(f"{FOLDER}_note.txt", b"no table")
    assert names(lake) == [["a/0", "c/0", "f/0"]]


def test_what_hive_writes_is_read_as_what_arrow_writes(lake: ObjectStore) -> None:
    put(lake, f"{FOLDER}arrow.parquet", predictions(["a"]))
    times = pa.array([NOW.replace(tzinfo=None)], pa.timestamp("ns"))
    hive = predictions(["b"], at=times, record=pa.array([0], pa.int64()))
    put(lake, f"{FOLDER}hive.parquet", hive, use_deprecated_int96_timestamps=True)
    (day,) = PredictionsLake(lake).requests("credit", TODAY, TODAY)
    assert day.at.tolist() == [int(NOW.timestamp() * 1000)] * 2
    assert sorted(day.names.to_pylist()) == ["a/0", "b/0"]


def test_of_a_large_file_the_columns_alone_are_fetched(
    lake: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("boringml.adapters.parquet_source._SMALL", 0)
    put(lake, f"{FOLDER}one.parquet", predictions(["a", "b"]))
    assert names(lake) == [["a/0", "b/0"]]


def scored(keys: list[str], version: int = 1) -> pa.Table:
    count = len(keys)
    rows = {
        "key": keys,
        "source": ["f"] * count,
        "row_number": list(range(1, count + 1)),
        "prediction": ["Yes"] * count,
        "probability": [0.7] * count,
        "model_version": [version] * count,
    }
    return pa.table(rows, schema=SCORED)


def test_scores_count_once_their_run_is_whole(lake: ObjectStore) -> None:
    day = f"scored/churn/date={TODAY:%Y-%m-%d}/"
    put(lake, f"{day}run=whole-1/part-00000.parquet", scored(["C1", "C2"]))
    lake.write(f"{day}run=whole-1/_summary.json", b"{}")
    put(lake, f"{day}run=open-1/part-00000.parquet", scored(["C3"]))
    found = list(PredictionsLake(lake).scores("churn", TODAY, TODAY))
    assert [part.names.to_pylist() for part in found] == [["C1", "C2"]]
    late = datetime.now(UTC) + timedelta(minutes=1)
    label = Label(late, "Yes", True, key="C2")
    table = LabelsTable(lake)
    table.keep("churn", [label], "one", NOW)
    joined = join_keys(found, table.read("churn", TODAY, TODAY))
    assert (joined.label.tolist(), joined.probability.tolist()) == ([-1, 1], [0.7, 0.7])


def test_labels_are_kept_found_merged_and_joined(lake: ObjectStore) -> None:
    table = LabelsTable(lake)
    for number in range(MOST_OBJECTS + 2):
        label = Label(NOW, "bad", number % 2 == 0, request_id=f"r{number}")
        table.keep("credit", [label], f"post-{number}", NOW)
    table.keep("churn", [Label(NOW, "Yes", True, key="C1")], "other", NOW)
    assert table.merge("credit", TODAY) == MOST_OBJECTS + 2
    assert len(list(lake.list(f"{KEPT}model=credit/"))) == 1
    assert [one.positive for one in table.find("credit", "r3", TODAY, TODAY)] == [False]
    put(lake, f"{FOLDER}one.parquet", predictions(["r0", "r1", "x"]))
    days = PredictionsLake(lake).requests("credit", TODAY, TODAY)
    joined = join_requests(days, table.read("credit", TODAY, TODAY))
    assert joined.label.tolist() == [1, 0, -1]
    assert joined.fate.unmatched == MOST_OBJECTS


def test_what_is_no_label_is_kept_apart(lake: ObjectStore) -> None:
    refused = RefusedLabel(3, "unknown_label", "label", "No.", "{}")
    LabelsTable(lake).keep_apart("credit", [refused], "labels/credit/x.csv", "one", NOW)
    (item,) = lake.list("rejected_labels/")
    row = pq.read_table(io.BytesIO(lake.read(item.key))).to_pylist()[0]
    assert (row["row_number"], row["code"], row["source"]) == (
        3,
        "unknown_label",
        "labels/credit/x.csv",
    )
