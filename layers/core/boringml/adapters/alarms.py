"""The alarms of the stack that ring."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from boringml.monitoring.page.document import Alarm

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.client import CloudWatchClient

_MODEL = "model"


class Alarms:
    """Alarms whose names begin as CloudFormation names those of a stack, and of its nested ones."""

    def __init__(self, client: "CloudWatchClient", stack: str) -> None:
        self._client = client
        self._prefix = f"{stack}-"

    def ringing(self) -> tuple[Alarm, ...]:
        """Return the alarms in state ALARM, the newest first."""
        pages = self._client.get_paginator("describe_alarms").paginate(
            AlarmNamePrefix=self._prefix,
            StateValue="ALARM",
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
        )
        found = [
            Alarm(
                name=alarm["AlarmName"],
                says=alarm.get("AlarmDescription", ""),
                since=alarm["StateUpdatedTimestamp"],
                models=frozenset(_models(alarm)),
            )
            for page in pages
            for alarm in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ()))
        ]
        return tuple(sorted(found, key=lambda alarm: alarm.since, reverse=True))


def _models(alarm: Mapping[str, Any]) -> Iterator[str]:
    """Yield the models in the dimensions of an alarm's metrics."""
    stats = (query.get("MetricStat", {}) for query in alarm.get("Metrics", ()))
    for metric in (alarm, *(stat.get("Metric", {}) for stat in stats)):
        for dimension in metric.get("Dimensions", ()):
            if dimension["Name"] == _MODEL:
                yield dimension["Value"]
