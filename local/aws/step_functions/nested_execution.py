"""The optimised integration states:startExecution.sync and .sync:2.

AWS starts a Standard execution, whose events go out like any other's, waits for it, and stops it
when the state times out or the parent ends; any end but SUCCEEDED is States.TaskFailed with
the description of the execution as JSON in Cause ("Start a new AWS Step Functions state machine
from a running execution"). MiniStack 1.5.33 runs the child as StartSyncExecution, which emits no
events and cannot be stopped, and passes the child's own error name on.

Seam: stepfunctions._invoke_nested_start_execution_sync.
"""

import json
import time
from datetime import datetime
from typing import Any

from ministack.services import stepfunctions as sfn

from local.aws.seams import seam
from local.aws.step_functions.replacing import replace
from local.aws.step_functions.running_task import current_task, ended

_POLL_SECONDS = 0.05
_TIMES = ("startDate", "stopDate")


def install() -> None:
    """Patch MiniStack; raise SeamMissingError where the seam is gone."""
    for name in ("_nested_start_execution_request", "_start_execution", "_stop_execution"):
        seam(sfn, name)
    replace(sfn, "_invoke_nested_start_execution_sync", _run)


def _run(resource: str, arguments: Any) -> dict[str, Any]:
    status, _, body = sfn._start_execution(sfn._nested_start_execution_request(arguments))
    answer = json.loads(body)
    if status >= 400:
        name = str(answer.get("__type", "")).removesuffix("Exception")
        raise sfn._ExecutionError(f"StepFunctions.{name}Exception", answer.get("message", ""))
    child = sfn._executions[answer["executionArn"]]
    task = current_task()
    while child["status"] == "RUNNING":
        if task is not None and task.given_up:
            sfn._stop_execution({"executionArn": child["executionArn"]})
            raise ended()
        time.sleep(_POLL_SECONDS)
    if child["status"] != "SUCCEEDED":
        raise sfn._ExecutionError("States.TaskFailed", json.dumps(_described(child)))
    result = _described(child)
    if resource.endswith(".sync:2"):
        result["Output"] = json.loads(result["Output"])
    return result


def _described(child: dict[str, Any]) -> dict[str, Any]:
    """DescribeExecution as an integration's result: PascalCase, epoch milliseconds."""
    described = json.loads(sfn._describe_execution({"executionArn": child["executionArn"]})[2])
    for name in _TIMES:
        moment = datetime.fromisoformat(described[name].replace("Z", "+00:00"))
        described[name] = int(moment.timestamp() * 1000)
    if child["status"] != "SUCCEEDED":
        described.pop("output", None)
    for name in ("inputDetails", "outputDetails"):
        described[name] = {"Included": True}
    return {name[0].upper() + name[1:]: value for name, value in described.items()}
