"""What a cost is reckoned from: the platform's report lines, metric filters, the volume of logs."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.server import LocalAWS
from tests.integration.local.conftest import MakeFunction, unique

Invoke = Callable[..., Any]
SLEEPER = """
import time
time.sleep(1)
def handler(event, context):
    print("hello")
    time.sleep(event["seconds"])
    if event["seconds"] > 0.04: raise ValueError("too long")
"""


def total(local_aws: LocalAWS, namespace: str, metric: str, dimensions: dict[str, str]) -> float:
    now = datetime.now(UTC)
    points = local_aws.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Statistics=["Sum"],
        Period=3600,
        StartTime=now - timedelta(hours=2),
        EndTime=now + timedelta(hours=1),
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))


def messages(local_aws: LocalAWS, group: str) -> list[str]:
    pages = local_aws.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    return [event["message"] for page in pages for event in page["events"]]


@pytest.fixture
def group(local_aws: LocalAWS) -> str:
    name = unique("group")
    local_aws.client("logs").create_log_group(logGroupName=name)
    return name


def reports(local_aws: LocalAWS, group: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in messages(local_aws, group) if line.startswith("{")]
    return [line["record"] for line in lines if line.get("type") == "platform.report"]


def test_a_json_log_has_a_report_with_what_is_billed(
    local_aws: LocalAWS, make_function: MakeFunction, invoke: Invoke, group: str
) -> None:
    name = make_function(
        SLEEPER, MemorySize=512, LoggingConfig={"LogFormat": "JSON", "LogGroup": group}
    )
    for seconds in (0.03, 0.03, 0.05):
        invoke(name, {"seconds": seconds})
    cold, warm, failed = reports(local_aws, group)
    for report, least in ((cold, 30), (warm, 30), (failed, 50)):
        metrics = report["metrics"]
        assert metrics["memorySizeMB"] == 512
        assert metrics["durationMs"] >= least
        init = metrics.get("initDurationMs", 0)
        exact = metrics["durationMs"] + init
        assert exact - 0.01 <= metrics["billedDurationMs"] < exact + 1.01
    # The module slept while it was loaded: that is INIT, billed, and no part of the duration.
    assert cold["metrics"]["initDurationMs"] >= 1000
    assert cold["metrics"]["durationMs"] < 1000
    assert "initDurationMs" not in warm["metrics"]
    assert [cold["status"], warm["status"], failed["status"]] == ["success", "success", "error"]
    assert not [line for line in messages(local_aws, group) if line.startswith("REPORT")]
    assert "hello" in messages(local_aws, group)


def test_a_text_log_keeps_its_text(
    local_aws: LocalAWS, make_function: MakeFunction, invoke: Invoke, group: str
) -> None:
    name = make_function(SLEEPER, LoggingConfig={"LogFormat": "Text", "LogGroup": group})
    invoke(name, {"seconds": 0})
    kinds = [line.split()[0] for line in messages(local_aws, group)]
    assert kinds == ["START", "hello", "END", "REPORT"]


def test_a_metric_filter_sums_a_number_of_the_events_that_match(
    local_aws: LocalAWS, make_function: MakeFunction, invoke: Invoke, group: str
) -> None:
    namespace = unique("Filtered")
    for metric, member in (("billed_ms", "billedDurationMs"), ("init_ms", "initDurationMs")):
        local_aws.client("logs").put_metric_filter(
            logGroupName=group,
            filterName=metric,
            filterPattern='{ $.type = "platform.report" }',
            metricTransformations=[
                {
                    "metricName": metric,
                    "metricNamespace": namespace,
                    "metricValue": f"$.record.metrics.{member}",
                }
            ],
        )
    name = make_function(SLEEPER, LoggingConfig={"LogFormat": "JSON", "LogGroup": group})
    for _ in range(3):
        invoke(name, {"seconds": 0.01})
    found = [report["metrics"] for report in reports(local_aws, group)]
    assert len(found) == 3
    billed = sum(metrics["billedDurationMs"] for metrics in found)
    assert total(local_aws, namespace, "billed_ms", {}) == billed
    init = sum(metrics.get("initDurationMs", 0) for metrics in found)
    assert total(local_aws, namespace, "init_ms", {}) == pytest.approx(init)


@pytest.mark.parametrize(
    "change",
    [
        {"filterPattern": "ERROR"},
        {"filterPattern": "{ $.a ? 1 }"},
        {"metricTransformations": [{"dimensions": {"a": "$.a"}}]},
    ],
)
def test_a_filter_that_is_not_emulated_is_refused(
    local_aws: LocalAWS, group: str, change: dict[str, Any]
) -> None:
    asked = {
        "filterPattern": '{ $.type = "x" }',
        "metricTransformations": [{}],
        **change,
    }
    metric = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
    asked["metricTransformations"] = [{**metric, **one} for one in asked["metricTransformations"]]
    with pytest.raises(ClientError, match="not emulated by the local AWS"):
        local_aws.client("logs").put_metric_filter(logGroupName=group, filterName="one", **asked)


def test_the_bytes_of_a_log_group_are_counted(local_aws: LocalAWS, group: str) -> None:
    logs = local_aws.client("logs")
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    now = int(time.time() * 1000)
    for lines in (["one", "zwölf"], ["three"]):
        logs.put_log_events(
            logGroupName=group,
            logStreamName="one",
            logEvents=[{"timestamp": now, "message": line} for line in lines],
        )
    dimensions = {"LogGroupName": group}
    assert total(local_aws, "AWS/Logs", "IncomingBytes", dimensions) == 3 + 6 + 5
    assert total(local_aws, "AWS/Logs", "IncomingLogEvents", dimensions) == 3


def test_a_pattern_compares_one_member(local_aws: LocalAWS, group: str) -> None:
    logs, namespace = local_aws.client("logs"), unique("Patterns")
    for number, pattern in enumerate(('{ $.a.b = "c" }', "{ $.a.b = * }")):
        metric = {"metricName": f"m{number}", "metricNamespace": namespace, "metricValue": "1"}
        logs.put_metric_filter(
            logGroupName=group,
            filterName=f"f{number}",
            filterPattern=pattern,
            metricTransformations=[metric],
        )
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    lines = ['{"a": {"b": "c"}}', '{"a": {"b": 0}}', '{"a": "c"}', '{"a": {}}', '["c"]', "{no"]
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": line} for line in lines]
    logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=events)
    assert [total(local_aws, namespace, f"m{number}", {}) for number in (0, 1)] == [1, 2]
