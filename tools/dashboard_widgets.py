"""Widgets of CloudWatch dashboards, and the grid that they stand on.

The form is that of "Dashboard Body Structure and Syntax" (CloudWatch API Reference). `${...}` in a
body is for CloudFormation's Fn::Sub, which fills it in at deployment.
"""

from collections.abc import Iterable, Sequence
from typing import Any

COLUMNS = 24
Widget = dict[str, Any]
Metric = list[Any]

NAMESPACE = "${MetricsNamespace}"
REGION = "${AWS::Region}"


def ours(name: str, model: str, stat: str, label: str, **options: Any) -> Metric:
    """Return a metric of our own log lines, of the dimension `model`."""
    return [NAMESPACE, name, "model", model, {"stat": stat, "label": label, **options}]


def metric(
    namespace: str, name: str, dimensions: Sequence[str], stat: str, label: str, **options: Any
) -> Metric:
    """Return a metric of an AWS service; `dimensions` are names and values in turn."""
    return [namespace, name, *dimensions, {"stat": stat, "label": label, **options}]


def expression(text: str, label: str, **options: Any) -> Metric:
    """Return a series, or many of a SEARCH, by metric math."""
    return [{"expression": text, "label": label, **options}]


def search(name: str, model: str, dimensions: Sequence[str], stat: str, seconds: int) -> str:
    """Return a SEARCH for a metric of a model by further dimensions.

    Names with other characters than letters and digits need double quotes ("Search expression
    syntax"). It finds what had data in the last two weeks.
    """
    schema = ",".join(f'"{part}"' for part in (NAMESPACE, "model", *dimensions))
    return f"SEARCH('{{{schema}}} MetricName=\"{name}\" model=\"{model}\"', '{stat}', {seconds})"


def graph(
    title: str, metrics: Iterable[Metric], *, period: int = 300, unit: str = "", **properties: Any
) -> Widget:
    """Return a graph over time. `unit` names the left axis, which begins at 0."""
    return {
        "type": "metric",
        "properties": {
            "title": title,
            "region": REGION,
            "view": "timeSeries",
            "period": period,
            "metrics": list(metrics),
            "yAxis": {"left": {"min": 0, "label": unit, "showUnits": False}},
            **properties,
        },
    }


def log_bars(title: str, log_group: str, query: str) -> Widget:
    """Return bars of a Logs Insights query, which is run, and paid for, when somebody looks."""
    return {
        "type": "log",
        "properties": {
            "title": title,
            "region": REGION,
            "view": "bar",
            "query": f"SOURCE '{log_group}' | {query}",
        },
    }


def alarms(title: str, arns: str) -> Widget:
    """Return the states of alarms; `arns` is a placeholder for a part of a JSON array."""
    properties = {"title": title, "sortBy": "stateUpdatedTimestamp", "alarms": [f"@{arns}"]}
    return {"type": "alarm", "properties": properties}


def text(markdown: str) -> Widget:
    """Return words."""
    return {"type": "text", "properties": {"markdown": markdown}}


def rows(*lines: tuple[int, Sequence[Widget]]) -> list[Widget]:
    """Return the widgets in place: each line, as (height, widgets), shares the whole width."""
    placed, y = [], 0
    for height, widgets in lines:
        width = COLUMNS // len(widgets)
        for index, widget in enumerate(widgets):
            at = {"x": index * width, "y": y, "width": width, "height": height}
            placed.append({"type": widget["type"], **at, "properties": widget["properties"]})
        y += height
    return placed
