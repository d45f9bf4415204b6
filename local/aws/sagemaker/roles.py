"""Who may start a job, and whether SageMaker may take on its role.

AWS refuses CreateTrainingJob, or CreateModel, where the caller lacks iam:PassRole on the role (with
iam:PassedToService = sagemaker.amazonaws.com), sagemaker:AddTags for a request with tags, or
where the role does not trust SageMaker ("SageMaker API Permissions", SageMaker Developer Guide).
Only with AUTH=true, as everything that MiniStack enforces.
"""

import json
from typing import Any

from ministack import app
from ministack.core.iam_evaluator import AuthError, enforce
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam

from local.aws.sagemaker.errors import SageMakerError, invalid

SERVICE = "sagemaker.amazonaws.com"


def check_caller(access_key: str, request: dict[str, Any], arn: str) -> None:
    """Raise SageMakerError where the caller of a Create operation may not do what it implies.

    `arn` is that of what would be created.
    """
    if not app.AUTH:
        return
    needed: list[tuple[str, str, dict[str, str]]] = []
    if role := request.get("RoleArn") or request.get("ExecutionRoleArn"):
        needed.append(("iam:PassRole", role, {"iam:PassedToService": SERVICE}))
    if request.get("Tags"):
        needed.append(("sagemaker:AddTags", arn, {}))
    for action, resource, context in needed:
        denied = enforce(access_key, action, "iam", get_region(), resource, context)
        if denied:
            who = denied.message if isinstance(denied, AuthError) else denied.principal_arn
            raise SageMakerError(
                "AccessDeniedException",
                f"User: {who} is not authorized to perform: {action} on resource: {resource}",
            )


def check_trust(role_arn: str) -> None:
    """Raise SageMakerError where the role does not exist or does not trust SageMaker."""
    if not app.AUTH:
        return
    role = iam._roles.get_scoped(get_account_id(), None, role_arn.rsplit("/", 1)[-1])
    if role is None or not _trusts(role.get("AssumeRolePolicyDocument") or "{}"):
        raise invalid(
            f"Could not assume role {role_arn}. Please ensure that the role exists and allows "
            f"principal '{SERVICE}' to assume the role."
        )


def _trusts(document: str | dict[str, Any]) -> bool:
    policy = json.loads(document) if isinstance(document, str) else document
    statements = policy.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        services = (statement.get("Principal") or {}).get("Service", [])
        actions = statement.get("Action", [])
        if (
            statement.get("Effect") == "Allow"
            and SERVICE in ([services] if isinstance(services, str) else services)
            and "sts:AssumeRole" in ([actions] if isinstance(actions, str) else actions)
        ):
            return True
    return False
