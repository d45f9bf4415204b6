"""Requests, failures and latency of live, period by period, from our own metrics and Lambda's."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from boringml.adapters.metric_data import MetricData
from boringml.monitoring.page.document import Count, Point, Traffic, VersionTraffic
from boringml.monitoring.page.window import Pair, Window

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.client import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricStatTypeDef

# A crash writes no line, so Lambda counts it: it has no latency.
_OURS = {"answered": "SampleCount", "p50": "p50", "p95": "p95"}
_ENDED_BADLY = ("ExecutionsFailed", "ExecutionsTimedOut")


class TrafficMetrics:
    """Metrics of all models in the stack's `namespace`."""

    def __init__(self, client: "CloudWatchClient", namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    def traffic(
        self, model: str, function: str, pairs: Sequence[Pair], window: Window, kpi: str | None
    ) -> Traffic:
        """Return what live's requests to each pair came to.

        `kpi` is the business event that is asked for as well. Raises BoringError
        `metrics_incomplete` (503) or `metrics_forbidden` (403).
        """
        data = MetricData(self._client, window.period_seconds)
        queries: dict[str, MetricStatTypeDef] = {}
        for place, pair in enumerate(pairs):
            queries |= self._queries(data, place, model, function, pair, kpi)
        found = data.series(queries, window.begin, window.end) if queries else {}
        versions = tuple(_version(found, place, pair) for place, pair in enumerate(pairs))
        return Traffic(window.begin, window.end, window.period_seconds, versions)

    def failed_executions(
        self, machines: Mapping[str, str], begin: datetime, end: datetime
    ) -> tuple[Count, ...]:
        """Return how many executions of each machine, {name: ARN}, failed or ran out of time.

        `begin` and `end` are whole hours. Raises as `traffic` does.
        """
        data = MetricData(self._client, 3600)
        queries = {
            f"q{place}_{index}": data.query("AWS/States", metric, {"StateMachineArn": arn}, "Sum")
            for place, arn in enumerate(machines.values())
            for index, metric in enumerate(_ENDED_BADLY)
        }
        found = data.series(queries, begin, end)
        return tuple(
            Count(name, _sum(found, *(f"q{place}_{i}" for i in range(len(_ENDED_BADLY)))))
            for place, name in enumerate(machines)
        )

    def _queries(
        self,
        data: MetricData,
        place: int,
        model: str,
        function: str,
        pair: Pair,
        kpi: str | None,
    ) -> "dict[str, MetricStatTypeDef]":
        version, function_version = str(pair[0]), pair[1]
        ours = {"model": model, "model_version": version, "function_version": function_version}
        theirs = {
            "FunctionName": function,
            "Resource": f"{function}:live",
            "ExecutedVersion": function_version,
        }
        queries = {
            f"{name}_{place}": data.query(self._namespace, "latency_ms", ours, statistic)
            for name, statistic in _OURS.items()
        }
        queries[f"failures_{place}"] = data.query(self._namespace, "failures", ours, "Sum")
        queries[f"errors_{place}"] = data.query("AWS/Lambda", "Errors", theirs, "Sum")
        if kpi is not None:
            outcome = {"model": model, "model_version": version, "outcome": kpi}
            for name in ("outcomes", "bad_outcomes"):
                queries[f"{name}_{place}"] = data.query(self._namespace, name, outcome, "Sum")
        return queries


def _version(
    found: Mapping[str, Mapping[datetime, float]], place: int, pair: Pair
) -> VersionTraffic:
    answered, failures = found[f"answered_{place}"], found[f"failures_{place}"]
    errors = found[f"errors_{place}"]
    points = tuple(
        Point(
            at=at,
            requests=round(answered.get(at, 0) + errors.get(at, 0)),
            failures=round(failures.get(at, 0) + errors.get(at, 0)),
            p50_ms=found[f"p50_{place}"].get(at),
            p95_ms=found[f"p95_{place}"].get(at),
        )
        for at in sorted({*answered, *errors})
    )
    outcomes = (_sum(found, f"outcomes_{place}"), _sum(found, f"bad_outcomes_{place}"))
    return VersionTraffic(*pair, points, *outcomes)


def _sum(found: Mapping[str, Mapping[datetime, float]], *names: str) -> int:
    return round(sum(sum(found.get(name, {}).values()) for name in names))
