"""The prediction log: one JSON line per prediction, which is also its metrics (EMF)."""

import time
from collections.abc import Mapping
from typing import Any

import orjson

NAMESPACE = "BoringML"
_METRICS = [
    {"Name": "requests", "Unit": "Count"},
    {"Name": "failures", "Unit": "Count"},
    {"Name": "latency_ms", "Unit": "Milliseconds"},
]
_LOAD_METRICS = [{"Name": "model_load_failures", "Unit": "Count"}]


def request_line(fields: Mapping[str, Any], *, latency_ms: float, code: str | None) -> bytes:
    """Return the line of a request: `fields`, and the metrics requests, failures and latency.

    A refusal of the client's own making (4xx) is no failure; `code` tells it.
    """
    failed = code in ("internal_error", "model_not_released")
    return _line(
        {**fields, "code": code, "requests": 1, "failures": int(failed), "latency_ms": latency_ms},
        [["model", "model_version"]],
        _METRICS,
    )


def load_failure_line(fields: Mapping[str, Any]) -> bytes:
    """Return the line of a version that refuses to start, with the metric model_load_failures."""
    return _line({**fields, "level": "ERROR", "model_load_failures": 1}, [["model"]], _LOAD_METRICS)


def record_line(fields: Mapping[str, Any]) -> bytes:
    """Return a further line of a request with several records: log alone, no metrics."""
    return orjson.dumps({**_stamp(time.time()), **fields}) + b"\n"


def _line(fields: Mapping[str, Any], dimensions: Any, metrics: Any) -> bytes:
    now = time.time()
    directive = {"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": metrics}
    root = {"Timestamp": int(now * 1000), "CloudWatchMetrics": [directive]}
    return orjson.dumps({**_stamp(now), **fields, "_aws": root}) + b"\n"


def _stamp(now: float) -> dict[str, str]:
    # Without a level and an RFC 3339 time, a log-level filter may drop the line, metrics and all.
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
    return {"level": "INFO", "timestamp": f"{whole}.{int(now % 1 * 1000):03d}Z"}
