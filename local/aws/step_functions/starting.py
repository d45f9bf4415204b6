"""StartExecution: names, and the same request twice.

AWS refuses a name with other than its allowed characters or of more than 80 (InvalidName), and
answers a repeated request, same name and same input, with the execution that is still running
("StartExecution", Step Functions API reference). Executions of Express machines emit no events
("Step Functions execution status change"). MiniStack 1.5.33 takes any name, refuses every repeated
one, and emits for Express too.

Seams: stepfunctions._start_execution, _emit_execution_status_event, _resolve_state_machine_arn.
"""

import re
from typing import Any

from ministack.core.responses import (
    error_response_json,
    get_account_id,
    get_region,
    json_response,
)
from ministack.services import stepfunctions as sfn

from local.aws.seams import seam

# No spaces, brackets, wildcards, quotes, control characters and the like.
_NAME = re.compile(r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}")


def install() -> None:
    """Patch MiniStack; raise SeamMissingError where a seam is gone."""
    start = seam(sfn, "_start_execution")
    emit = seam(sfn, "_emit_execution_status_event")
    resolve = seam(sfn, "_resolve_state_machine_arn")

    def start_execution(data: dict[str, Any]) -> Any:
        name = data.get("name")
        if name is None:
            return start(data)
        if not _NAME.fullmatch(name):
            return error_response_json("InvalidName", f"Invalid Name: '{name}'", 400)
        machine = resolve(data.get("stateMachineArn", "").split("#")[0]) or ""
        running = sfn._executions.get(_execution_arn(machine, name))
        if (
            running
            and running["status"] == "RUNNING"
            and running["input"] == data.get("input", "{}")
        ):
            return json_response(
                {"executionArn": running["executionArn"], "startDate": running["startDate"]}
            )
        return start(data)

    def emit_event(execution: dict[str, Any]) -> None:
        machine = sfn._state_machines.get(execution["stateMachineArn"].split("/")[0]) or {}
        if machine.get("type") != "EXPRESS":
            emit(execution)

    sfn._start_execution = start_execution
    sfn._emit_execution_status_event = emit_event


def _execution_arn(machine: str, name: str) -> str:
    owner = machine.rpartition(":")[2]
    return f"arn:aws:states:{get_region()}:{get_account_id()}:execution:{owner}:{name}"
