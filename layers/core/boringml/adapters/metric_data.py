"""Series of CloudWatch metrics, whole or not at all."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from boringml.errors import BoringError

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.client import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import (
        DimensionTypeDef,
        MetricDataQueryTypeDef,
        MetricStatTypeDef,
    )

Series = dict[datetime, float]
# GetMetricData: "MetricDataQueries", at most 500.
_MOST_QUERIES = 500


def stat(
    namespace: str, metric: str, dimensions: Mapping[str, str], statistic: str, period: int
) -> "MetricStatTypeDef":
    """Return one query: a statistic of a metric by periods of so many seconds."""
    named: list[DimensionTypeDef] = [
        {"Name": name, "Value": value} for name, value in dimensions.items()
    ]
    return {
        "Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": named},
        "Period": period,
        "Stat": statistic,
    }


def metric_data(
    client: "CloudWatchClient",
    queries: "Mapping[str, MetricStatTypeDef]",
    begin: datetime,
    end: datetime,
) -> dict[str, Series]:
    """Return the values of each query by the beginning of their period.

    Names of queries begin with a small letter and have letters, digits and _. What
    CloudWatch did not tell is no zero: raises BoringError `metrics_incomplete` (503) or
    `metrics_forbidden` (403).
    """
    asked: list[MetricDataQueryTypeDef] = [
        {"Id": name, "MetricStat": query} for name, query in queries.items()
    ]
    found: dict[str, Series] = {name: {} for name in queries}
    # A page has a part of a query's data ("PartialData"): its last status counts.
    status: dict[str, str] = {}
    for first in range(0, len(asked), _MOST_QUERIES):
        pages = client.get_paginator("get_metric_data").paginate(
            MetricDataQueries=asked[first : first + _MOST_QUERIES],
            StartTime=begin,
            EndTime=end,
            ScanBy="TimestampAscending",
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                values = zip(result["Timestamps"], result["Values"], strict=True)
                found[result["Id"]].update(values)
                status[result["Id"]] = result["StatusCode"]
    for name in queries:
        if status.get(name) == "Forbidden":
            told = f"CloudWatch may not tell {name}: grant cloudwatch:GetMetricData."
            raise BoringError("metrics_forbidden", told, 403)
        if status.get(name) != "Complete":
            raise incomplete(f"{name} is {status.get(name, 'missing')}")
    return found


class MetricData:
    """Asks for statistics of periods of `period_seconds`: a multiple of 60 on AWS."""

    def __init__(self, client: "CloudWatchClient", period_seconds: int) -> None:
        self._client = client
        self._period = period_seconds

    def query(
        self, namespace: str, metric: str, dimensions: Mapping[str, str], statistic: str
    ) -> "MetricStatTypeDef":
        """Return what asks for a statistic of a metric, by the whole set of its dimensions."""
        return stat(namespace, metric, dimensions, statistic, self._period)

    def series(
        self, queries: "Mapping[str, MetricStatTypeDef]", begin: datetime, end: datetime
    ) -> dict[str, Series]:
        """Return and raise what `metric_data` does; `begin` and `end` are whole periods."""
        return metric_data(self._client, queries, begin, end)


def incomplete(what: str) -> BoringError:
    """Return the refusal of numbers that CloudWatch has only a part of."""
    told = f"CloudWatch has not all metrics now, {what}: ask again."
    return BoringError("metrics_incomplete", told, 503)
