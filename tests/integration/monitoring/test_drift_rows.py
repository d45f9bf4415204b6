"""Rows of traffic, as drift reads them from an emulated S3: the window's, live's, and no others."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from moto import mock_aws

from boringml.adapters import parquet_source
from boringml.adapters.batch_files import BatchFiles
from boringml.adapters.batch_rows import BatchRows
from boringml.adapters.declarations import contract
from boringml.adapters.object_store import ObjectStore
from boringml.adapters.served_rows import ServedRows
from boringml.batch.parts import SCORED, PartWriter, scores
from boringml.batch.planning import plan_chunks
from boringml.batch.run import BatchRun, InputFile
from boringml.contract.contract import Contract
from boringml.errors import BoringError
from local.datasets import churn

END = datetime(2026, 11, 25, 1, tzinfo=UTC)
BEGIN = END - timedelta(hours=24)
RUN = BatchRun("churn", "abc", 1, "2026-11-24", 1, "s3://p/c/", "sha256:0", "map")


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


def line(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "at": END - timedelta(minutes=number + 1),
        "model_version": "3",
        "stage": "v1",
        "code": None,
        "features": json.dumps({"n": number, "word": f"w{number}"}),
        "prediction": "good",
        "probability": number / 100,
        **changes,
    }


def put(lake: ObjectStore, date: str, name: str, lines: list[dict[str, Any]], at: Any) -> None:
    schema = pa.schema(
        [
            ("at", at),
            *((n, pa.string()) for n in ("model_version", "stage", "code", "features")),
            ("prediction", pa.string()),
            ("probability", pa.float64()),
        ]
    )
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pa.Table.from_pylist(lines, schema), sink)
    lake.write(f"predictions/model=credit/date={date}/{name}", sink.getvalue())


def read(lake: ObjectStore) -> list[int]:
    found = []
    for rows in ServedRows(lake).rows("credit", 3, BEGIN, END, ["n", "word"]):
        assert len(rows.predictions) == len(rows.probabilities) == len(rows.features["n"])
        assert [f"w{n}" for n in rows.features["n"]] == rows.features["word"]
        found += rows.features["n"]
    return sorted(found)


@pytest.mark.parametrize("small", [parquet_source._SMALL, 0], ids=["whole files", "ranges"])
def test_rows_are_those_of_the_window_the_version_and_of_clients(
    lake: ObjectStore, small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_source, "_SMALL", small)
    put(lake, "2026-11-25", "a.parquet", [line(n) for n in range(20)], pa.timestamp("ms"))
    utc = pa.timestamp("ns", "UTC")
    put(lake, "2026-11-24", "b.parquet", [line(n) for n in range(20, 40)], utc)
    others = [
        line(90, at=END),
        line(91, at=BEGIN - timedelta(milliseconds=1)),
        line(92, model_version="2"),
        line(93, stage="smoke"),
        line(94, stage="shadow"),
        line(95, code="internal_error"),
        line(97, prediction=None, probability=None),
    ]
    taken = [line(50, at=BEGIN), line(51, stage=None)]
    put(lake, "2026-11-24", "c.parquet", others + taken, pa.timestamp("ms"))
    put(lake, "2026-11-23", "old.parquet", [line(96)], pa.timestamp("ms"))
    lake.write("predictions/model=credit/date=2026-11-25/_note.txt", b"no Parquet")
    lake.write("predictions/model=credit2/date=2026-11-25/x.parquet", b"no model of ours")
    assert read(lake) == [*range(40), 50, 51]


def test_many_files_are_read_a_few_at_a_time(lake: ObjectStore) -> None:
    for n in range(40):
        put(lake, "2026-11-25", f"{n}.parquet", [line(n)], pa.timestamp("ms"))
    assert read(lake) == list(range(40))


def test_a_line_without_features_has_none(lake: ObjectStore) -> None:
    put(lake, "2026-11-25", "a.parquet", [line(1, features=None)], pa.timestamp("ms"))
    (rows,) = ServedRows(lake).rows("credit", 3, BEGIN, END, ["n"])
    assert (rows.features, rows.predictions) == ({"n": [None]}, ["good"])


def scored_run(lake: ObjectStore) -> BatchFiles:
    """Return a lake with the run of 1,000 customers, one of whom broke the contract."""
    files = BatchFiles(lake)
    customers = churn(slice(1000)).drop(columns="churn")
    customers.loc[customers.index[3], "tenure"] = -1
    key = "batch/churn/incoming/a.csv"
    lake.write(key, customers.to_csv(index=False).encode())
    document = Contract.of(contract("churn"))
    pinned = [InputFile(key, *lake.pinned(key))]
    files.write_chunks(RUN, plan_chunks(pinned, files.open, document, "customer_id", 400))
    numbers = np.arange(999)
    for part, some in enumerate((numbers[:500], numbers[500:])):
        writer = PartWriter(SCORED)
        answers = some / 1000, some >= 800, ("No", "Yes"), 1
        writer.add(scores(key, [str(n) for n in some], some, *answers))
        lake.write(f"{RUN.scored}part-{part}.parquet", writer.finish(part, 1.0))
    lake.write(f"{RUN.scored}_summary.json", b"{}")
    return files


def test_a_batch_is_its_good_rows_and_its_answers(lake: ObjectStore) -> None:
    features: dict[str, list[Any]] = {}
    predictions: list[str] = []
    probabilities: list[float] = []
    for rows in BatchRows(scored_run(lake)).rows(RUN, contract("churn")):
        for name, column in rows.features.items():
            features.setdefault(name, []).extend(column)
        predictions += rows.predictions
        probabilities += rows.probabilities
    good = churn(slice(1000)).drop(index=churn(slice(1000)).index[3])
    assert features["contract"] == good["contract"].tolist()
    assert features["tenure"] == good["tenure"].tolist()
    charges = good["total_charges"].to_numpy()
    assert np.array_equal(np.array(features["total_charges"]), charges, equal_nan=True)
    assert (predictions.count("Yes"), len(probabilities)) == (199, 999)
    assert len(features) == 19


def test_a_batch_whose_input_is_gone_says_so(lake: ObjectStore) -> None:
    files = scored_run(lake)
    client = boto3.client("s3")
    key = "batch/churn/incoming/a.csv"
    client.delete_object(Bucket="lake", Key=key, VersionId=lake.pinned(key)[0])
    with pytest.raises(BoringError, match="batch_input_gone"):
        list(BatchRows(files).rows(RUN, contract("churn")))
