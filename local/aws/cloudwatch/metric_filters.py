"""Metric filters: metrics out of log events that a pattern matches.

AWS looks at each event as it comes in, and records a constant or a number of the event
("Creating metrics from log events using filters"). An event without that number records nothing.
MiniStack 1.5.33 keeps the filters and does nothing. Here a pattern is one comparison of a JSON
event with a text, { $.a.b = "text" }, or with nothing, { $.a.b = * }; another one is refused, and
so are dimensions and default values.
Seams: cloudwatch_logs._put_metric_filter, _metric_filters, _fanout_to_subscription_filters.
"""

import json
import re
from typing import Any

from ministack.services import cloudwatch_logs

from local.aws.cloudwatch import emf
from local.aws.refusals import refusal
from local.aws.seams import seam

_PATTERN = re.compile(r'\{ *\$\.(?P<path>[\w.]+) *= *(?:"(?P<text>[^"*]*)"|\*) *\}')


def found_at(event: Any, path: str) -> Any:
    """Return what lies at a path such as record.metrics of a decoded event, or None."""
    for name in path.split("."):
        event = event.get(name) if isinstance(event, dict) else None
    return event


def matches(pattern: str, event: Any) -> bool:
    """Return whether a decoded event is one that a filter wants."""
    wanted = _PATTERN.fullmatch(pattern)
    if wanted is None:
        return False
    found = found_at(event, wanted["path"])
    return found is not None if wanted["text"] is None else found == wanted["text"]


def value_of(transformation: dict[str, Any], event: Any) -> float | None:
    """Return the number that an event records, None where it has none."""
    value = str(transformation["metricValue"])
    found = found_at(event, value[2:]) if value.startswith("$.") else float(value)
    return float(found) if emf.is_number(found) else None


def problem_of(request: dict[str, Any]) -> str | None:
    """Return why a filter is not emulated, or None."""
    if not _PATTERN.fullmatch(str(request.get("filterPattern", "")).strip()):
        return f"the filter pattern {request.get('filterPattern')!r}"
    for transformation in request.get("metricTransformations", []):
        for name in ("dimensions", "defaultValue"):
            if transformation.get(name) is not None:
                return f"{name} of a metric filter"
    return None


def record(filters: list[dict[str, Any]], events: list[dict[str, Any]]) -> None:
    """Record the metrics of a log group's filters of some events."""
    for event in events:
        message = str(event["message"])
        if not message.startswith("{"):
            continue
        try:
            decoded = json.loads(message)
        except ValueError:
            continue
        for one in filters:
            if not matches(one["filterPattern"].strip(), decoded):
                continue
            for transformation in one["metricTransformations"]:
                value = value_of(transformation, decoded)
                if value is not None:
                    emf.record(
                        transformation["metricNamespace"],
                        transformation["metricName"],
                        {},
                        value,
                        transformation.get("unit", "None"),
                        event["timestamp"] / 1000,
                    )


def install() -> None:
    """Apply filters to every stored event, and refuse those that are not emulated."""
    put = seam(cloudwatch_logs, "_put_metric_filter")
    fan_out = seam(cloudwatch_logs, "_fanout_to_subscription_filters")
    seam(cloudwatch_logs, "_metric_filters")

    def put_checked(request: dict[str, Any]) -> Any:
        problem = problem_of(request)
        if problem is not None:
            return refusal(f"logs:PutMetricFilter with {problem}", {})
        return put(request)

    def fan_out_filtered(group: str, stream: str, events: list[dict[str, Any]]) -> None:
        filters = [
            one for (name, _), one in list(cloudwatch_logs._metric_filters.items()) if name == group
        ]
        if filters:
            record(filters, events)
        fan_out(group, stream, events)

    cloudwatch_logs._put_metric_filter = put_checked
    cloudwatch_logs._fanout_to_subscription_filters = fan_out_filtered
