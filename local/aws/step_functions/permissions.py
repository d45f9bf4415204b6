"""Whether a role may do something, judged by MiniStack's own policy evaluator.

MiniStack enforces policies on requests only. A state machine's tasks are calls inside the server,
so they are judged here with the same parts: the role's policies and boundary, and the
resource's policy where its service keeps one.
"""

from dataclasses import dataclass, field
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region


@dataclass(frozen=True)
class Need:
    """One thing a role must be allowed: `action` on the ARN `resource`, with condition keys."""

    action: str
    resource: str
    context: dict[str, Any] = field(default_factory=dict)


class DeniedError(Exception):
    """The role may not; the text is IAM's."""


def check(role_arn: str, session: str, need: Need) -> None:
    """Raise DeniedError where the role, in a session of that name, lacks what is needed."""
    account = get_account_id()
    role = role_arn.rsplit("/", 1)[-1]
    arn = f"arn:aws:sts::{account}:assumed-role/{role}/{session}"
    credential = iam_evaluator.ResolvedCredential(
        access_key_id="",
        secret_access_key="",
        account_id=account,
        principal_arn=arn,
        principal_id=f"{role}:{session}",
        principal_type="AssumedRole",
    )
    principal = iam_evaluator.resolve_principal("", account, credential)
    if isinstance(principal, iam_evaluator.AuthError):
        raise DeniedError(principal.message)
    context = iam_evaluator.EvalContext(
        principal_arn=arn,
        principal_type=principal.type,
        principal_account=principal.account,
        action=need.action,
        resource_arn=need.resource,
        region=get_region(),
        secure_transport=True,
        service_context={key.lower(): value for key, value in need.context.items()},
        principal_keys=principal.keys,
    )
    result = iam_evaluator.evaluate(context, principal.policies or [], *principal.limits)
    service = need.action.partition(":")[0]
    policy = iam_evaluator._resource_policy(service, need.resource)
    if policy is not None:
        result = iam_evaluator.combine_resource_policy(
            result, context, *policy, limits=principal.limits
        )
    if result.decision != "Allow":
        raise DeniedError(
            f"User: {arn} is not authorized to perform: {need.action} on resource: "
            f"{need.resource}" + (" with an explicit deny" if result.decision == "Deny" else "")
        )
