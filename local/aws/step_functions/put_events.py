"""The optimised integration events:putEvents.

AWS adds the execution and its state machine to the Resources of each entry, takes a JSON object
for Detail, and fails the task with EventBridge.FailedEntry where an entry failed ("Add
EventBridge events with Step Functions"). MiniStack 1.5.33 adds nothing, hands an object on as it
is, and answers failed entries as a success.

Seam: stepfunctions._SERVICE_DISPATCH["arn:aws:states:::events:putEvents"].
"""

import json
from typing import Any

from ministack.services import stepfunctions as sfn

from local.aws.seams import seam
from local.aws.step_functions.running_task import current_task

_PUT_EVENTS = "arn:aws:states:::events:putEvents"


def install() -> None:
    """Patch MiniStack; raise SeamMissingError where the seam is gone."""
    dispatch = seam(sfn, "_SERVICE_DISPATCH")
    put = seam(dispatch, _PUT_EVENTS)

    def put_events(resource: str, arguments: Any) -> Any:
        entries = [_complete(entry) for entry in arguments.get("Entries", [])]
        result = put(resource, {**arguments, "Entries": entries})
        if result.get("FailedEntryCount"):
            raise sfn._ExecutionError("EventBridge.FailedEntry", json.dumps(result))
        return result

    dispatch[_PUT_EVENTS] = put_events


def _complete(entry: dict[str, Any]) -> dict[str, Any]:
    entry = dict(entry)
    if not isinstance(entry.get("Detail", ""), str):
        entry["Detail"] = json.dumps(entry["Detail"])
    task = current_task()
    if task is not None:
        origin = [task.execution["executionArn"], task.execution["stateMachineArn"]]
        entry["Resources"] = [*entry.get("Resources", []), *origin]
    return entry
