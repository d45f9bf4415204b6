"""The adapters of batch against an emulated S3 and DynamoDB."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import boto3
import pytest
from moto import mock_aws

from boringml.adapters.batch_files import BatchFiles
from boringml.adapters.batch_runs import BatchRuns
from boringml.adapters.dynamodb_table import DynamoTable
from boringml.adapters.object_store import ObjectStore
from boringml.batch.request import BatchRequest, request_of
from boringml.batch.run import FAILED, OPEN, SCORED, BatchRun
from boringml.errors import BoringError

NOW = datetime(2026, 11, 24, tzinfo=UTC)
RUN = BatchRun("churn", "abc", 1, "2026-11-24", 1, "s3://p/c/", "sha256:0", "map")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield


@pytest.fixture
def runs(aws: None) -> BatchRuns:
    client = boto3.client("dynamodb")
    keys = [("pk", "HASH"), ("sk", "RANGE")]
    client.create_table(
        TableName="runs",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n, _ in keys],
        KeySchema=[{"AttributeName": n, "KeyType": k} for n, k in keys],  # type: ignore[typeddict-item]
    )
    return BatchRuns(DynamoTable(client, "runs"), lambda: NOW)


@pytest.fixture
def files(aws: None) -> BatchFiles:
    client = boto3.client("s3")
    client.create_bucket(Bucket="lake")
    client.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    return BatchFiles(ObjectStore(client, "lake"))


def test_a_run_is_taken_once_and_stays_unfinished_until_readers_see_it(runs: BatchRuns) -> None:
    held = runs.take(RUN, "one", None)
    with pytest.raises(BoringError, match="batch_claimed"):
        runs.take(RUN, "two", None)
    assert runs.get("churn", "abc") == held
    assert runs.finish(RUN, SCORED, summary={"rows_in": 7}).summary == {"rows_in": 7}
    assert runs.finish(RUN, FAILED, reason={"code": "late"}).status == SCORED
    assert [one.status for one in runs.unfinished()] == [SCORED]
    runs.mark_told(RUN)
    assert runs.unfinished() == []
    assert (found := runs.get("churn", "abc")) is not None
    assert found.told


def test_a_failed_run_is_over_and_may_be_taken_again(runs: BatchRuns) -> None:
    runs.take(RUN, "one", None)
    failed = runs.finish(RUN, FAILED, reason={"code": "x", "message": "y"})
    assert (failed.status, runs.unfinished()) == (FAILED, [failed])
    runs.mark_told(RUN)
    assert runs.unfinished() == []
    failed = runs.get(RUN.model, RUN.run_id)
    again = BatchRun(**{**vars(RUN), "attempt": 2})
    assert runs.take(again, "two", failed).status == OPEN
    # What ends the attempt before does not end this one.
    assert runs.finish(RUN, FAILED, reason={"code": "late"}).status == OPEN


def test_the_version_that_a_run_was_opened_with_is_read_whatever_comes_after(
    files: BatchFiles,
) -> None:
    rows = b"".join(b"%06d\n" % n for n in range(300_000))
    files.lake.write("batch/churn/incoming/a.csv", rows)
    (found,) = files.input_of(BatchRequest("churn", "batch/churn/incoming/a.csv", None, "", "x"))
    files.lake.write("batch/churn/incoming/a.csv", b"other")
    source = files.open(found)
    assert (source.size, source.read(7, 13)) == (len(rows), b"000001")
    stream = source.open()
    stream.seek(-7, io.SEEK_END)
    assert stream.read() == b"299999\n"
    stream.seek(0)
    assert b"".join(iter(lambda: stream.read(100_000), b"")) == rows


def test_what_was_overwritten_before_the_run_is_scored_as_it_was_sent(files: BatchFiles) -> None:
    key = "batch/churn/incoming/a.csv"
    files.lake.write(key, b"first")
    sent, _, _ = files.lake.pinned(key)
    files.lake.write(key, b"second one")
    event = {
        "detail-type": "Object Created",
        "detail": {"object": {"key": key, "version-id": sent}},
    }
    request = request_of(event)
    assert request is not None
    (found,) = files.input_of(request)
    assert (found.version_id, found.size) == (sent, 5)


def test_a_manifest_names_files_or_a_prefix(files: BatchFiles) -> None:
    for name in ("1.csv", "2.csv", "_SUCCESS", "x.manifest.json"):
        files.lake.write(f"batch/churn/parts/{name}", b"x")
    key = "batch/churn/incoming/m.manifest.json"
    request = BatchRequest("churn", key, None, "", "x")
    for content in (
        b'{"prefix": "batch/churn/parts/"}',
        b'{"files": ["batch/churn/parts/2.csv", "batch/churn/parts/1.csv"]}',
    ):
        files.lake.write(key, content)
        found = [file.key.rsplit("/", 1)[-1] for file in files.input_of(request)]
        assert found == ["1.csv", "2.csv"]


def test_clearing_an_attempt_takes_its_own_folders_alone(files: BatchFiles) -> None:
    other = BatchRun(**{**vars(RUN), "attempt": 10})
    for run in (RUN, other):
        files.lake.write(f"{run.scored}part-00000.parquet", b"x")
    files.clear(RUN)
    assert list(files.names("scored/")) == [f"{other.scored}part-00000.parquet"]


def test_a_folder_is_cleared_and_nothing_that_only_begins_like_it(files: BatchFiles) -> None:
    with pytest.raises(BoringError, match="key_unsafe"):
        files.lake.clear("scored/churn")


def test_the_newest_run_is_the_one_that_was_scored_last(runs: BatchRuns) -> None:
    assert runs.newest("churn") is None
    second, failed = replace(RUN, run_id="def"), replace(RUN, run_id="bad")
    for run in (RUN, second, failed):
        runs.take(run, "one", None)
    assert runs.newest("churn") is None
    for run, status in ((second, SCORED), (RUN, SCORED), (failed, FAILED)):
        runs.finish(run, status)
    newest = runs.newest("churn")
    assert newest is not None
    assert newest.run == RUN
    assert runs.newest("reviews") is None
