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

from boringml.serving.json_text import json_of, members_of

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
_BUCKETS = [f',"latency_bucket":"<={bound}"' for bound in LATENCY_BOUNDS]
_BUCKETS.append(f',"latency_bucket":">{LATENCY_BOUNDS[-1]}"')
# Digits of the milliseconds of a second.
_DIGITS = [f"{number:03d}" for number in range(1000)]
# Without a level and an RFC 3339 time, a log-level filter may drop a line with its metrics.
_CLOSE = "}\n"
_ANSWERED = 'null,"requests":1,"failures":0'
_INFO, _ERROR = (f'{{"level":"{level}","timestamp":"' for level in ("INFO", "ERROR"))


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
        told = f'Z",{members_of(constants)},"cold_start":'
        self._warm, self._cold = told + "false,", told + "true,"
        metrics = [*_METRICS, *({"Name": name, "Unit": unit} for name, unit in further.items())]
        self._end = _end(namespace, [(_DIMENSIONS, metrics)])
        self._start = start or ProcessStart()
        self._first_end = _first_end(namespace, metrics, self._start.load_ms)
        self._second = -1
        self._time = self._epoch = ""

    def lines(
        self,
        request: str,
        records: Sequence[str],
        *,
        code: str | None,
        failed: bool,
        latency_ms: float,
        counted: bool = True,
    ) -> str:
        """Return a line for each record, the first of which carries the metrics of the request.

        `request` are the fields that the records share, and a record is its own ones, both as
        members of a JSON object without its braces. `code` is that of a refusal; `failed` tells
        whether it was the service's fault. A request without records gets one line; one that is
        not `counted` leaves its lines and no metrics.
        """
        now = time.time()
        second = int(now)
        if second != self._second:
            self._second, self._epoch = second, str(second)
            self._time = _whole_seconds(second)
        digits = _DIGITS[int((now - second) * 1000)]
        constants, end = self._warm, self._end
        if not self._start.is_told:
            self._start.is_told = True
            constants, end = self._cold, self._first_end
        shared = f"{_ERROR if failed else _INFO}{self._time}.{digits}{constants}{request}"
        outcome = f'"{code}","requests":1,"failures":{failed:d}' if code else _ANSWERED
        first = (
            f'{shared},"record":0,"code":{outcome},"latency_ms":{latency_ms:.3f}'
            f"{_BUCKETS[bisect_left(LATENCY_BOUNDS, latency_ms)]}"
            f"{',' if records else ''}{records[0] if records else ''}"
            f"{f'{end[0]}{self._epoch}{digits}{end[1]}' if counted else _CLOSE}"
        )
        if len(records) < 2:
            return first
        further = [
            f'{shared},"record":{place},{record}{_CLOSE}'
            for place, record in enumerate(records)
            if place
        ]
        return first + "".join(further)


def load_failure_line(fields: Mapping[str, Any], namespace: str = NAMESPACE) -> str:
    """Return the line of a version that refuses to start, with the metric model_load_failures.

    `fields` has the dimension `model`.
    """
    now = time.time()
    before, after = _end(namespace, [([["model"]], _LOAD_METRICS)])
    told = members_of({**fields, "model_load_failures": 1})
    return f'{_ERROR}{_whole_seconds(int(now))}Z",{told}{before}{int(now * 1000)}{after}'


def _end(namespace: str, parts: Sequence[tuple[Any, Any]]) -> tuple[str, str]:
    """Return the end of a line: what is before and after the milliseconds since 1970.

    `parts` are dimension sets, with their metrics.
    """
    directives = [
        {"Namespace": namespace, "Dimensions": dimensions, "Metrics": metrics}
        for dimensions, metrics in parts
    ]
    return ',"_aws":{"Timestamp":', f',"CloudWatchMetrics":{json_of(directives)}}}}}\n'


def _first_end(namespace: str, metrics: Any, load_ms: float | None) -> tuple[str, str]:
    """Return the end of the first line of a process, with the metrics of its start."""
    values: dict[str, Any] = {"cold_starts": 1}
    told = [_COLD_STARTS]
    if load_ms is not None:
        values["model_load_ms"] = round(load_ms, 3)
        told.append(_MODEL_LOAD)
    parts = [(_DIMENSIONS, metrics), (_START_DIMENSIONS, told)]
    before, after = _end(namespace, parts)
    return f",{members_of(values)}{before}", after


def _whole_seconds(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
