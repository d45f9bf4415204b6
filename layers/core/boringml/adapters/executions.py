"""Executions of the state machines: is one still under way, stop it, start one."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from boringml.adapters.current_trace import current_trace
from boringml.registry.records import RECOVERY

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.client import SFNClient
    from mypy_boto3_stepfunctions.type_defs import StartExecutionInputTypeDef

# Step Functions forgets an execution 90 days after its end.
_GONE = "ExecutionDoesNotExist"
_KNOWN = "ExecutionAlreadyExists"


class Executions:
    """Standard executions, by their ARNs."""

    def __init__(self, client: "SFNClient") -> None:
        self._client = client

    def running(self, execution: str) -> bool:
        """Return whether an execution is under way. One that is forgotten is not.

        Nor is a recovery that has the lock of a model: it is no execution.
        """
        if execution.startswith(RECOVERY):
            return False
        try:
            return self._client.describe_execution(executionArn=execution)["status"] == "RUNNING"
        except ClientError as error:
            if error.response["Error"]["Code"] == _GONE:
                return False
            raise

    def stop(self, execution: str, error: str, cause: str) -> None:
        """Stop an execution; one that is over stays as it ended, and a recovery is none."""
        if execution.startswith(RECOVERY):
            return
        try:
            self._client.stop_execution(executionArn=execution, error=error, cause=cause)
        except ClientError as failure:
            if failure.response["Error"]["Code"] != _GONE:
                raise

    def start(self, machine: str, name: str, event: Mapping[str, Any]) -> str:
        """Start an execution and return its ARN.

        The same name starts it once: while it runs, and for 90 days after its end.
        """
        try:
            asked: StartExecutionInputTypeDef = {
                "stateMachineArn": machine,
                "name": name,
                "input": json.dumps(dict(event)),
            }
            if trace := current_trace():
                asked["traceHeader"] = trace
            started = self._client.start_execution(**asked)
        except ClientError as failure:
            if failure.response["Error"]["Code"] != _KNOWN:
                raise
            return f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
        return started["executionArn"]
