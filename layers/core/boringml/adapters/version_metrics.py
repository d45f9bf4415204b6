"""What each function version did, from our own metrics and Lambda's, in CloudWatch."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from boringml.release.canary import Tally

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.client import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import (
        DimensionTypeDef,
        MetricDataQueryTypeDef,
        MetricStatTypeDef,
    )

# A version that crashes or times out writes no line of its own: Lambda counts it.
_LAMBDA = "AWS/Lambda"


class VersionMetrics:
    """Metrics of one model's serving function.

    `namespace` is the stack's own; `period_seconds` is 60 on AWS, where Lambda's metrics have no
    finer one.
    """

    def __init__(
        self,
        client: "CloudWatchClient",
        namespace: str,
        function: str,
        model: str,
        period_seconds: int,
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._function = function
        self._model = model
        self._period = period_seconds

    def tally(
        self,
        function_version: str,
        version: int,
        begin: datetime,
        end: datetime,
        slow_ms: float,
        outcome: str | None,
    ) -> Tally:
        """Return what live's requests to a version came to, from `begin` to before `end`.

        `begin` and `end` are whole periods. A request is slow above `slow_ms` milliseconds in the
        handler. A request that Lambda failed counts as a request and as a failure. `outcome` is
        the business event that is asked for as well, by model version, or None.
        """
        ours = {"model": self._model, "model_version": str(version)}
        ours["function_version"] = function_version
        alias = f"{self._function}:live"
        theirs = {
            "FunctionName": self._function,
            "Resource": alias,
            "ExecutedVersion": function_version,
        }
        queries = {
            "answered": self._query(self._namespace, "latency_ms", ours, "SampleCount"),
            "slow": self._query(self._namespace, "latency_ms", ours, f"TC({slow_ms:.3f}:)"),
            "failures": self._query(self._namespace, "failures", ours, "Sum"),
            "errors": self._query(_LAMBDA, "Errors", theirs, "Sum"),
        }
        if outcome is not None:
            by_model = {"model": self._model, "model_version": str(version), "outcome": outcome}
            for name in ("outcomes", "bad_outcomes"):
                queries[name] = self._query(self._namespace, name, by_model, "Sum")
        found = {
            name: round(sum(values)) for name, values in self._data(queries, begin, end).items()
        }
        return Tally(
            requests=found["answered"] + found["errors"],
            failures=found["failures"] + found["errors"],
            slow=found["slow"],
            outcomes=found.get("outcomes", 0),
            bad_outcomes=found.get("bad_outcomes", 0),
        )

    def p95_ms(
        self, function_version: str, version: int, begin: datetime, end: datetime
    ) -> float | None:
        """Return the 95th percentile of a version's latency, in milliseconds in the handler.

        It is the mean of those of all periods, each weighted by its requests, since CloudWatch
        has no percentile over periods. None where there were no requests.
        """
        ours = {"model": self._model, "model_version": str(version)}
        ours["function_version"] = function_version
        found = self._data(
            {
                "p95": self._query(self._namespace, "latency_ms", ours, "p95"),
                "count": self._query(self._namespace, "latency_ms", ours, "SampleCount"),
            },
            begin,
            end,
        )
        requests = sum(found["count"])
        if not requests or len(found["p95"]) != len(found["count"]):
            return None
        pairs = zip(found["p95"], found["count"], strict=True)
        return sum(p95 * count for p95, count in pairs) / requests

    def _query(
        self, namespace: str, metric: str, dimensions: Mapping[str, str], statistic: str
    ) -> "MetricStatTypeDef":
        named: list[DimensionTypeDef] = [
            {"Name": name, "Value": value} for name, value in dimensions.items()
        ]
        return {
            "Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": named},
            "Period": self._period,
            "Stat": statistic,
        }

    def _data(
        self, queries: "Mapping[str, MetricStatTypeDef]", begin: datetime, end: datetime
    ) -> dict[str, list[float]]:
        asked: list[MetricDataQueryTypeDef] = [
            {"Id": name, "MetricStat": query} for name, query in queries.items()
        ]
        pages = self._client.get_paginator("get_metric_data").paginate(
            MetricDataQueries=asked, StartTime=begin, EndTime=end, ScanBy="TimestampAscending"
        )
        found: dict[str, list[float]] = {name: [] for name in queries}
        for page in pages:
            for result in page["MetricDataResults"]:
                found[result["Id"]].extend(result["Values"])
        return found
