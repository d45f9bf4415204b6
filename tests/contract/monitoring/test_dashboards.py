"""Dashboards are what CloudWatch takes, and show only what somebody publishes."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import jsonschema
import pytest
import yaml

from boringml.release.plan import is_served
from tests.contract.template.test_wiring import RESOURCES, ROOT, Loader
from tools import dashboards
from tools.dashboard_bodies import pascal

NESTED = yaml.load((ROOT / "dashboards/dashboards.yaml").read_text(), Loader)
SCHEMA = json.loads((ROOT / "dashboards/dashboard.schema.json").read_text())
INSTANCE = yaml.load((ROOT / "template.yaml").read_text(), Loader)["Resources"]["Dashboards"]
CODE = "".join(
    path.read_text() for name in ("layers", "functions") for path in (ROOT / name).rglob("*.py")
)
MODELS = list(dashboards.declarations())
# Metrics that the services document, of those that the dashboards use.
OF_AWS = {
    "AWS/ApiGateway": {"4XXError", "5XXError", "Count", "Latency"},
    "AWS/Lambda": {"ConcurrentExecutions", "Errors", "Invocations", "Throttles"},
    "AWS/SQS": {
        "ApproximateAgeOfOldestMessage",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesVisible",
    },
    "AWS/States": {"ExecutionsFailed", "ExecutionsStarted", "ExecutionsTimedOut"},
}
SAMPLES = {"MetricsNamespace": "BoringML/x", "AWS::Region": "us-east-1"}


def filled(text: str) -> str:
    """Return a body as Fn::Sub leaves it, with samples for what the stack knows."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name.endswith("Alarms"):
            arn = f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{name}"
            return f'"{arn}-1","{arn}-2"'
        return SAMPLES.get(name, f"some-{name}")

    return re.sub(r"\$\{([\w:]+)\}", value, text).replace("${!", "${")


BODIES: dict[str, dict[str, Any]] = {
    name: json.loads(filled(resource["Properties"]["DashboardBody"]))
    for name, resource in NESTED["Resources"].items()
}


def series(body: dict[str, Any]) -> Iterator[list[Any]]:
    for widget in body["widgets"]:
        yield from widget["properties"].get("metrics", [])


def published(name: str) -> bool:
    """Return whether code of ours has a metric of that name."""
    return f'"{name}"' in CODE


def test_the_dashboards_are_fresh() -> None:
    assert dashboards.rendered() == dashboards.TARGET.read_text()


def test_each_model_has_a_dashboard_and_the_platform_has_one() -> None:
    models = {f"{pascal(model['name'])}Dashboard" for model in MODELS}
    assert set(BODIES) == models | {"PlatformDashboard"}


@pytest.mark.parametrize("name", BODIES)
def test_a_dashboard_is_in_the_grammar(name: str) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(BODIES[name])


@pytest.mark.parametrize("name", BODIES)
def test_widgets_stand_within_the_grid_and_on_no_other(name: str) -> None:
    widgets = BODIES[name]["widgets"]
    assert [w for w in widgets if w["x"] + w["width"] > 24] == []
    for one, other in combinations(widgets, 2):
        beside = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
        above = one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]
        assert beside or above, (one["properties"], other["properties"])


@pytest.mark.parametrize("name", BODIES)
def test_each_metric_is_published_by_somebody(name: str) -> None:
    for entry in series(BODIES[name]):
        if isinstance(entry[0], dict):
            named = re.findall(r'MetricName="(\w+)"', entry[0]["expression"])
            assert named
            assert all(published(metric) for metric in named)
            continue
        namespace, metric, *rest = entry
        dimensions = [part for part in rest if isinstance(part, str)]
        assert len(dimensions) % 2 == 0, entry
        if namespace == SAMPLES["MetricsNamespace"]:
            assert published(metric), metric
            assert dimensions[:1] == ["model"]
        else:
            assert metric in OF_AWS[namespace]


def test_alarms_watch_what_somebody_publishes() -> None:
    named = {
        text
        for _, _, resource in RESOURCES.values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
        for text in re.findall(
            r"'Namespace': 'MetricsNamespace', 'MetricName': '(\w+)'", str(resource)
        )
    }
    assert {"requests", "failures", "latency_ms", "drift_share"} <= named
    assert [name for name in named - {"TrafficMetric"} if not published(name)] == []


def test_the_search_names_the_dimensions_that_the_log_line_has() -> None:
    (text,) = {
        entry[0]["expression"] for entry in series(BODIES["CreditDashboard"]) if len(entry) == 1
    }
    schema = re.findall(r'"([^"]+)"', text.partition("}")[0])
    assert schema == ["BoringML/x", "model", "model_version", "function_version"]
    assert '["model", "model_version", "function_version"]' in CODE


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model["name"])
def test_a_models_dashboard_shows_what_is_asked_when_an_alarm_rings(model: dict[str, Any]) -> None:
    body = BODIES[f"{pascal(model['name'])}Dashboard"]
    shown = {entry[1] for entry in series(body) if len(entry) > 1}
    assert {"drift_share", "quality_roc_auc", "cost_usd", "cost_per_1000_usd"} <= shown
    text = json.dumps(body)
    if is_served(model):
        assert {"latency_ms", "failures", "Throttles", "cold_starts"} <= shown
        stats = {entry[-1]["stat"] for entry in series(body) if entry[1:2] == ["latency_ms"]}
        assert stats == {"p50", "p95", "p99"}
        assert "by code" in text
        (line,) = re.findall(r'"p95 as promised", "value": ([\d.]+)', text)
        assert float(line) == model["release"]["smoke"]["p95_ms"]
    else:
        assert {"batches", "failed_batches", "batch_rows"} <= shown


def test_the_template_gives_the_dashboards_what_they_ask_for() -> None:
    given = INSTANCE["Properties"]["Parameters"]
    assert set(given) == set(NESTED["Parameters"])


def test_the_platforms_dashboard_has_each_of_its_alarms_and_each_model() -> None:
    given = INSTANCE["Properties"]["Parameters"]
    ours = {
        resource_id.partition(":")[2]
        for resource_id, (_, _, resource) in RESOURCES.items()
        if resource_id.startswith("template.yaml:") and resource["Type"] == "AWS::CloudWatch::Alarm"
    }
    assert set(re.findall(r'"\$\{(\w+)\.Arn\}"', str(given["PlatformAlarms"]))) == ours
    assert given["UnhealthyAlarms"].count("Outputs.UnhealthyAlarmArn") == len(MODELS)
    # A parameter of CloudFormation holds 4,096 bytes; an ARN of an alarm has about 110.
    assert 110 * len(ours) < 4096


@pytest.mark.parametrize("pattern", ["online", "async", "batch"])
def test_a_models_dashboard_has_each_of_its_alarms(pattern: str) -> None:
    template = yaml.load((ROOT / f"patterns/{pattern}.yaml").read_text(), Loader)
    ours = {
        name
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }
    listed = template["Outputs"]["AlarmArns"]["Value"]
    assert set(re.findall(r'"\$\{(\w+)\.Arn\}"', listed)) == ours
    assert "${Watch.Outputs.AlarmArns}" in listed
