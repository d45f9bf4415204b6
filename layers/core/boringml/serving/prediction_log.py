"""The prediction log: one JSON line per prediction, which is also its metrics (EMF).

Joined from parts, what never changes, what is the request's, what is the record's, since it is on
the hot path: merging dictionaries and encoding all of them each time takes twice as long.
"""

import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import orjson

# Of one stack among others, see the setting METRICS_NAMESPACE.
NAMESPACE = "BoringML"
_METRICS = [
    {"Name": "requests", "Unit": "Count"},
    {"Name": "failures", "Unit": "Count"},
    {"Name": "latency_ms", "Unit": "Milliseconds"},
]
# An alarm is on the model; the judge compares function versions, each of which is (code, model).
_DIMENSIONS = [["model"], ["model", "model_version", "function_version"]]
_LOAD_METRICS = [{"Name": "model_load_failures", "Unit": "Count"}]


class PredictionLog:
    """Makes the lines of one function version, whose unchanging fields are `constants`.

    Among them are the dimensions of the metrics, `model`, `model_version` and
    `function_version`, as text. `namespace`
    is that of the metrics. `further` are metrics among the fields of each request, with units.
    """

    def __init__(
        self,
        constants: Mapping[str, Any],
        namespace: str = NAMESPACE,
        further: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._constants = b'",%b,' % orjson.dumps(constants)[1:-1]
        metrics = [*_METRICS, *({"Name": name, "Unit": unit} for name, unit in further.items())]
        self._directive = _directive(namespace, _DIMENSIONS, metrics)
        self._second = -1
        self._second_text = b""

    def lines(
        self,
        request: Mapping[str, Any],
        records: Sequence[Mapping[str, Any]],
        *,
        code: str | None,
        failed: bool,
        latency_ms: float,
        counted: bool = True,
    ) -> bytes:
        """Return a line for each record, the first of which carries the metrics of the request.

        `request` are the fields that the records share. `code` is that of a refusal; `failed`
        tells whether it was the service's fault. A request without records gets one line; one that
        is not `counted` leaves its lines and no metrics.
        """
        now = time.time()
        # Without a level and an RFC 3339 time, a log-level filter may drop a line with its metrics.
        shared = b"".join(
            (
                b'{"level":"ERROR","timestamp":"' if failed else b'{"level":"INFO","timestamp":"',
                self._timestamp(now),
                self._constants,
                orjson.dumps(request)[1:-1],
            )
        )
        first = b"".join(
            (
                shared,
                b',"code":%b,"requests":1,"failures":%d,"latency_ms":%.3f'
                % (orjson.dumps(code), failed, latency_ms),
                _further(records[0]) if records else b"",
                self._directive % int(now * 1000) if counted else b"}\n",
            )
        )
        if len(records) < 2:
            return first
        return first + b"".join([b"%b%b}\n" % (shared, _further(r)) for r in records[1:]])

    def _timestamp(self, now: float) -> bytes:
        second = int(now)
        if second != self._second:
            self._second = second
            self._second_text = _whole_seconds(second)
        return b"%b.%03dZ" % (self._second_text, int((now - second) * 1000))


def load_failure_line(fields: Mapping[str, Any], namespace: str = NAMESPACE) -> str:
    """Return the line of a version that refuses to start, with the metric model_load_failures.

    `fields` has the dimension `model`.
    """
    now = time.time()
    line = b'{"level":"ERROR","timestamp":"%bZ"%b%b' % (
        _whole_seconds(int(now)),
        _further({**fields, "model_load_failures": 1}),
        _directive(namespace, [["model"]], _LOAD_METRICS) % int(now * 1000),
    )
    return line.decode()


def _directive(namespace: str, dimensions: Any, metrics: Any) -> bytes:
    """Return the end of a line, whose one gap is the milliseconds since 1970."""
    directive = {"Namespace": namespace, "Dimensions": dimensions, "Metrics": metrics}
    return b',"_aws":{"Timestamp":%%d,"CloudWatchMetrics":[%b]}}\n' % orjson.dumps(directive)


def _further(fields: Mapping[str, Any]) -> bytes:
    """Return one or more members, as they follow others in a JSON object."""
    return b"," + orjson.dumps(fields)[1:-1]


def _whole_seconds(second: int) -> bytes:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)).encode()
