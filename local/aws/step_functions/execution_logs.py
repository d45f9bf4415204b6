"""The log of executions: LoggingConfiguration of a state machine.

AWS writes each event of an execution's history to the machine's log group, at level ALL, ERROR or
FATAL, with inputs and outputs only if IncludeExecutionData says so ("Logging in CloudWatch Logs",
Step Functions Developer Guide). MiniStack 1.5.33 keeps the configuration and writes nothing.

Seams: stepfunctions._add_event; cloudwatch_logs._create_log_stream and _put_log_events.
"""

import json
import time
from typing import Any

from ministack.services import cloudwatch_logs
from ministack.services import stepfunctions as sfn

from local.aws.seams import seam

_ERRORS = ("Failed", "TimedOut", "Aborted")
_DATA = ("input", "output")


def install() -> None:
    """Patch MiniStack; raise SeamMissingError where a seam is gone."""
    add = seam(sfn, "_add_event")
    seam(cloudwatch_logs, "_create_log_stream")
    seam(cloudwatch_logs, "_put_log_events")

    def add_and_log(execution: Any, kind: str, details: dict[str, Any] | None = None) -> Any:
        event = add(execution, kind, details)
        machine = sfn._state_machines.get(execution["stateMachineArn"].split("/")[0]) or {}
        config = configuration(machine.get("loggingConfiguration") or {})
        if execution["events"][0]["type"] == "ExecutionStarted" and len(execution["events"]) == 2:
            _write(execution, execution["events"][0], config)
        _write(execution, event, config)
        return event

    sfn._add_event = add_and_log


def configuration(given: dict[str, Any]) -> dict[str, Any]:
    """Return a LoggingConfiguration with the API's names; templates write them in PascalCase."""
    plain = {name[0].lower() + name[1:]: value for name, value in given.items()}
    groups = []
    for destination in plain.get("destinations", []):
        target = destination.get("cloudWatchLogsLogGroup") or destination.get(
            "CloudWatchLogsLogGroup", {}
        )
        groups.append(target.get("logGroupArn") or target.get("LogGroupArn", ""))
    included = str(plain.get("includeExecutionData", False)).lower() == "true"
    return {"level": plain.get("level", "OFF"), "groups": groups, "data": included}


def _write(execution: dict[str, Any], event: dict[str, Any], config: dict[str, Any]) -> None:
    if not _is_logged(event["type"], config["level"]):
        return
    details = {
        name: value
        for key, value in event.items()
        if key.endswith("EventDetails")
        for name, value in value.items()
        if config["data"] or name not in _DATA
    }
    now = int(time.time() * 1000)
    line = {
        "id": str(event["id"]),
        "type": event["type"],
        "details": details,
        "previous_event_id": str(event["id"] - 1),
        "event_timestamp": str(now),
        "execution_arn": execution["executionArn"],
    }
    machine = execution["stateMachineArn"].rpartition(":")[2].split("/")[0]
    stream = f"states/{machine}/{time.strftime('%Y-%m-%d')}/{execution['name'][:8]}"
    for arn in config["groups"]:
        where = {"logGroupName": arn.removesuffix(":*").split(":log-group:")[-1]}
        where["logStreamName"] = stream
        # Answers ResourceAlreadyExistsException where an earlier event made it.
        cloudwatch_logs._create_log_stream(where)
        entry = {"timestamp": now, "message": json.dumps(line)}
        cloudwatch_logs._put_log_events({**where, "logEvents": [entry]})


def _is_logged(kind: str, level: str) -> bool:
    if level == "ALL":
        return True
    failed = kind.endswith(_ERRORS)
    return failed and (level == "ERROR" or (level == "FATAL" and kind.startswith("Execution")))
