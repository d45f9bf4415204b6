"""Series of CloudWatch's metrics, whole or not at all."""

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


class MetricData:
    """Asks for statistics of periods of `period_seconds`: a multiple of 60 on AWS."""

    def __init__(self, client: "CloudWatchClient", period_seconds: int) -> None:
        self._client = client
        self._period = period_seconds

    def query(
        self, namespace: str, metric: str, dimensions: Mapping[str, str], statistic: str
    ) -> "MetricStatTypeDef":
        """Return what asks for a statistic of a metric, by the whole set of its dimensions."""
        named: list[DimensionTypeDef] = [
            {"Name": name, "Value": value} for name, value in dimensions.items()
        ]
        return {
            "Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": named},
            "Period": self._period,
            "Stat": statistic,
        }

    def series(
        self, queries: "Mapping[str, MetricStatTypeDef]", begin: datetime, end: datetime
    ) -> dict[str, dict[datetime, float]]:
        """Return the values of each query by the beginning of their period.

        `begin` and `end` are whole periods. At most 500 queries, which GetMetricData takes. Raises
        BoringError `metrics_incomplete` (503) or `metrics_forbidden` (403).
        """
        asked: list[MetricDataQueryTypeDef] = [
            {"Id": name, "MetricStat": query} for name, query in queries.items()
        ]
        pages = self._client.get_paginator("get_metric_data").paginate(
            MetricDataQueries=asked, StartTime=begin, EndTime=end, ScanBy="TimestampAscending"
        )
        found: dict[str, dict[datetime, float]] = {name: {} for name in queries}
        # A page has a part of a query's data ("PartialData"): its last status counts.
        status: dict[str, str] = {}
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


def incomplete(what: str) -> BoringError:
    """Return the refusal of metrics that are not all there yet."""
    told = f"CloudWatch has not all metrics now, {what}: ask again."
    return BoringError("metrics_incomplete", told, 503)
