"""Metrics in log lines: the Embedded Metric Format (EMF).

AWS turns a log event that is an EMF document into metrics, one for each dimension set, metric and
value, and counts a document that breaks the specification in AWS/Logs EMFValidationErrors
("Specification: Embedded metric format", CloudWatch User Guide).
MiniStack 1.5.33 stores the line. It also answers a query without dimensions with the data of all
dimension sets, which would count each value once per set.
Here, as on AWS, a second is the finest resolution that a metric keeps: a value that is seen again
in a second is counted and not stored again, so that memory and queries do not grow with traffic.
Seams: cloudwatch_logs._append_log_events; cloudwatch._metric_bucket, _dims_key, _dims_from_list,
_evict_old_metrics, TWO_WEEKS_SECONDS.
"""

import json
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

from ministack.services import cloudwatch, cloudwatch_logs

from local.aws.seams import seam

logger = logging.getLogger("local.aws.emf")

MAX_METRICS = 100
MAX_DIMENSIONS = 30
MAX_VALUES = 100
MAX_DIMENSION_LENGTH = 1024

_recording = threading.Lock()

Point = tuple[str, str, dict[str, str], float, str, float]


class InvalidDocumentError(ValueError):
    """A log line claims to be EMF and breaks the specification."""


def document_of(message: str) -> dict[str, Any] | None:
    """Return the EMF document in a log line, after the text prefix of a runtime, or None."""
    if '"_aws"' not in message or '"CloudWatchMetrics"' not in message:
        return None
    try:
        found = json.loads(message[message.index("{") :])
    except ValueError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("_aws"), dict) else None


def points_of(document: dict[str, Any]) -> Iterator[Point]:
    """Yield (namespace, metric, dimensions, value, unit, time in s) of a document.

    Raises InvalidDocumentError, which names what is wrong.
    """
    stamp = document["_aws"].get("Timestamp")
    directives = document["_aws"]["CloudWatchMetrics"]
    if not is_number(stamp) or not isinstance(directives, list):
        raise InvalidDocumentError("_aws needs Timestamp, a number, and CloudWatchMetrics, a list")
    for directive in directives:
        namespace, sets, metrics = (
            directive.get(name) for name in ("Namespace", "Dimensions", "Metrics")
        )
        if not namespace or not isinstance(sets, list) or not isinstance(metrics, list):
            raise InvalidDocumentError("a directive needs Namespace, Dimensions and Metrics")
        if len(metrics) > MAX_METRICS:
            raise InvalidDocumentError(f"more than {MAX_METRICS} metrics in a directive")
        for names in sets:
            dimensions = dimensions_of(document, names)
            for metric in metrics:
                for value in values_of(document, metric["Name"]):
                    unit = metric.get("Unit", "None")
                    yield namespace, metric["Name"], dimensions, value, unit, stamp / 1000


def dimensions_of(document: dict[str, Any], names: list[str]) -> dict[str, str]:
    """Return the values of one dimension set."""
    if len(names) > MAX_DIMENSIONS:
        raise InvalidDocumentError(f"more than {MAX_DIMENSIONS} dimensions in a set")
    found = {}
    for name in names:
        value = document.get(name)
        if not isinstance(value, str) or not 0 < len(value) <= MAX_DIMENSION_LENGTH:
            raise InvalidDocumentError(f"dimension {name} must be a string, and is {value!r}")
        found[name] = value
    return found


def values_of(document: dict[str, Any], metric: str) -> list[float]:
    """Return the values of one metric: a number, or a list of up to 100."""
    value = document.get(metric)
    values = value if isinstance(value, list) else [value]
    if len(values) > MAX_VALUES or not all(is_number(item) for item in values):
        raise InvalidDocumentError(f"metric {metric} must be a number or a list of up to 100")
    return [float(item) for item in values]


def is_number(value: Any) -> bool:
    """Return whether a JSON value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


class ExactDimensions(dict[str, str]):
    """A dimension set that is true when it is empty: MiniStack takes a false one for "any"."""

    def __bool__(self) -> bool:
        return True


def store(message: str) -> None:
    """Record the metrics of a log line, all of them or none."""
    document = document_of(message)
    if document is None:
        return
    try:
        points = list(points_of(document))
    except InvalidDocumentError as error:
        logger.warning("invalid EMF document: %s: %s", error, message)
        points = [("AWS/Logs", "EMFValidationErrors", {}, 1.0, "Count", time.time())]
    for point in points:
        record(*point)


def record(
    namespace: str, name: str, dimensions: dict[str, str], value: float, unit: str, moment: float
) -> None:
    """Add a value to a metric, at its second."""
    key = (namespace, name, cloudwatch._dims_key(dimensions))
    second = float(int(moment))
    with _recording:
        stored = cloudwatch._metric_bucket(key)
        # Log lines come nearly in order: the values of a second lie at the end.
        for point in reversed(stored):
            if point["Timestamp"] != second:
                break
            if (point.get("Value"), point["Unit"], "_stat" in point) == (value, unit, False):
                point["Count"] = point.get("Count", 1.0) + 1.0
                return
        stored.append(
            {
                "Timestamp": second,
                "Value": value,
                "Count": 1.0,
                "Unit": unit,
                "Dimensions": dimensions,
            }
        )


def evict() -> None:
    """Forget what is older than two weeks; MiniStack copies every point for that, at each call."""
    oldest = time.time() - cloudwatch.TWO_WEEKS_SECONDS
    with _recording:
        for key, points in list(cloudwatch._metrics.items()):
            if points and points[0]["Timestamp"] < oldest:
                points[:] = [point for point in points if point["Timestamp"] >= oldest]
            if not points:
                del cloudwatch._metrics[key]


def install() -> None:
    """Read metrics out of every stored log event, and query dimension sets exactly."""
    append = seam(cloudwatch_logs, "_append_log_events")
    dimensions_from = seam(cloudwatch, "_dims_from_list")
    for name in ("_metric_bucket", "_dims_key", "_evict_old_metrics", "TWO_WEEKS_SECONDS"):
        seam(cloudwatch, name)

    def append_with_metrics(stream: dict[str, Any], events: list[dict[str, Any]]) -> None:
        for event in events:
            store(event.get("message", ""))
        append(stream, events)

    def exact_dimensions(dimensions: list[dict[str, str]]) -> ExactDimensions:
        return ExactDimensions(dimensions_from(dimensions))

    cloudwatch_logs._append_log_events = append_with_metrics
    cloudwatch._dims_from_list = exact_dimensions
    cloudwatch._evict_old_metrics = evict
