"""Drift on the deployed stack: Parquet in the lake, and what a look makes of it."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from local.datasets import credit_records
from tests.e2e.conftest import Stack

pytestmark = pytest.mark.local_aws

# Long before the traffic of any other test.
MOVED, FEW = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 9, tzinfo=UTC)
SENSITIVE = ("addr_state", "annual_inc")


def put_traffic(stack: Stack, end: datetime, records: list[dict[str, Any]]) -> None:
    """Put predictions of the live version into the lake, as the prediction log lies there."""
    at = end - timedelta(hours=2)
    lines = [
        {
            "at": at,
            "model_version": str(stack.registry.alias("credit", "live")),
            "stage": "v1",
            "code": None,
            "features": json.dumps(record | dict.fromkeys(SENSITIVE)),
            "prediction": "bad" if number % 10 == 0 else "good",
            "probability": 0.2 if number % 10 == 0 else 0.03,
        }
        for number, record in enumerate(records)
    ]
    table = pa.Table.from_pylist(lines)
    table = table.cast(
        table.schema.set(0, pa.field("at", pa.timestamp("ms"))).set(
            3, pa.field("code", pa.string())
        ),
        safe=False,
    )
    sink = io.BytesIO()
    pyarrow.parquet.write_table(table, sink)
    key = f"predictions/model=credit/date={at:%Y-%m-%d}/moved.parquet"
    s3 = stack.local_aws.client("s3")
    s3.put_object(Bucket=stack.outputs["LakeBucket"], Key=key, Body=sink.getvalue())


def look(stack: Stack, end: datetime) -> tuple[dict[str, Any], dict[str, Any]]:
    """Invoke the function; return what it answers, and its report."""
    event = {"at": end.isoformat(), "models": ["credit"]}
    answer = stack.local_aws.client("lambda").invoke(
        FunctionName=stack.outputs["MeasureDriftFunction"], Payload=json.dumps(event).encode()
    )
    found = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, found
    version = found["credit"]["version"]
    key = f"monitoring/drift/model=credit/date={end:%Y-%m-%d}/{end:%H%M%S}-v{version}.json"
    stored = stack.local_aws.client("s3").get_object(Bucket=stack.outputs["LakeBucket"], Key=key)
    return found["credit"], json.loads(stored["Body"].read())


def metric(stack: Stack, name: str, since: datetime) -> list[float]:
    """Return the values of a metric of credit since then."""
    points = stack.local_aws.client("cloudwatch").get_metric_statistics(
        Namespace="BoringML/e2e-one",
        MetricName=name,
        Dimensions=[{"Name": "model", "Value": "credit"}],
        StartTime=since - timedelta(minutes=1),
        EndTime=datetime.now(UTC) + timedelta(minutes=1),
        Period=60,
        Statistics=["Maximum", "Minimum"],
    )["Datapoints"]
    return [value for point in points for value in (point["Minimum"], point["Maximum"])]


@pytest.fixture
def news(stack: Stack) -> Any:
    """A queue that hears DriftDetected; ask it with `news()`."""
    queues, events = stack.local_aws.client("sqs"), stack.local_aws.client("events")
    url = queues.create_queue(QueueName="drift-news")["QueueUrl"]
    pattern = {"source": ["boringml"], "detail-type": ["DriftDetected"]}
    events.put_rule(Name="drift-news", EventPattern=json.dumps(pattern))
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    target = {"Id": "queue", "Arn": arn["Attributes"]["QueueArn"]}
    events.put_targets(Rule="drift-news", Targets=[target])

    def heard() -> list[dict[str, Any]]:
        found = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        return [json.loads(message["Body"]) for message in found.get("Messages", [])]

    yield heard
    events.remove_targets(Rule="drift-news", Ids=["queue"])
    events.delete_rule(Name="drift-news")
    queues.delete_queue(QueueUrl=url)


def test_traffic_that_moved_is_reported_measured_and_told(live: Stack, news: Any) -> None:
    begun = datetime.now(UTC)
    moved = [
        record | {"int_rate": record["int_rate"] + 3}
        for record in credit_records(slice(7000, 7600))
    ]
    put_traffic(live, MOVED, moved)
    answer, report = look(live, MOVED)
    assert (answer["status"], report["status"]) == ("raised", "raised")
    details = report["details"]
    assert details["rows"] == 600
    assert "int_rate" in details["drifted"]
    assert "sub_grade" not in details["drifted"]
    assert details["unseen"] == ["annual_inc"]
    rate = details["features"]["int_rate"]
    assert rate["psi"] > rate["threshold"] >= 0.1
    assert len(rate["window_shares"]) == len(rate["baseline_shares"]) == len(rate["edges"]) + 1
    assert set(details["outputs"]) == {"prediction", "probability"}
    live.until(lambda: bool(metric(live, "drift_share", begun)), "drift_share is a metric")
    assert pytest.approx(details["share"]) in metric(live, "drift_share", begun)
    heard: list[dict[str, Any]] = []
    live.until(lambda: bool(heard.extend(news()) or heard), "DriftDetected is told")
    (told,) = heard
    assert told["detail"]["features"] == details["drifted"]
    assert (told["detail"]["model"], told["detail"]["stack"]) == ("credit", "e2e-one")


def test_too_few_rows_are_not_evaluated_however_far_they_moved(live: Stack, news: Any) -> None:
    begun = datetime.now(UTC)
    put_traffic(
        live, FEW, [record | {"int_rate": 40.0} for record in credit_records(slice(7000, 7150))]
    )
    answer, report = look(live, FEW)
    assert (answer["status"], report["status"]) == ("not_evaluated", "not_evaluated")
    assert "150 predictions in 24 h, and 200 are needed" in answer["says"]
    live.until(lambda: 0 in metric(live, "drift_evaluated", begun), "it is a metric, too")
    assert news() == []
