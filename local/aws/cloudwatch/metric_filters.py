"""Metric filters: metrics out of log events that a pattern matches.

AWS looks at each event as it comes in, and records a constant or a number of the event
("Creating metrics from log events using filters"). An event without that number records nothing.
MiniStack 1.5.33 keeps the filters and does nothing. Here a pattern is one of fields of a JSON
event; one of words is refused, and so are dimensions and default values.
Seams: cloudwatch_logs._put_metric_filter, _metric_filters, _fanout_to_subscription_filters.
"""

from typing import Any

from ministack.services import cloudwatch_logs

from local.aws.cloudwatch import emf
from local.aws.logs.filter_patterns import PatternError, compiled, is_json, parsed
from local.aws.refusals import refusal
from local.aws.seams import seam


def value_of(transformation: dict[str, Any], event: Any) -> float | None:
    """Return the number that an event records, None where it has none."""
    value = str(transformation["metricValue"])
    if not value.startswith("$."):
        return float(value)
    for name in value[2:].split("."):
        event = event.get(name) if isinstance(event, dict) else None
    return float(event) if emf.is_number(event) else None


def problem_of(request: dict[str, Any]) -> str | None:
    """Return why a filter is not emulated, or None."""
    pattern = request.get("filterPattern", "")
    try:
        if not is_json(pattern):
            raise PatternError("it is one of words")
        compiled(pattern)
    except PatternError as error:
        return f"the filter pattern {pattern!r}: {error}"
    for transformation in request.get("metricTransformations", []):
        for name in ("dimensions", "defaultValue"):
            if transformation.get(name) is not None:
                return name
    return None


def record(filters: list[dict[str, Any]], events: list[dict[str, Any]]) -> None:
    """Record the metrics of a log group's filters of some events."""
    for event in events:
        document = parsed(str(event["message"]))
        for one in filters:
            if not compiled(one["filterPattern"])(document):
                continue
            for transformation in one["metricTransformations"]:
                value = value_of(transformation, document)
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
