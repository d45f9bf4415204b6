"""What the platform itself says of an invocation, in the log of a function.

AWS writes a line per invocation of what it took and what is billed. Where the log format is JSON it
is an event of the type platform.report, whose billedDurationMs is the duration and the INIT of a
cold start together, rounded up ("Lambda Telemetry API Event schema reference"; INIT is billed
since 2025-08-01). The Duration of a cold start is without its INIT.
MiniStack 1.5.33 writes text whatever the format, and counts the start as duration.
Seams: lambda_svc._emit_lambda_logs, _execute_function_warm; lambda_runtime.Worker._spawn by way of
environment; cloudwatch_logs._append_log_events, _fanout_to_subscription_filters.
"""

import contextvars
import json
import math
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ministack.services import cloudwatch_logs, lambda_svc

from local.aws.functions.environment import PythonEnvironment
from local.aws.seams import seam

_SIZES = re.compile(r"Memory Size: (\d+) MB\tMax Memory Used: (\d+) MB")


@dataclass
class Times:
    """The milliseconds of the invocation on this thread: all of it, and what a start took."""

    all_ms: float = 0.0
    init_ms: float = 0.0


_times: contextvars.ContextVar[Times | None] = contextvars.ContextVar("times", default=None)
# While the log of a JSON function is written: what makes its lines of MiniStack's.
_rewrite: contextvars.ContextVar[Callable[[str], str | None] | None] = contextvars.ContextVar(
    "rewrite", default=None
)


def line_of(text: str, request_id: str, times: Times, failed: bool) -> str | None:
    """Return what AWS writes in place of a line of MiniStack's, None for nothing.

    The end of a successful run (platform.runtimeDone) is of the level DEBUG, which is not written.
    """
    if text == f"END RequestId: {request_id}":
        return None
    if text.startswith(f"START RequestId: {request_id} Version: "):
        version = text.rpartition("Version: ")[2]
        return _event("platform.start", {"requestId": request_id, "version": version})
    if not text.startswith(f"REPORT RequestId: {request_id}\t"):
        return text
    sizes = _SIZES.search(text)
    duration_ms = max(times.all_ms - times.init_ms, 0.001)
    metrics: dict[str, Any] = {
        "durationMs": round(duration_ms, 3),
        "billedDurationMs": math.ceil(duration_ms + times.init_ms),
        "memorySizeMB": int(sizes[1]) if sizes else 128,
        "maxMemoryUsedMB": int(sizes[2]) if sizes else 0,
    }
    if times.init_ms:
        metrics["initDurationMs"] = round(times.init_ms, 3)
    status = "error" if failed else "success"
    return _event(
        "platform.report", {"requestId": request_id, "metrics": metrics, "status": status}
    )


def _event(kind: str, record: dict[str, Any]) -> str:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"time": now, "type": kind, "record": record})


def rewritten(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return log events as the format of the function that is being logged wants them."""
    rewrite = _rewrite.get()
    if rewrite is None:
        return list(events)
    lines = [(event, rewrite(event["message"])) for event in events]
    return [{**event, "message": line} for event, line in lines if line is not None]


def install() -> None:
    """Measure starts apart, and write the platform's lines in the function's format."""
    emit = seam(lambda_svc, "_emit_lambda_logs")
    execute = seam(lambda_svc, "_execute_function_warm")
    spawn = seam(PythonEnvironment, "_spawn")
    append = seam(cloudwatch_logs, "_append_log_events")
    fan_out = seam(cloudwatch_logs, "_fanout_to_subscription_filters")

    def spawn_measured(self: PythonEnvironment) -> None:
        begin = time.perf_counter()
        try:
            spawn(self)
        finally:
            if (times := _times.get()) is not None:
                times.init_ms += (time.perf_counter() - begin) * 1000

    def execute_measured(func: dict[str, Any], event: Any, request_id: str) -> Any:
        times = Times()
        _times.set(times)
        begin = time.perf_counter()
        try:
            return execute(func, event, request_id)
        finally:
            times.all_ms = (time.perf_counter() - begin) * 1000

    def emit_in_format(
        func: dict[str, Any],
        request_id: str,
        log_text: str,
        error: bool,
        duration_ms: int,
        **options: Any,
    ) -> None:
        config = func.get("config") or func
        times = _times.get()
        if (config.get("LoggingConfig") or {}).get("LogFormat") != "JSON" or times is None:
            emit(func, request_id, log_text, error, duration_ms, **options)
            return
        token = _rewrite.set(lambda text: line_of(text, request_id, times, error))
        try:
            emit(func, request_id, log_text, error, duration_ms, **options)
        finally:
            _rewrite.reset(token)

    def append_rewritten(stream: dict[str, Any], events: list[dict[str, Any]]) -> None:
        append(stream, rewritten(events))

    def fan_out_rewritten(group: str, stream: str, events: list[dict[str, Any]]) -> None:
        fan_out(group, stream, rewritten(events))

    PythonEnvironment._spawn = spawn_measured  # type: ignore[method-assign]
    lambda_svc._execute_function_warm = execute_measured
    lambda_svc._emit_lambda_logs = emit_in_format
    cloudwatch_logs._append_log_events = append_rewritten
    cloudwatch_logs._fanout_to_subscription_filters = fan_out_rewritten
