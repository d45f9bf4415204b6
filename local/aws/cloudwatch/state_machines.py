"""Metrics of state machines.

AWS counts executions by how they end, and times them, by StateMachineArn ("Monitoring Step
Functions metrics"). Express executions are counted too.
MiniStack 1.5.33 records none.
Seam: stepfunctions._emit_execution_status_event.
"""

from datetime import datetime
from typing import Any

from ministack.services import cloudwatch, stepfunctions

from local.aws.seams import seam

NAMESPACE = "AWS/States"
METRICS = {
    "RUNNING": "ExecutionsStarted",
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}


def install() -> None:
    """Record a metric with every change of an execution's status."""
    emit = seam(stepfunctions, "_emit_execution_status_event")
    seam(cloudwatch, "record_metric")

    def emit_and_count(execution: dict[str, Any]) -> None:
        emit(execution)
        metric = METRICS[execution["status"]]
        machine = ":".join(execution["stateMachineArn"].split(":")[:7])
        dimensions = {"StateMachineArn": machine}
        cloudwatch.record_metric(NAMESPACE, metric, 1, "Count", dimensions)
        if execution.get("stopDate"):
            begin, end = (
                datetime.fromisoformat(str(execution[name]).replace("Z", "+00:00"))
                for name in ("startDate", "stopDate")
            )
            milliseconds = (end - begin).total_seconds() * 1000
            cloudwatch.record_metric(
                NAMESPACE, "ExecutionTime", milliseconds, "Milliseconds", dimensions
            )

    stepfunctions._emit_execution_status_event = emit_and_count
