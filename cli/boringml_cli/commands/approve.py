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
    why: Why = "",
) -> None:
    """Let the release of a model that waits for a person go on, or refuse it."""
    session = session_of(context)
    approval = session.registry.approval(session.known(model))
    if approval is None:
        raise refusals.approval_not_pending(model)
    _answer(session, approval, approved=not reject, why=why)
    _forget(session, approval)
    outcome = "rejected" if reject else "approved"
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


def _answer(session: Session, approval: Approval, *, approved: bool, why: str) -> None:
    """Answer the task that waits: of several answers, Step Functions takes the first."""
    states, said = session.client("stepfunctions"), f"{why or 'no reason given'}"
    try:
        if approved:
            answer = {"approved": True, "by": session.caller, "why": said}
            states.send_task_success(taskToken=approval.token, output=json.dumps(answer))
        else:
            states.send_task_failure(
                taskToken=approval.token,
                error="ApprovalRefused",
                cause=f"approval_refused: {session.caller} refused it: {said}",
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
