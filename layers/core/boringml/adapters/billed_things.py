"""What CloudWatch bills by the month for a model: its metrics and alarms."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from boringml.adapters.usage_metrics import Served
from boringml.governance.usage_cost import Fixed

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.client import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricAlarmTypeDef


class BilledThings:
    """Counts metrics and alarms of one stack, whose metrics lie in `namespace`."""

    def __init__(self, client: "CloudWatchClient", namespace: str, api: str) -> None:
        self._client = client
        self._namespace = namespace
        self._api = api

    def fixed(self, served: Served, dashboards: int) -> Fixed:
        """Return how many things of a model cost by the month.

        Metrics are those with data in the last three hours, as CloudWatch bills them by the hour.
        Those of a single method of the API are billed too (detailed metrics of REST APIs).
        """
        metrics = (
            self._count(self._namespace, {"model": served.model})
            + self._count(f"{self._namespace}/{served.model}", {})
            + self._count("AWS/ApiGateway", {"ApiName": self._api, "Resource": served.route})
        )
        alarm_metrics = composite = 0
        names: list[str] = []
        rules: list[str] = []
        pages = self._client.get_paginator("describe_alarms").paginate(
            AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        for page in pages:
            for alarm in page["MetricAlarms"]:
                watched = _watched(alarm)
                if any(self._is_of(served, *metric) for metric in watched):
                    alarm_metrics += len(watched)
                    names.append(alarm["AlarmName"])
            rules += [alarm["AlarmRule"] for alarm in page["CompositeAlarms"]]
        # A rule has names in quotes; without them, one name may be the end of another stack's.
        composite = sum(any(f'"{name}"' in rule for name in names) for rule in rules)
        return Fixed(
            metrics=metrics,
            alarm_metrics=alarm_metrics,
            composite_alarms=composite,
            dashboards=dashboards,
        )

    def _is_of(self, served: Served, namespace: str, named: Mapping[str, str]) -> bool:
        """Return whether a metric is of a model in this stack: others have models of that name."""
        if namespace == self._namespace:
            return named.get("model") == served.model
        return (
            named.get("FunctionName") == served.function
            or (served.queue is not None and named.get("QueueName") == served.queue)
            or named.get("LogGroupName") == served.log_group
            or (named.get("ApiName"), named.get("Resource")) == (self._api, served.route)
        )

    def _count(self, namespace: str, dimensions: Mapping[str, str]) -> int:
        pages = self._client.get_paginator("list_metrics").paginate(
            Namespace=namespace,
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            RecentlyActive="PT3H",
        )
        return sum(len(page["Metrics"]) for page in pages)


def _watched(alarm: "MetricAlarmTypeDef") -> list[tuple[str, dict[str, str]]]:
    """Return namespace and dimensions of each metric that an alarm watches: each is billed."""
    stats = [
        query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query
    ]
    found = [(one.get("Namespace", ""), one.get("Dimensions", [])) for one in stats]
    plain = (alarm.get("Namespace", ""), alarm.get("Dimensions", []))
    return [
        (namespace, {one["Name"]: one["Value"] for one in dimensions})
        for namespace, dimensions in found or [plain]
    ]
