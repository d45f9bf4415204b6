"""The largest payload between states: 256 KiB of UTF-8 JSON.

AWS fails a task or state with States.DataLimitExceeded beyond it, and StartExecution with
InvalidExecutionInput ("Service quotas", Step Functions Developer Guide). MiniStack 1.5.33 has no
limit, so a state machine that carries data instead of its S3 key works here and fails there.

Seams: stepfunctions._add_event (every result and output passes it), _start_execution.
"""

from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import stepfunctions as sfn

from local.aws.seams import seam

MAX_BYTES = 256 * 1024


def install() -> None:
    """Patch MiniStack; raise SeamMissingError where a seam is gone."""
    add_event = seam(sfn, "_add_event")
    start = seam(sfn, "_start_execution")

    def add_checked_event(execution: Any, kind: str, details: dict[str, Any] | None = None) -> Any:
        if kind == "TaskSucceeded" or kind.endswith("StateExited"):
            for detail in (details or {}).values():
                if len(str(detail.get("output", "")).encode()) > MAX_BYTES:
                    what = detail.get("name") or detail.get("resource")
                    raise sfn._ExecutionError(
                        "States.DataLimitExceeded",
                        f"The state/task '{what}' returned a result with a size exceeding the "
                        "maximum number of bytes service limit.",
                    )
        return add_event(execution, kind, details)

    def start_execution(data: dict[str, Any]) -> Any:
        if len(str(data.get("input", "")).encode()) > MAX_BYTES:
            return error_response_json(
                "InvalidExecutionInput", f"Input exceeds the {MAX_BYTES} bytes limit.", 400
            )
        return start(data)

    sfn._add_event = add_checked_event
    sfn._start_execution = start_execution
