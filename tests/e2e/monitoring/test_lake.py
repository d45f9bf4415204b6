"""The prediction log on its way to the lake: whole, once, and readable by its request."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from benchmarks.monitoring.lake_loss import prove
from boringml.adapters.athena_query import AthenaQuery
from local.datasets import credit_records
from local.endpoints import Command
from tests.e2e.conftest import Stack

pytestmark = pytest.mark.local_aws
STACK = "e2e-one"


def test_every_prediction_is_one_row_of_the_lake_and_one_count_of_the_metrics(live: Stack) -> None:
    ledger = prove(live.local_aws, live.outputs, STACK, count=300, seed=1)
    assert [(what, much) for what, much, holds in ledger if not holds] == []
    numbers = {what.strip(): much for what, much, _holds in ledger}
    assert numbers["predictions served"] == 300
    assert numbers["lines in the lake"] > 300, "refusals, too"


def test_the_named_queries_are_answered(live: Stack) -> None:
    athena, bucket = live.local_aws.client("athena"), live.outputs["LakeBucket"]
    asked = AthenaQuery(athena, live.outputs["LakeDatabase"], f"s3://{bucket}/athena/")
    queries = [
        athena.get_named_query(NamedQueryId=each)["NamedQuery"]
        for each in athena.list_named_queries()["NamedQueryIds"]
    ]
    ours = {q["Name"]: q for q in queries if q["Database"] == live.outputs["LakeDatabase"]}
    rows = asked.rows(ours["predictions by version and hour"]["QueryString"])
    assert "credit" in {row["model"] for row in rows}
    assert sum(int(row["requests"] or 0) for row in rows) > 0
    assert asked.rows(ours["predictions of a request"]["QueryString"]) == []


def test_a_request_is_followed_in_the_log_and_once_that_is_over_in_the_lake(live: Stack) -> None:
    answer = live.api.predict("credit", list(credit_records()[:2]))
    request_id = answer.body["request_id"]
    command = Command(live.local_aws, STACK)
    found = command.run("trace", "credit", request_id)
    assert (found["source"], found["job"]) == ("log", None)
    (version,) = found["versions"]
    assert version["model_version"] == answer.body["model_version"]
    assert version["became_live"]["step"] == "promote"
    assert [root.startswith("1-") for root in found["trace_ids"]] == [True]
    told = [one["probability"] for one in answer.body["predictions"]]
    assert [record["probability"] for record in found["records"]] == told
    first, second = (record["cost_usd"] for record in found["records"])
    # The API alone is 3.5 USD per million requests, and a millisecond of a gigabyte is far less.
    assert 3.5e-6 < first < 1e-5
    assert second is None, "one request, paid once"

    forget(live, request_id)
    stored: dict[str, Any] = {}

    def is_stored() -> bool:
        stored.update(command.run("trace", "credit", request_id))
        return stored.get("source") == "lake"

    live.until(is_stored, "the rows are in the lake")
    assert stored["trace_ids"] == found["trace_ids"]
    assert stored["versions"] == found["versions"]
    names = (
        "record",
        "probability",
        "prediction",
        "features",
        "latency_ms",
        "cold_start",
        "cost_usd",
    )
    for row, line in zip(stored["records"], found["records"], strict=True):
        assert {name: row.get(name) for name in names} == {name: line.get(name) for name in names}


def test_lines_that_do_not_become_rows_ring(live: Stack) -> None:
    s3, bucket = live.local_aws.client("s3"), live.outputs["LakeBucket"]
    logs, group = live.local_aws.client("logs"), live.outputs["CreditLogGroup"]
    logs.create_log_stream(logGroupName=group, logStreamName="strange")
    # Without a time it has no partition, of which no metric of Firehose tells.
    strange = {"record": 0, "model": "credit"}
    now = int(datetime.now(UTC).timestamp() * 1000)
    event = {"timestamp": now, "message": json.dumps(strange)}
    logs.put_log_events(logGroupName=group, logStreamName="strange", logEvents=[event])
    live.until(lambda: is_ringing(live, "are no rows of the lake"), "lines that fail ring", 90)
    (item,) = s3.list_objects_v2(Bucket=bucket, Prefix="failed-predictions/")["Contents"]
    assert "/metadata-extraction-failed/" in item["Key"]
    s3.delete_object(Bucket=bucket, Key=item["Key"])
    with live.denied("PredictionsSubscriptionRole", ["firehose:PutRecord"]):
        assert live.api.predict("credit", credit_records()[0]).status == 200
        told = "credit: lines of its prediction log do not reach"
        live.until(lambda: is_ringing(live, told), "lines that are not sent ring", 90)


def is_ringing(live: Stack, description: str) -> bool:
    """Return whether the alarm of this description rings."""
    pages = live.local_aws.client("cloudwatch").get_paginator("describe_alarms").paginate()
    alarms = [alarm for page in pages for alarm in page["MetricAlarms"]]
    (state,) = [a["StateValue"] for a in alarms if description in a["AlarmDescription"]]
    return bool(state == "ALARM")


def forget(live: Stack, request_id: str) -> None:
    """Take a request's lines out of the log, as its retention does."""
    logs, group = live.local_aws.client("logs"), live.outputs["CreditLogGroup"]
    pattern = f'{{ $.request_id = "{request_id}" }}'
    found = logs.filter_log_events(logGroupName=group, filterPattern=pattern)["events"]
    for stream in {event["logStreamName"] for event in found}:
        logs.delete_log_stream(logGroupName=group, logStreamName=stream)
