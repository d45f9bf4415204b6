"""Metrics of invocations.

AWS records Invocations, Errors, Duration and Throttles for every invocation, whoever invokes, by
FunctionName, by FunctionName and Resource (function:alias), and for an alias by ExecutedVersion
as well ("Types of metrics for Lambda functions"). A throttled request is no invocation.
MiniStack 1.5.33 records those of Invoke alone, not those of API Gateway, events or state machines,
by FunctionName alone, and counts a throttled one as an invocation.
Seams: lambda_svc._emit_lambda_metrics, _execute_function_dispatch, _acquire_execution_slot.
"""

import time
from typing import Any

from ministack.services import cloudwatch, lambda_svc

from local.aws.seams import seam

NAMESPACE = "AWS/Lambda"


def dimension_sets(config: dict[str, Any]) -> list[dict[str, str]]:
    """Return the dimension sets of one invocation, from the configuration that runs it."""
    name = config["FunctionName"]
    qualifier = config.get("FunctionArn", "").partition(f":function:{name}:")[2]
    resource = f"{name}:{qualifier}" if qualifier else name
    sets = [{}, {"FunctionName": name}, {"FunctionName": name, "Resource": resource}]
    version = config.get("Version", "$LATEST")
    if qualifier and qualifier != version:
        sets.append({"FunctionName": name, "Resource": resource, "ExecutedVersion": version})
    return sets


def record(config: dict[str, Any], values: dict[str, tuple[float, str]]) -> None:
    """Record values, as {metric: (value, unit)}, in every dimension set."""
    for dimensions in dimension_sets(config):
        for metric, (value, unit) in values.items():
            cloudwatch.record_metric(NAMESPACE, metric, value, unit, dimensions)


def install() -> None:
    """Record metrics where every invocation passes."""
    seam(lambda_svc, "_emit_lambda_metrics")
    dispatch = seam(lambda_svc, "_execute_function_dispatch")
    acquire = seam(lambda_svc, "_acquire_execution_slot")
    seam(cloudwatch, "record_metric")

    def measured_dispatch(
        func: dict[str, Any], config: dict[str, Any], event: Any, request_id: str, started: float
    ) -> Any:
        begin = time.perf_counter()
        result = dispatch(func, config, event, request_id, started)
        milliseconds = (time.perf_counter() - begin) * 1000
        failed = 1.0 if result.get("error") else 0.0
        record(
            config,
            {
                "Invocations": (1, "Count"),
                "Errors": (failed, "Count"),
                "Throttles": (0, "Count"),
                "Duration": (milliseconds, "Milliseconds"),
            },
        )
        return result

    def measured_acquire(func: dict[str, Any], config: dict[str, Any]) -> Any:
        slot, limit = acquire(func, config)
        if slot is None:
            record(config, {"Throttles": (1, "Count")})
        return slot, limit

    lambda_svc._emit_lambda_metrics = lambda *_args, **_options: None
    lambda_svc._execute_function_dispatch = measured_dispatch
    lambda_svc._acquire_execution_slot = measured_acquire
