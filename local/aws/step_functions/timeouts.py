"""Time limits of states and of whole executions.

AWS: TimeoutSeconds of a Task may be a JSONata expression, or TimeoutSecondsPath a path; the
TimeoutSeconds of the machine ends an execution as TIMED_OUT, with its event ("Task workflow
state", "State machine structure"). MiniStack 1.5.33 takes numbers only, and ignores the
machine's limit.

Seams: stepfunctions._execute_task, _run_execution, _emit_execution_status_event, _add_event.
"""

import contextvars
import json
import threading
from typing import Any

from ministack.core.responses import now_iso
from ministack.services import stepfunctions as sfn

from local.aws.seams import seam


def install() -> None:
    """Patch MiniStack; raise SeamMissingError where a seam is gone."""
    execute = seam(sfn, "_execute_task")
    run = seam(sfn, "_run_execution")
    seam(sfn, "_emit_execution_status_event")
    seam(sfn, "_add_event")

    def execute_task(
        state: dict[str, Any], raw_input: Any, execution: dict[str, Any], ctx: dict[str, Any]
    ) -> Any:
        return execute(_with_number(state, raw_input, ctx), raw_input, execution, ctx)

    def run_execution(execution_arn: str) -> Any:
        execution = sfn._executions.get(execution_arn)
        timer = _limit(execution) if execution else None
        try:
            return run(execution_arn)
        finally:
            if timer:
                timer.cancel()

    sfn._execute_task = execute_task
    sfn._run_execution = run_execution


def _with_number(state: dict[str, Any], raw_input: Any, ctx: dict[str, Any]) -> dict[str, Any]:
    """Return the state with its TimeoutSeconds as a number."""
    if "TimeoutSecondsPath" in state:
        value = sfn._resolve_path_or_ctx(state["TimeoutSecondsPath"], raw_input, ctx)
        return {**state, "TimeoutSeconds": value}
    if isinstance(state.get("TimeoutSeconds"), str):
        value = sfn._jsonata_state_field(state, "TimeoutSeconds", "number", raw_input, ctx)
        return {**state, "TimeoutSeconds": value}
    return state


def _limit(execution: dict[str, Any]) -> threading.Timer | None:
    """Start the clock of an execution whose machine has a TimeoutSeconds."""
    machine = sfn._state_machines.get(execution["stateMachineArn"]) or {}
    try:
        seconds = json.loads(machine.get("definition", "{}")).get("TimeoutSeconds")
    except json.JSONDecodeError:
        return None
    if not seconds:
        return None
    context = contextvars.copy_context()
    timer = threading.Timer(seconds, context.run, args=(_time_out, execution))
    timer.daemon = True
    timer.start()
    return timer


def _time_out(execution: dict[str, Any]) -> None:
    if execution["status"] != "RUNNING":
        return
    execution.update(status="TIMED_OUT", stopDate=now_iso(), error="States.Timeout", cause=None)
    details = {"executionTimedOutEventDetails": {"error": "States.Timeout"}}
    sfn._add_event(execution, "ExecutionTimedOut", details)
    sfn._emit_execution_status_event(execution)
