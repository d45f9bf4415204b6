"""What a look says predictions cost equals a count of the raw log, at prices written out here."""

import json
import platform
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.datasets import credit_records
from tests.e2e.conftest import Stack

pytestmark = pytest.mark.local_aws

REQUESTS = 200
MEMORY_GB = 1.0
KEPT_DAYS = 3
GB_SECOND = {"x86_64": 0.0000166667, "aarch64": 0.0000133334}[platform.machine()]


def look(stack: Stack, end: datetime) -> dict[str, Any]:
    """Return the look at credit that ends so, once it is kept."""
    answer = stack.local_aws.client("lambda").invoke(
        FunctionName=stack.outputs["MeasureCostFunction"],
        Payload=json.dumps({"models": ["credit"], "end": end.isoformat()}),
    )
    told = json.loads(answer["Payload"].read())
    assert told.get("looks") == {"credit": "fine"}, told
    key = f"monitoring/cost/model=credit/date={end:%Y-%m-%d}/{end:%H%M%S}.json"
    s3 = stack.local_aws.client("s3")
    found = s3.get_object(Bucket=stack.outputs["LakeBucket"], Key=key)["Body"].read()
    report: dict[str, Any] = json.loads(found)
    return report


def raw_log(stack: Stack, since: float) -> list[str]:
    """Return the lines of the serving function since then, as they lie in its log group."""
    client = stack.local_aws.client("lambda")
    function = client.get_function_configuration(FunctionName=stack.outputs["CreditFunction"])
    pages = stack.local_aws.client("logs").get_paginator("filter_log_events")
    return [
        event["message"]
        for page in pages.paginate(
            logGroupName=function["LoggingConfig"]["LogGroup"], startTime=int(since * 1000)
        )
        for event in page["events"]
    ]


def test_the_cost_of_predictions_is_that_of_the_raw_log_by_hand(live: Stack) -> None:
    # Far enough ahead that the hour may turn while the test runs.
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
    before = look(live, end)
    began = time.time()
    records = credit_records()
    for number in range(REQUESTS):
        assert live.api.predict("credit", records[number % len(records)]).status == 200
    lines = raw_log(live, began)
    reports = [
        event["record"]["metrics"]
        for event in (json.loads(line) for line in lines if '"platform.report"' in line)
    ]
    after = look(live, end)

    def grown(*path: str) -> float:
        values = []
        for report in (before, after):
            value: Any = report["details"]
            for name in path:
                value = value[name]
            values.append(value)
        return float(values[1] - values[0])

    billed_ms = sum(metrics["billedDurationMs"] for metrics in reports)
    size = sum(len(line.encode()) for line in lines)
    assert len(reports) == REQUESTS
    assert grown("usage", "predictions") == REQUESTS
    assert grown("usage", "invocations") == REQUESTS
    assert grown("usage", "api_requests") == REQUESTS
    assert grown("usage", "billed_ms") == billed_ms
    assert grown("usage", "log_bytes") == size
    by_hand = (
        REQUESTS * 0.20 / 1_000_000
        + billed_ms / 1000 * MEMORY_GB * GB_SECOND
        + REQUESTS * 3.50 / 1_000_000
        + size / 1_073_741_824 * 0.50
        + size / 1_073_741_824 * KEPT_DAYS / 30 * 0.03
    )
    assert grown("variable_usd") == pytest.approx(by_hand, rel=1e-9)
    print(json.dumps(after, indent=1), by_hand, billed_ms, size)

    # The parts that time alone brings: as many metrics and alarms as CloudWatch lists.
    fixed = {part["name"]: part for part in after["details"]["parts"] if part["unit"] == "months"}
    assert fixed["metrics"]["units"] * 30 >= 10
    assert fixed["alarms"]["units"] * 30 >= 5
    training = after["details"]["training"]
    assert training["last"]["billable_seconds"] > 0
    assert training["usd_30_days"] >= training["last"]["cost_usd"] > 0
    assert after["details"]["budget"]["monthly_usd"] == 50
    namespace = "BoringML/e2e-one"
    listed = live.local_aws.client("cloudwatch").list_metrics(
        Namespace=namespace, MetricName="cost_per_1000_usd"
    )["Metrics"]
    assert [one["Dimensions"] for one in listed] == [[{"Name": "model", "Value": "credit"}]]
