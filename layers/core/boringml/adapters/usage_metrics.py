"""What serving used, hour by hour, from CloudWatch metrics."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from boringml.adapters.metric_data import Series, metric_data, stat
from boringml.governance.usage_cost import Usage

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.client import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricStatTypeDef

_PERIOD = 3600
# AWS/SQS counts messages, not requests: a batch of ten is one request and counts as ten here.
_QUEUE_METRICS = (
    "NumberOfMessagesSent",
    "NumberOfMessagesReceived",
    "NumberOfMessagesDeleted",
    "NumberOfEmptyReceives",
)


@dataclass(frozen=True)
class Served:
    """What serves a model: its function, log group, route of the API, and queue if it has one."""

    model: str
    function: str
    log_group: str
    route: str
    queue: str | None = None


class UsageMetrics:
    """The metrics of one stack: its own in `namespace`, and those of AWS on its API and table."""

    def __init__(self, client: "CloudWatchClient", namespace: str, api: str) -> None:
        self._client = client
        self._namespace = namespace
        self._api = api

    def hours(self, served: Served, begin: datetime, end: datetime) -> dict[datetime, Usage]:
        """Return a model's usage by hour, without its part of the table of jobs.

        `begin` and `end` are whole hours. What Lambda bills is a metric that a filter makes of its
        report lines: ADR 22. Raises BoringError as `metric_data` does.
        """
        own = f"{self._namespace}/{served.model}"
        function = {"FunctionName": served.function}
        route = {"ApiName": self._api, "Stage": "v1", "Method": "POST", "Resource": served.route}
        queries = {
            "predictions": self._sum(self._namespace, "requests", {"model": served.model}),
            "invocations": self._sum("AWS/Lambda", "Invocations", function),
            "billed_ms": self._sum(own, "billed_ms", {}),
            "init_ms": self._sum(own, "init_ms", {}),
            "api_requests": self._sum("AWS/ApiGateway", "Count", route),
            "log_bytes": self._sum("AWS/Logs", "IncomingBytes", {"LogGroupName": served.log_group}),
        }
        if served.queue:
            for metric in _QUEUE_METRICS:
                queries[f"queue_{metric}"] = self._sum(
                    "AWS/SQS", metric, {"QueueName": served.queue}
                )
        found = metric_data(self._client, queries, begin, end)
        queue = _added(series for name, series in found.items() if name.startswith("queue_"))
        named = {name: series for name, series in found.items() if not name.startswith("queue_")}
        return _by_hour({**named, "queue_requests": queue})

    def table_hours(
        self, table: str, indexes: Iterable[str], begin: datetime, end: datetime
    ) -> dict[datetime, Usage]:
        """Return the units that a table and its indexes took by hour. Raises as `hours` does."""
        places = [{"TableName": table}]
        places += [{"TableName": table, "GlobalSecondaryIndexName": name} for name in indexes]
        queries = {
            f"{kind.lower()}_{number}": self._sum(
                "AWS/DynamoDB", f"Consumed{kind}CapacityUnits", place
            )
            for number, place in enumerate(places)
            for kind in ("Write", "Read")
        }
        found = metric_data(self._client, queries, begin, end)
        return _by_hour(
            {
                f"table_{kind}s": _added(
                    series for name, series in found.items() if name.startswith(kind)
                )
                for kind in ("write", "read")
            }
        )

    def _sum(
        self, namespace: str, metric: str, dimensions: Mapping[str, str]
    ) -> "MetricStatTypeDef":
        return stat(namespace, metric, dimensions, "Sum", _PERIOD)


def _added(several: Iterable[Series]) -> Series:
    found: Series = {}
    for series in several:
        for at, value in series.items():
            found[at] = found.get(at, 0.0) + value
    return found


def _by_hour(found: Mapping[str, Series]) -> dict[datetime, Usage]:
    """Return what several series, named as the members of Usage, say of each hour."""
    hours = sorted({at for series in found.values() for at in series})
    return {
        at: Usage(**{name: series.get(at, 0.0) for name, series in found.items()}) for at in hours
    }
