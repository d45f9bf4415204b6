"""Which task of which execution a thread works for, and whether it should give up.

AWS ends the work of a task whose state timed out or whose execution was stopped: a `.sync`
integration stops its job ("Run a Job", Step Functions Developer Guide), and nothing further
starts. MiniStack 1.5.33 marks the execution and lets its threads run on, so that a Retry may
start a job of an execution that ended long ago, and its failure overwrites ABORTED.

Seams: stepfunctions._execute_task (who works), _invoke_resource and _invoke_with_callback (nothing
new starts), _invoke_resource_with_timeout (tells the work that it timed out), _error_matches and
_fail_execution (the end of an execution is neither caught nor overwritten).
"""

import contextvars
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ministack.services import stepfunctions as sfn

from local.aws.seams import seam
from local.aws.step_functions.replacing import replace

ENDED = "Local.ExecutionEnded"


@dataclass(frozen=True)
class RunningTask:
    """A task at work: its `execution` (MiniStack's record) and the machine's `role_arn`."""

    execution: dict[str, Any]
    role_arn: str
    timed_out: threading.Event = field(default_factory=threading.Event)

    @property
    def given_up(self) -> bool:
        """Whether nobody waits for the result any more."""
        return self.timed_out.is_set() or bool(self.execution["status"] != "RUNNING")


_current: contextvars.ContextVar[RunningTask | None] = contextvars.ContextVar(
    "running_task", default=None
)


def current_task() -> RunningTask | None:
    """Return the task that this thread works for; None outside an execution (TestState)."""
    return _current.get()


def ended() -> Exception:
    """Return the error that ends the work of a task that nobody waits for."""
    error: Exception = sfn._ExecutionError(ENDED, "The execution has ended.")
    return error


def install() -> None:
    """Patch MiniStack; raise SeamMissingError where a seam is gone."""
    execute = seam(sfn, "_execute_task")
    with_timeout = seam(sfn, "_invoke_resource_with_timeout")
    matches = seam(sfn, "_error_matches")
    fail = seam(sfn, "_fail_execution")

    def execute_task(
        state: dict[str, Any], raw_input: Any, execution: dict[str, Any], ctx: dict[str, Any]
    ) -> Any:
        machine = sfn._state_machines.get(_machine_arn(execution)) or {}
        token = _current.set(RunningTask(execution, machine.get("roleArn", "")))
        try:
            return execute(state, raw_input, execution, ctx)
        finally:
            _current.reset(token)

    def invoke_with_timeout(resource: str, arguments: Any, timeout: float) -> Any:
        task = _current.get()
        if task is None:
            return with_timeout(resource, arguments, timeout)
        attempt = RunningTask(task.execution, task.role_arn)
        token = _current.set(attempt)
        try:
            return with_timeout(resource, arguments, timeout)
        except sfn._ExecutionError as error:
            if error.error == "States.Timeout":
                attempt.timed_out.set()
            raise
        finally:
            _current.reset(token)

    def error_matches(error_equals: list[str], error: str) -> bool:
        return error != ENDED and bool(matches(error_equals, error))

    def fail_execution(execution: dict[str, Any], error: str, cause: str) -> None:
        if execution["status"] == "RUNNING":
            fail(execution, error, cause)

    sfn._execute_task = execute_task
    sfn._invoke_resource_with_timeout = invoke_with_timeout
    sfn._error_matches = error_matches
    sfn._fail_execution = fail_execution
    for name in ("_invoke_resource", "_invoke_with_callback"):
        replace(sfn, name, _unless_given_up(seam(sfn, name)))


def _unless_given_up(invoke: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(*args: Any) -> Any:
        task = _current.get()
        if task is not None and task.given_up:
            raise ended()
        return invoke(*args)

    return guarded


def _machine_arn(execution: dict[str, Any]) -> str:
    """The machine of an execution; a child of a Distributed Map has its own label behind it."""
    return str(execution["stateMachineArn"]).split("/")[0]
