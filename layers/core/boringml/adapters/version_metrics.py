"""What each function version did, from our own metrics and Lambda's, in CloudWatch."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from boringml.adapters.metric_data import incomplete, metric_data, stat
from boringml.release.canary import Tally

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.client import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricStatTypeDef

# A version that crashes or times out writes no line of its own: Lambda counts it.
_LAMBDA = "AWS/Lambda"
# What one log line brings comes together: where only one of them has a minute, it is on its way.
_TOGETHER = (("answered", "failures"), ("outcomes", "bad_outcomes"))


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
        handler. A request that Lambda failed counts as a request and as a failure; one that had
        written its line by then counts once more. `outcome` is the business event that is asked for
        as well, by model version, or None. Raises BoringError `metrics_incomplete` (503) or
        `metrics_forbidden` (403): what CloudWatch did not tell is no zero.
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
        series = metric_data(self._client, queries, begin, end)
        for one, other in _TOGETHER:
            if one in series and series[one].keys() != series[other].keys():
                raise incomplete(f"{one} and {other} are told of different minutes")
        found = {name: round(sum(values.values())) for name, values in series.items()}
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
        has no percentile over periods. None where there were no requests. Raises as `tally` does.
        """
        ours = {"model": self._model, "model_version": str(version)}
        ours["function_version"] = function_version
        found = metric_data(
            self._client,
            {
                "p95": self._query(self._namespace, "latency_ms", ours, "p95"),
                "count": self._query(self._namespace, "latency_ms", ours, "SampleCount"),
            },
            begin,
            end,
        )
        counts = {at: n for at, n in found["count"].items() if at in found["p95"]}
        requests = sum(counts.values())
        if not requests:
            return None
        return sum(found["p95"][at] * count for at, count in counts.items()) / requests

    def _query(
        self, namespace: str, metric: str, dimensions: Mapping[str, str], statistic: str
    ) -> "MetricStatTypeDef":
        return stat(namespace, metric, dimensions, statistic, self._period)
