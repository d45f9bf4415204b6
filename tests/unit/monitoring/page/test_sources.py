"""What AWS is asked for a page, and what becomes of its answers."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from boringml.adapters.alarms import Alarms
from boringml.adapters.queue_depths import QueueDepths
from boringml.adapters.traffic_metrics import TrafficMetrics
from boringml.errors import BoringError
from boringml.monitoring.page.document import Count, Point, Unread
from boringml.monitoring.page.gather import Sources, gather, limits_of
from boringml.monitoring.page.window import Window
from boringml.monitoring.write_pages import INDEX, key_of, write_pages
from boringml.registry.records import Route
from tests.contract.template.test_promises import ROOT
from tests.unit.release.test_shadow_adapters import stubbed
from tools.page_sample import NOW, full

BEGIN = datetime(2026, 11, 26, 9, tzinfo=UTC)
WINDOW = Window(BEGIN, BEGIN + timedelta(minutes=2), 60)
DECLARED = {
    path.parent.name: yaml.safe_load(path.read_text())
    for path in sorted((ROOT / "models").glob("*/model.yaml"))
}


class Metrics:
    """Answers each query by its name; any other with nothing."""

    def __init__(self, answers: dict[str, list[float]]) -> None:
        self.answers = answers
        self.asked: list[dict[str, Any]] = []

    def get_paginator(self, _name: str) -> "Metrics":
        return self

    def paginate(self, **given: Any) -> list[dict[str, Any]]:
        self.asked = given["MetricDataQueries"]
        return [
            {
                "MetricDataResults": [
                    {
                        "Id": query["Id"],
                        "Timestamps": [BEGIN + timedelta(minutes=n) for n in range(len(values))],
                        "Values": values,
                        "StatusCode": "Complete",
                    }
                ]
            }
            for query in self.asked
            for values in [self.answers.get(query["Id"], [])]
        ]


def test_traffic_counts_what_answered_and_what_crashed() -> None:
    client = Metrics(
        {
            "answered_0": [10, 20],
            "failures_0": [1],
            "errors_0": [0, 2],
            "p50_0": [5.0, 6.0],
            "p95_0": [9.0, 8.0],
            "outcomes_0": [4, 4],
            "bad_outcomes_0": [1],
        }
    )
    traffic = TrafficMetrics(client, "BoringML/s").traffic(  # type: ignore[arg-type]
        "credit", "predict", [(2, "11")], WINDOW, "LoanAccepted"
    )
    (version,) = traffic.versions
    assert version.points == (
        Point(BEGIN, 10, 1, 5.0, 9.0),
        Point(BEGIN + timedelta(minutes=1), 22, 2, 6.0, 8.0),
    )
    assert (version.outcomes, version.bad_outcomes) == (8, 1)
    metrics = {q["Id"]: q["MetricStat"]["Metric"] for q in client.asked}
    named = {d["Name"]: d["Value"] for d in metrics["errors_0"]["Dimensions"]}
    assert named == {
        "FunctionName": "predict", "Resource": "predict:live", "ExecutedVersion": "11",
    }  # fmt: skip


def test_nothing_asked_asks_nothing() -> None:
    client = Metrics({})
    assert TrafficMetrics(client, "n").traffic("m", "f", [], WINDOW, None).versions == ()  # type: ignore[arg-type]
    assert client.asked == []


def test_executions_that_ended_badly_are_counted_by_machine() -> None:
    client = Metrics({"q0_0": [1, 2], "q0_1": [1], "q1_0": []})
    found = TrafficMetrics(client, "n").failed_executions(  # type: ignore[arg-type]
        {"release": "arn:release", "train": "arn:train"}, BEGIN, BEGIN + timedelta(hours=1)
    )
    assert found == (Count("release", 4), Count("train", 0))


# Of the stacks s-dev and s-pr-17, and of somebody who named one alike.
OF_OTHERS = (
    "s-dev-UnhealthyAlarm-1ABCDEFGHIJK",
    "s-dev-CreditOnline-1ABCDEFGHIJK-UnhealthyAlarm-1ABCDEFGHIJK",
    "s-pr-17-UnhealthyAlarm-1ABCDEFGHIJK",
    "s-pr-17-CreditOnline-1ABCDEFGHIJK-UnhealthyAlarm-1ABCDEFGHIJK",
    "s-by-hand",
)


def test_alarms_are_those_of_the_stack_with_their_models() -> None:
    client, stubber = stubbed("cloudwatch")
    dimension = {"Name": "model", "Value": "credit"}
    metric = {"Namespace": "n", "MetricName": "failures", "Dimensions": [dimension]}
    stubber.add_response(
        "describe_alarms",
        {
            "MetricAlarms": [
                {
                    "AlarmName": "s-CreditOnline-1ABCDEFGHIJK-LiveFailuresAlarm-2abcDEFghi34",
                    "AlarmDescription": "live fails",
                    "StateUpdatedTimestamp": BEGIN,
                    "Metrics": [
                        {"Id": "x", "Expression": "a"},
                        {"Id": "a", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}},
                    ],
                }
            ],
            "CompositeAlarms": [
                {
                    "AlarmName": "s-UnhealthyAlarm-1ABCDEFGHIJK",
                    "AlarmDescription": "reviews: unhealthy",
                    "StateUpdatedTimestamp": BEGIN + timedelta(minutes=1),
                },
                *({"AlarmName": name, "StateUpdatedTimestamp": BEGIN} for name in OF_OTHERS),
            ],
        },
        {
            "AlarmNamePrefix": "s-",
            "StateValue": "ALARM",
            "AlarmTypes": ["MetricAlarm", "CompositeAlarm"],
        },
    )
    newest, oldest = Alarms(client, "s").ringing()
    assert newest.name == "s-UnhealthyAlarm-1ABCDEFGHIJK"
    assert oldest.name == "s-CreditOnline-1ABCDEFGHIJK-LiveFailuresAlarm-2abcDEFghi34"
    assert oldest.is_of("credit")
    assert not oldest.is_of("reviews")
    assert newest.is_of("reviews")


def test_dead_letters_are_counted_by_queue() -> None:
    client, stubber = stubbed("sqs")
    stubber.add_response(
        "get_queue_attributes",
        {"Attributes": {"ApproximateNumberOfMessages": "3"}},
        {"QueueUrl": "https://q", "AttributeNames": ["ApproximateNumberOfMessages"]},
    )
    assert QueueDepths(client, {"events": "https://q"}).counts() == (Count("events", 3),)


def test_limits_are_what_the_models_declare() -> None:
    limits = limits_of(DECLARED["credit"], 60)
    assert (limits.min_samples, limits.failures, limits.promised_p95_ms) == (150, 0.01, 300)
    assert (limits.kpi, limits.min_outcomes, limits.bake_seconds) == ("LoanAccepted", 60, 1800)
    assert limits_of(DECLARED["churn"], 60).promised_p95_ms is None


class Registry:
    """The sample's history, of whichever model."""

    def history(self, _model: str) -> Any:
        return list(full().history)  # type: ignore[arg-type]

    def versions(self, _model: str) -> Any:
        return list(full().versions)  # type: ignore[arg-type]

    def route(self, _model: str) -> Any:
        return full().route

    def lock(self, _model: str) -> None:
        return None


class Objects:
    """A bucket that has what it was given."""

    def __init__(self, **objects: bytes) -> None:
        self.objects = objects

    def read(self, key: str) -> bytes:
        if key not in self.objects:
            raise BoringError("object_missing", f"{key} is not there.", 404)
        return self.objects[key]


class Reports:
    """The sample's reports."""

    def newest(self, _model: str, kind: str, *_given: Any) -> Any:
        return list(getattr(full(), kind))


def refused(*_given: Any, **_named: Any) -> Any:
    raise BoringError("metrics_forbidden", "CloudWatch may not tell.", 403)


def sources(**parts: Any) -> Sources:
    told: dict[str, Any] = {
        "stack": "s",
        "registry": Registry(),
        "metrics": TrafficMetrics(Metrics({}), "n"),  # type: ignore[arg-type]
        "reports": Reports(),
        "packages": Objects(),
        "alarms": type("A", (), {"ringing": staticmethod(tuple)})(),
        "dead_letters": type("Q", (), {"counts": staticmethod(tuple)})(),
        "functions": {"credit": "predict", "reviews": "run", "churn": None},
        "machines": {"train": "arn"},
        "unreadable": (BoringError, ValueError),
    }
    return Sources(**{**told, **parts})


def test_all_pages_are_written_and_the_index_last() -> None:
    pages: dict[str, str] = {}
    told = write_pages(sources(), DECLARED, pages.__setitem__, NOW)
    assert list(pages) == [key_of("churn"), key_of("credit"), key_of("reviews"), INDEX]
    assert told == {"pages": list(pages), "unread": {}}
    assert "credit-risk" in pages[key_of("credit")]


def test_a_model_that_nothing_ever_happened_to_has_its_page() -> None:
    new: dict[str, Any] = {"route": Route(), "lock": None, "history": [], "versions": []}
    registry = type("R", (), {n: lambda _s, _m, v=v: v for n, v in new.items()})()
    pages: dict[str, str] = {}
    told = write_pages(sources(registry=registry), DECLARED, pages.__setitem__, NOW)
    assert told["unread"] == {}
    assert "nothing is live" in pages[key_of("credit")]


def test_what_a_source_refuses_is_told_by_part_and_the_rest_is_written() -> None:
    metrics = type("M", (), {"traffic": refused, "failed_executions": refused})()
    pages: dict[str, str] = {}
    told = write_pages(sources(metrics=metrics), DECLARED, pages.__setitem__, NOW)
    assert len(pages) == 4
    assert set(told["unread"]) == {"platform.failed", "credit.traffic", "reviews.traffic"}
    assert "CloudWatch may not tell." in pages[key_of("credit")]


def test_the_last_shadow_is_read_by_the_key_in_the_history() -> None:
    (*rest, last) = full().history  # type: ignore[misc]
    step = replace(last, details={"step": "shadow", "outcome": "passed", "report": "r/shadow.json"})
    registry = Registry()
    registry.history = lambda _model: [*rest, step]  # type: ignore[method-assign]
    report = json.dumps(full().shadow).encode()
    found = gather(
        sources(registry=registry, packages=Objects(**{"r/shadow.json": report})), DECLARED, NOW
    )
    assert [model.shadow for model in found.models] == [full().shadow] * 3
    broken = sources(registry=registry, packages=Objects(**{"r/shadow.json": b"{"}))
    assert isinstance(gather(broken, DECLARED, NOW).models[0].shadow, Unread)


def test_an_error_that_nobody_expects_is_not_swallowed() -> None:
    def bug(_model: str) -> Any:
        raise TypeError("a bug")

    registry = Registry()
    registry.versions = bug  # type: ignore[method-assign]
    with pytest.raises(TypeError, match="a bug"):
        write_pages(sources(registry=registry), DECLARED, lambda *_: None, NOW)
