"""Usage by hour, and what is billed by the month, from a CloudWatch that is a table."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from boringml.adapters.billed_things import BilledThings
from boringml.adapters.usage_metrics import Served, UsageMetrics
from boringml.errors import BoringError
from boringml.governance.usage_cost import Fixed, Usage

BEGIN = datetime(2026, 11, 26, 10, tzinfo=UTC)
END = BEGIN + timedelta(hours=2)
CREDIT = Served("credit", "predict", "/log", "/models/credit/predictions")
REVIEWS = Served("reviews", "work", "/jobs-log", "/models/reviews/jobs", queue="jobs")
Key = tuple[str, str, tuple[tuple[str, str], ...]]


def key(namespace: str, metric: str, **dimensions: str) -> Key:
    return namespace, metric, tuple(sorted(dimensions.items()))


ROUTE = {"ApiName": "stack", "Stage": "v1", "Method": "POST"}


class CloudWatch:
    """Values by metric and hour; pages of two results."""

    def __init__(self, values: Mapping[Key, list[float]]) -> None:
        self.values = values
        self.status = "Complete"
        self.alarms: list[dict[str, Any]] = []
        self.composites: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []

    def get_paginator(self, name: str) -> Any:
        self.name = name
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        return getattr(self, self.name)(asked)

    def get_metric_data(self, asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        assert (asked["StartTime"], asked["EndTime"]) == (BEGIN, END)
        results = []
        for query in asked["MetricDataQueries"]:
            stat = query["MetricStat"]
            assert (stat["Stat"], stat["Period"]) == ("Sum", 3600)
            named = {one["Name"]: one["Value"] for one in stat["Metric"]["Dimensions"]}
            metric = stat["Metric"]
            values = self.values.get(key(metric["Namespace"], metric["MetricName"], **named), [])
            results.append(
                {
                    "Id": query["Id"],
                    "StatusCode": self.status,
                    "Timestamps": [BEGIN + timedelta(hours=at) for at in range(len(values))],
                    "Values": values,
                }
            )
        for first in range(0, len(results), 2):
            yield {"MetricDataResults": results[first : first + 2]}

    def list_metrics(self, asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        self.asked.append(dict(asked))
        wanted = {(one["Name"], one["Value"]) for one in asked["Dimensions"]}
        found = [
            {}
            for namespace, _metric, dimensions in self.values
            if namespace == asked["Namespace"] and wanted <= set(dimensions)
        ]
        yield {"Metrics": found}

    def describe_alarms(self, asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        assert asked["AlarmTypes"] == ["MetricAlarm", "CompositeAlarm"]
        for alarm in self.alarms:
            yield {"MetricAlarms": [alarm], "CompositeAlarms": []}
        yield {"MetricAlarms": [], "CompositeAlarms": self.composites}


CREDIT_VALUES = {
    key("ns", "requests", model="credit"): [100.0, 50.0],
    key("AWS/Lambda", "Invocations", FunctionName="predict"): [110.0, 50.0],
    key("ns/credit", "billed_ms"): [900.0, 400.0],
    key("ns/credit", "init_ms"): [300.0],
    key("AWS/ApiGateway", "Count", Resource=CREDIT.route, **ROUTE): [100.0, 50.0],
    key("AWS/Logs", "IncomingBytes", LogGroupName="/log"): [9000.0, 4000.0],
}


def metrics(values: Mapping[Key, list[float]]) -> UsageMetrics:
    return UsageMetrics(CloudWatch(values), "ns", "stack")  # type: ignore[arg-type]


def test_usage_is_told_by_the_hour() -> None:
    assert metrics(CREDIT_VALUES).hours(CREDIT, BEGIN, END) == {
        BEGIN: Usage(
            predictions=100,
            invocations=110,
            billed_ms=900,
            init_ms=300,
            api_requests=100,
            log_bytes=9000,
        ),
        BEGIN + timedelta(hours=1): Usage(
            predictions=50, invocations=50, billed_ms=400, api_requests=50, log_bytes=4000
        ),
    }


def test_a_queue_is_asked_for_its_messages_and_for_nothing_found() -> None:
    names = ("Sent", "Received", "Deleted")
    values = {key("AWS/SQS", f"NumberOfMessages{n}", QueueName="jobs"): [7.0] for n in names}
    values[key("AWS/SQS", "NumberOfEmptyReceives", QueueName="jobs")] = [20.0, 3.0]
    found = metrics(values).hours(REVIEWS, BEGIN, END)
    assert [usage.queue_requests for usage in found.values()] == [41, 3]


def test_a_table_takes_units_for_its_indexes_too() -> None:
    values = {
        key("AWS/DynamoDB", "ConsumedWriteCapacityUnits", TableName="jobs"): [10.0],
        key(
            "AWS/DynamoDB",
            "ConsumedWriteCapacityUnits",
            TableName="jobs",
            GlobalSecondaryIndexName="open",
        ): [4.0],
        key("AWS/DynamoDB", "ConsumedReadCapacityUnits", TableName="jobs"): [3.0],
    }
    found = metrics(values).table_hours("jobs", ["open"], BEGIN, END)
    assert found == {BEGIN: Usage(table_writes=14, table_reads=3)}


def test_what_cloudwatch_did_not_tell_is_no_zero() -> None:
    client = CloudWatch(CREDIT_VALUES)
    client.status = "PartialData"
    with pytest.raises(BoringError, match="metrics_incomplete"):
        UsageMetrics(client, "ns", "stack").hours(CREDIT, BEGIN, END)  # type: ignore[arg-type]


def watching(name: str, *metrics: tuple[str, dict[str, str]], math: bool = False) -> dict[str, Any]:
    """An alarm on one metric, or on several by metric math."""
    found = [
        {"Namespace": ns, "Dimensions": [{"Name": n, "Value": v} for n, v in named.items()]}
        for ns, named in metrics
    ]
    if not math:
        return {"AlarmName": name, **found[0]}
    queries = [{"Id": f"m{i}", "MetricStat": {"Metric": one}} for i, one in enumerate(found)]
    return {"AlarmName": name, "Metrics": [{"Id": "sum", "Expression": "m0 + m1"}, *queries]}


def test_each_metric_of_an_alarm_of_the_model_is_billed() -> None:
    client = CloudWatch({**CREDIT_VALUES, key("ns", "requests", model="churn"): [1.0]})
    ours, function = ("ns", {"model": "credit"}), ("AWS/Lambda", {"FunctionName": "predict"})
    api = ("AWS/ApiGateway", {"ApiName": "stack", "Resource": CREDIT.route})
    client.alarms = [
        watching("one", ours),
        watching("two", function, ours, math=True),
        watching("three", ("ns", {"model": "churn"})),
        watching("four", api, api, math=True),
        watching("five", ("AWS/Logs", {"LogGroupName": "/log"})),
    ]
    client.composites = [
        {"AlarmRule": 'ALARM("one") OR ALARM("two")'},
        {"AlarmRule": 'ALARM("three")'},
    ]
    things = BilledThings(client, "ns", "stack")  # type: ignore[arg-type]
    # One in ns, two in ns/credit, one of the method of the API.
    assert things.fixed(CREDIT, 1) == Fixed(
        metrics=4, alarm_metrics=6, composite_alarms=1, dashboards=1
    )
    assert all(asked["RecentlyActive"] == "PT3H" for asked in client.asked)


@pytest.mark.parametrize("stack", ["ns", "other", "pr-17"])
def test_alarms_of_other_stacks_with_a_model_of_that_name_are_theirs(stack: str) -> None:
    client = CloudWatch({})
    stacks = ("ns", "other", "pr-17", "x-ns")
    client.alarms = [
        one
        for name in stacks
        for one in (
            watching(f"{name}-DriftAlarm", (name, {"model": "credit"})),
            watching(
                f"{name}-Outage", ("AWS/ApiGateway", {"ApiName": name, "Resource": CREDIT.route})
            ),
        )
    ]
    client.composites = [{"AlarmRule": f'ALARM("{name}-DriftAlarm")'} for name in stacks]
    things = BilledThings(client, stack, stack)  # type: ignore[arg-type]
    assert things.fixed(CREDIT, 0) == Fixed(
        metrics=0, alarm_metrics=2, composite_alarms=1, dashboards=0
    )
