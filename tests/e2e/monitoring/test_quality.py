"""Predictions over HTTP, labels by file and by POST, and what a look at quality says of them."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

from local.datasets import credit
from tests.e2e.conftest import Stack
from tests.integration.local.machines import Events

pytestmark = pytest.mark.local_aws
BAD, GOOD = 60, 140
NAMESPACE = "BoringML/e2e-one"


def loans() -> Any:
    """Return loans that training never saw, with more bad ones than there are: a look wants 50."""
    rows = credit(slice(6000, None))
    bad, good = (rows[rows["Class"] == label] for label in ("bad", "good"))
    return {"bad": bad.head(BAD), "good": good.head(GOOD)}


def asked(stack: Stack) -> list[dict[str, Any]]:
    """Ask for predictions, a list each label; return rows of the prediction log with the truth."""
    found = []
    for label, rows in loans().items():
        for start in range(0, len(rows), 100):
            records = rows.iloc[start : start + 100].drop(columns="Class").to_dict("records")
            answer = stack.api.predict("credit", records)
            assert answer.status == 200, answer.body
            for place, told in enumerate(answer.body["predictions"]):
                found.append(
                    {
                        "at": datetime.now(UTC),
                        "request_id": answer.body["request_id"],
                        "record": place,
                        "model_version": str(answer.body["model_version"]),
                        "stage": "v1",
                        "code": None,
                        "probability": told["probability"],
                        "label": label,
                    }
                )
    return found


def logged(stack: Stack, rows: list[dict[str, Any]]) -> None:
    """Put the rows where the prediction log is delivered to."""
    columns = {"record": pa.int32(), "code": pa.string()}
    table = pa.Table.from_pylist([{n: v for n, v in row.items() if n != "label"} for row in rows])
    for name, kind in columns.items():
        at = table.column_names.index(name)
        table = table.set_column(at, name, table[name].cast(kind))
    sink = io.BytesIO()
    pq.write_table(table, sink)
    put(stack, f"predictions/model=credit/date={rows[0]['at']:%Y-%m-%d}/q.parquet", sink.getvalue())


def put(stack: Stack, key: str, content: bytes) -> None:
    stack.local_aws.client("s3").put_object(
        Bucket=stack.outputs["LakeBucket"], Key=key, Body=content
    )


def keys(stack: Stack, prefix: str) -> list[str]:
    found = stack.local_aws.client("s3").list_objects_v2(
        Bucket=stack.outputs["LakeBucket"], Prefix=prefix
    )
    return [item["Key"] for item in found.get("Contents", [])]


def look(stack: Stack, version: str) -> dict[str, Any]:
    """Run a look at credit, and return its newest report of a version."""
    answer = stack.local_aws.client("lambda").invoke(
        FunctionName=stack.resource("MeasureQualityFunction"), Payload=b'{"models": ["credit"]}'
    )
    told = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, told
    newest = [
        key for key in keys(stack, "monitoring/quality/model=credit/") if f"-v{version}." in key
    ][-1]
    body = stack.local_aws.client("s3").get_object(Bucket=stack.outputs["LakeBucket"], Key=newest)
    report: dict[str, Any] = json.loads(body["Body"].read())
    assert report["says"] in [one["says"] for one in told["reports"]]
    return report


def metric(stack: Stack, name: str, **dimensions: str) -> list[float]:
    points = stack.local_aws.client("cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=datetime.now(UTC) - timedelta(hours=3),
        EndTime=datetime.now(UTC) + timedelta(hours=1),
        Period=60,
        Statistics=["Sum", "Maximum"],
    )["Datapoints"]
    return [point["Sum"] for point in sorted(points, key=lambda point: point["Timestamp"])]


def label(row: dict[str, Any], **change: Any) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    named = {"request_id": row["request_id"], "record": row["record"]}
    return {**named, "at": now, "label": row["label"], **change}


def post(stack: Stack, labels: Any) -> Any:
    return stack.api.post("credit", json.dumps(labels).encode(), "application/json", route="labels")


def test_labels_by_file_and_by_post_become_reports_metrics_and_news(live: Stack) -> None:
    rows = asked(live)
    logged(live, rows)
    refused_before = sum(metric(live, "labels_refused"))
    version = rows[0]["model_version"]
    before = look(live, version)
    assert before["status"] == "not_evaluated", before["says"]
    # Other tests may have asked as well; nobody else has labels.
    assert before["details"]["window"]["predictions"] >= BAD + GOOD

    # Half by a file, in which a row is no label and one comes twice.
    half = [label(row) for row in rows[::2]]
    lines = [*half, half[0], label(rows[1], label="unknown")]
    put(live, "labels/credit/first.jsonl", "\n".join(map(json.dumps, lines)).encode())
    live.until(lambda: bool(keys(live, "rejected_labels/model=credit/")), "a row is kept apart")
    live.until(lambda: bool(keys(live, "known_labels/model=credit/")), "labels are kept")

    # Half by the API, in a list with a bad row; and what is no label at all.
    answer = post(live, [*(label(row) for row in rows[1::2]), label(rows[0], label="unknown")])
    assert (answer.status, answer.body["accepted"]) == (200, len(rows) // 2)
    assert [row["code"] for row in answer.body["refused"]] == ["unknown_label"]
    single = post(live, label(rows[0], label="unknown"))
    assert (single.status, single.body["error"]["field"]) == (422, "$.label")
    nobody = live.api.post("nosuch", b"{}", "application/json", route="labels")
    assert (nobody.status, nobody.body["error"]["code"]) == (404, "model_not_found")
    unsigned = live.api.post("credit", b"{}", "application/json", route="labels", signed=False)
    assert unsigned.status == 403

    report = look(live, version)
    window, fate = report["details"]["window"], report["details"]["labels"]
    assert report["status"] == "fine", report["says"]
    assert (window["labelled"], window["positives"]) == (BAD + GOOD, BAD)
    assert window["coverage"] == (BAD + GOOD) / window["predictions"]
    expected = roc_auc_score(
        [row["label"] == "bad" for row in rows], [row["probability"] for row in rows]
    )
    assert window["roc_auc"] == pytest.approx(expected)
    assert (fate["stored"], fate["used"], fate["duplicates"]) == (201, 200, 1)
    assert report["details"]["holdout"]["roc_auc"] > 0.6
    live.until(lambda: bool(metric(live, "quality_roc_auc", model="credit")), "the metric is there")
    assert metric(live, "quality_roc_auc", model="credit")[-1] == pytest.approx(expected)
    assert metric(live, "quality_fell", model="credit")[-1] == 0.0
    # Whoever posts is told; of files, an alarm tells.
    live.until(lambda: sum(metric(live, "labels_refused")) - refused_before == 1, "one of a file")
    live.until(lambda: sum(metric(live, "labels_refused", model="credit")) == 2, "two in all")

    # Later the world turns out to be the other way round: what is known last counts.
    news = Events(
        live.local_aws,
        {"source": ["boringml"], "detail-type": ["QualityFell"], "detail": {"stack": ["e2e-one"]}},
    )
    other = {"bad": "good", "good": "bad"}
    turned = post(live, [label(row, label=other[row["label"]]) for row in rows])
    assert turned.body["accepted"] == len(rows)
    fallen = look(live, version)
    assert fallen["status"] == "raised", fallen["says"]
    assert fallen["details"]["window"]["roc_auc"] == pytest.approx(1 - expected)
    assert fallen["details"]["labels"]["replaced"] == 200
    (event,) = news.until_one_is("model", "credit")
    assert event["detail"]["value"] == pytest.approx(1 - expected)
    assert (event["detail"]["version"], event["detail"]["against"]) == (int(version), "holdout")
    live.until(
        lambda: metric(live, "quality_fell", model="credit")[-1] >= 1.0,
        "the metric says that it fell",
    )

    # As the schedule asks: each model in an invocation of its own.
    folder = "monitoring/quality/model=credit/"
    seen = len(keys(live, folder))
    answer = live.local_aws.client("lambda").invoke(
        FunctionName=live.resource("MeasureQualityFunction"), Payload=b'{"each": true}'
    )
    assert json.loads(answer["Payload"].read()) == {"reports": []}
    live.until(lambda: len(keys(live, folder)) > seen, "credit is looked at by itself")
