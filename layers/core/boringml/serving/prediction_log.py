"""The prediction log: one JSON line per prediction, which is also its metrics (EMF).

Joined from parts, what never changes, what is the request's, what is the record's, since it is on
the hot path: merging dictionaries and encoding all of them each time takes twice as long.
What a line holds is models/schemas/prediction_log.schema.json.
"""

import time
from bisect import bisect_left
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
# A start is of a process; further dimensions would only multiply what two metrics cost.
_START_DIMENSIONS = [["model"]]
_COLD_STARTS = {"Name": "cold_starts", "Unit": "Count"}
_MODEL_LOAD = {"Name": "model_load_ms", "Unit": "Milliseconds"}

# Milliseconds; a bucket holds what is above the one before, up to its own bound.
LATENCY_BOUNDS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000)
_BUCKETS = [b"<=%d" % bound for bound in LATENCY_BOUNDS] + [b">%d" % LATENCY_BOUNDS[-1]]


class ProcessStart:
    """The start of one process: the first of its lines tells of it, whoever writes that.

    `load_ms` is what loading the model took, None where there was none.
    """

    def __init__(self, load_ms: float | None = None) -> None:
        self.load_ms = load_ms
        self.is_told = False


def line_constants(
    name: str,
    version: int | None,
    contract_version: str | None,
    function_version: str,
    pattern: str,
    flags: str = "",
) -> dict[str, Any]:
    """Return what never changes in the lines of a function version.

    `version` is None before the first release. `flags` are words with commas between them.
    """
    return {
        "model": name,
        # A dimension of the metrics, so text.
        "model_version": str(version or 0),
        "contract_version": contract_version,
        "pattern": pattern,
        "function_version": function_version,
        "feature_flags": [word for flag in flags.split(",") if (word := flag.strip())],
    }


class PredictionLog:
    """Makes the lines of one function version, whose unchanging fields are `constants`.

    Among them are the dimensions of the metrics, `model`, `model_version` and
    `function_version`, as text. `namespace`
    is that of the metrics. `further` are metrics among the fields of each request, with units.
    Logs of one process share its `start`.
    """

    def __init__(
        self,
        constants: Mapping[str, Any],
        namespace: str = NAMESPACE,
        further: Mapping[str, str] = MappingProxyType({}),
        start: ProcessStart | None = None,
    ) -> None:
        told = b'",%b,"cold_start":' % orjson.dumps(constants)[1:-1]
        self._warm, self._cold = told + b"false,", told + b"true,"
        metrics = [*_METRICS, *({"Name": name, "Unit": unit} for name, unit in further.items())]
        self._directive = _directive(namespace, [(_DIMENSIONS, metrics)])
        self._start = start or ProcessStart()
        self._first_directive = _first_directive(namespace, metrics, self._start.load_ms)
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
        is_cold = not self._start.is_told
        self._start.is_told = True
        directive = self._first_directive if is_cold else self._directive
        # Without a level and an RFC 3339 time, a log-level filter may drop a line with its metrics.
        shared = b"".join(
            (
                b'{"level":"ERROR","timestamp":"' if failed else b'{"level":"INFO","timestamp":"',
                self._timestamp(now),
                self._cold if is_cold else self._warm,
                orjson.dumps(request)[1:-1],
            )
        )
        first = b"".join(
            (
                shared,
                b',"record":0,"code":%b,"requests":1,"failures":%d,"latency_ms":%.3f'
                % (orjson.dumps(code) if code else b"null", failed, latency_ms),
                b',"latency_bucket":"%b"' % _BUCKETS[bisect_left(LATENCY_BOUNDS, latency_ms)],
                _further(records[0]) if records else b"",
                directive % int(now * 1000) if counted else b"}\n",
            )
        )
        if len(records) < 2:
            return first
        return first + b"".join(
            [
                b'%b,"record":%d%b}\n' % (shared, place, _further(record))
                for place, record in enumerate(records[1:], 1)
            ]
        )

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
        _directive(namespace, [([["model"]], _LOAD_METRICS)]) % int(now * 1000),
    )
    return line.decode()


def _directive(namespace: str, parts: Sequence[tuple[Any, Any]]) -> bytes:
    """Return the end of a line, whose one gap is the milliseconds since 1970.

    `parts` are dimension sets, with their metrics.
    """
    directives = [
        {"Namespace": namespace, "Dimensions": dimensions, "Metrics": metrics}
        for dimensions, metrics in parts
    ]
    return b',"_aws":{"Timestamp":%%d,"CloudWatchMetrics":%b}}\n' % orjson.dumps(directives)


def _first_directive(namespace: str, metrics: Any, load_ms: float | None) -> bytes:
    """Return the end of the first line of a process, with the metrics of its start."""
    values: dict[str, Any] = {"cold_starts": 1}
    told = [_COLD_STARTS]
    if load_ms is not None:
        values["model_load_ms"] = round(load_ms, 3)
        told.append(_MODEL_LOAD)
    parts = [(_DIMENSIONS, metrics), (_START_DIMENSIONS, told)]
    return _further(values) + _directive(namespace, parts)


def _further(fields: Mapping[str, Any]) -> bytes:
    """Return one or more members, as they follow others in a JSON object."""
    return b"," + orjson.dumps(fields)[1:-1]


def _whole_seconds(second: int) -> bytes:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)).encode()
