"""The alarms of the stack that ring."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from boringml.monitoring.page.document import Alarm

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.client import CloudWatchClient

_MODEL = "model"


class Alarms:
    """Alarms that CloudFormation named for one stack, or for one that is nested in it.

    Names are the stack's, then a logical id. Ours begin with a capital, so that "boringml-dev-..."
    is none of the stack "boringml".
    """

    def __init__(self, client: "CloudWatchClient", stack: str) -> None:
        self._client = client
        self._prefix = f"{stack}-"
        self._ours = re.compile(rf"{re.escape(stack)}-[A-Z][A-Za-z0-9]*-")

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
            if self._ours.match(alarm["AlarmName"])
        ]
        return tuple(sorted(found, key=lambda alarm: alarm.since, reverse=True))


def _models(alarm: Mapping[str, Any]) -> Iterator[str]:
    """Yield the models in the dimensions of an alarm's metrics."""
    stats = (query.get("MetricStat", {}) for query in alarm.get("Metrics", ()))
    for metric in (alarm, *(stat.get("Metric", {}) for stat in stats)):
        for dimension in metric.get("Dimensions", ()):
            if dimension["Name"] == _MODEL:
                yield dimension["Value"]
