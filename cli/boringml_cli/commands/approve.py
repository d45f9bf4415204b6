"""`boringml approve MODEL`."""

import json
from typing import Annotated

import typer
from botocore.exceptions import ClientError

from boringml.errors import BoringError
from boringml.registry import refusals
from boringml.registry.records import Approval
from boringml_cli.arguments import Model, Why
from boringml_cli.session import Session, session_of

# Step Functions' words for a token that was answered, or whose execution is over.
_OVER = {"InvalidToken", "TaskDoesNotExist", "TaskTimedOut"}


def approve(
    context: typer.Context,
    model: Model,
    reject: Annotated[
        bool, typer.Option("--reject", help="Refuse it: the candidate is taken back.")
    ] = False,
    why: Why = "decided by hand",
) -> None:
    """Let the release of a model that waits for a person go on, or refuse it."""
    session = session_of(context)
    approval = session.registry.approval(session.known(model))
    if approval is None:
        raise refusals.approval_not_pending(model)
    outcome = "rejected" if reject else "approved"
    if not session.executions.running(approval.release):
        _forget(session, approval)
        raise refusals.approval_not_pending(model)
    # First what is meant: nothing goes on that nobody answers for. Then what came of it: of several
    # who answer, one is heard.
    _record(session, approval, "rejecting" if reject else "approving", why)
    _answer(session, approval, approved=not reject, why=why)
    _record(session, approval, outcome, why)
    _forget(session, approval)
    session.output.say(f"version {approval.version} of {model}: {outcome} by {session.caller}")
    session.output.show(
        {
            "model": model,
            "version": approval.version,
            "release": approval.release,
            "outcome": outcome,
            "by": session.caller,
            "why": why,
        }
    )


def _record(session: Session, approval: Approval, outcome: str, why: str) -> None:
    session.registry.record_step(
        approval.model,
        step="approval",
        outcome=outcome,
        version=approval.version,
        by=session.caller,
        why=why,
        details={"release": approval.release},
    )


def _answer(session: Session, approval: Approval, *, approved: bool, why: str) -> None:
    """Answer the task that waits: of several answers, Step Functions takes the first."""
    states = session.client("stepfunctions")
    try:
        if approved:
            output = {"approved": True, "by": session.caller, "why": why}
            states.send_task_success(taskToken=approval.token, output=json.dumps(output))
        else:
            # As a step of the release refuses: boringml.steps.reason_of reads it.
            said = f"approval_refused: {session.caller}: {why}"
            cause = {"errorType": "Refused", "errorMessage": said}
            states.send_task_failure(
                taskToken=approval.token, error="Refused", cause=json.dumps(cause)
            )
    except ClientError as error:
        if error.response["Error"]["Code"] not in _OVER:
            raise
        _forget(session, approval)
        raise refusals.approval_not_pending(approval.model) from error


def _forget(session: Session, approval: Approval) -> None:
    """Take the approval out of the registry, where nobody else has done so by now."""
    try:
        session.registry.take_approval(approval)
    except BoringError as error:
        if error.code != "approval_not_pending":
            raise
