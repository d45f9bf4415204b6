"""The alarms of the stack that ring."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from boringml.monitoring.page.document import Alarm

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.client import CloudWatchClient

_MODEL = "model"


# <logical id>-<suffix>, once for each nested stack and once for the alarm. Our logical ids begin
# with a capital, and suffixes are long: "boringml-dev-..." is none of the stack "boringml".
_MADE = r"(-[A-Z][A-Za-z0-9]*-[A-Za-z0-9]{8,})+"


class Alarms:
    """Alarms that CloudFormation named for one stack, or for one that is nested in it."""

    def __init__(self, client: "CloudWatchClient", stack: str) -> None:
        self._client = client
        self._prefix = f"{stack}-"
        self._ours = re.compile(re.escape(stack) + _MADE)

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
            if self._ours.fullmatch(alarm["AlarmName"])
        ]
        return tuple(sorted(found, key=lambda alarm: alarm.since, reverse=True))


def _models(alarm: Mapping[str, Any]) -> Iterator[str]:
    """Yield the models in the dimensions of an alarm's metrics."""
    stats = (query.get("MetricStat", {}) for query in alarm.get("Metrics", ()))
    for metric in (alarm, *(stat.get("Metric", {}) for stat in stats)):
        for dimension in metric.get("Dimensions", ()):
            if dimension["Name"] == _MODEL:
                yield dimension["Value"]
