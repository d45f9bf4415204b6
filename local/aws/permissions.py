"""Permissions of the services that call on somebody's behalf.

On AWS API Gateway and an event rule may invoke a function only where its resource policy allows it
for that API or rule, or with a role that may; a rule or schedule starts a state machine with its
role. A rule that may not counts a FailedInvocation and sends the event to the target's
dead-letter queue; API Gateway answers 500 (API_CONFIGURATION_ERROR).
MiniStack 1.5.33 checks none of it, so a forgotten permission shows on AWS only.
Seams: apigateway_v1._invoke_lambda_proxy_v1, _invoke_lambda_custom_v1; eventbridge._invoke_target.
"""

import json
import logging
from collections.abc import Callable
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import apigateway_v1 as gateway
from ministack.services import cloudwatch, eventbridge, iam, lambda_svc

from local.aws.seams import seam

logger = logging.getLogger("local.aws.permissions")

INVOKE = "lambda:InvokeFunction"
START = "states:StartExecution"


def request_of(action: str, resource: str, context: dict[str, str]) -> Any:
    """Return what a policy is asked."""
    return iam_evaluator.EvalContext(
        principal_arn="",
        principal_type="Service",
        principal_account=get_account_id(),
        action=action,
        resource_arn=resource,
        region=get_region(),
        service_context=context,
    )


def policy_allows(service: str, function_arn: str, source_arn: str) -> bool:
    """Return whether a function's resource policy lets a service invoke it for a source."""
    found = lambda_svc.function_policy_for_arn(function_arn)
    context = {"aws:sourcearn": source_arn, "aws:sourceaccount": get_account_id()}
    question = request_of(INVOKE, function_arn, context)
    return found is not None and (
        iam_evaluator.evaluate_resource_policy(found[0], question, service=service).decision
        == "Allow"
    )


def role_allows(service: str, role_arn: str, action: str, resource: str) -> bool:
    """Return whether a role trusts a service and allows it the action."""
    name = role_arn.rsplit("/", 1)[-1]
    role = iam._roles.get(name)
    if role is None:
        return False
    trust = role.get("AssumeRolePolicyDocument") or {}
    trust = json.loads(trust) if isinstance(trust, str) else trust
    services = {
        item
        for statement in trust.get("Statement", [])
        if statement.get("Effect") == "Allow"
        for item in _listed((statement.get("Principal") or {}).get("Service"))
    }
    policies = iam_evaluator._gather_role_policies(name, get_account_id())
    decision = iam_evaluator.evaluate(request_of(action, resource, {}), policies).decision
    return service in services and decision == "Allow"


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def install() -> None:
    """Ask for permission before API Gateway, a rule or a schedule calls."""
    for name in ("EvalContext", "evaluate_resource_policy", "evaluate", "_gather_role_policies"):
        seam(iam_evaluator, name)
    seam(lambda_svc, "function_policy_for_arn")
    seam(iam, "_roles")
    seam(eventbridge, "_pattern_event_view")
    for name in ("_invoke_lambda_proxy_v1", "_invoke_lambda_custom_v1"):
        setattr(gateway, name, _as_permitted(seam(gateway, name)))
    invoke_target = seam(eventbridge, "_invoke_target")

    def invoke_permitted_target(
        target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None
    ) -> None:
        if target_is_permitted(target, rule):
            invoke_target(target, event, rule, view)
        else:
            refuse_delivery(target, event, rule)

    eventbridge._invoke_target = invoke_permitted_target


def _as_permitted(invoke: Callable[..., Any]) -> Callable[..., Any]:
    async def invoke_permitted(
        integration: dict[str, Any],
        api_id: str,
        stage_name: str,
        stage: Any,
        resource: Any,
        path: str,
        method: str,
        *args: Any,
        **options: Any,
    ) -> Any:
        function = gateway._extract_lambda_ref_from_integration_uri(integration.get("uri", ""))
        source = f"arn:aws:execute-api:{get_region()}:{get_account_id()}:{api_id}"
        service = "apigateway.amazonaws.com"
        role = integration.get("credentials")
        if function.startswith("arn:") and not (
            role_allows(service, role, INVOKE, function)
            if role
            else policy_allows(service, function, f"{source}/{stage_name}/{method}{path}")
        ):
            logger.error("API %s has no permission to invoke %s", api_id, function)
            return gateway._GatewayError("API_CONFIGURATION_ERROR", "Internal server error")
        return await invoke(
            integration,
            api_id,
            stage_name,
            stage,
            resource,
            path,
            method,
            *args,
            **options,
        )

    return invoke_permitted


def target_is_permitted(target: dict[str, Any], rule: dict[str, Any]) -> bool:
    """Return whether a rule or schedule may call its target; other targets are not checked."""
    arn, role = target.get("Arn", ""), target.get("RoleArn") or rule.get("RoleArn", "")
    is_schedule = ":scheduler:" in rule.get("Arn", "")
    service = "scheduler.amazonaws.com" if is_schedule else "events.amazonaws.com"
    if ":states:" in arn:
        return role_allows(service, role, START, arn)
    if ":lambda:" in arn and is_schedule:
        return role_allows(service, role, INVOKE, arn)
    if ":lambda:" in arn:
        return policy_allows(service, arn, rule.get("Arn", ""))
    return True


def refuse_delivery(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any]) -> None:
    """Count a delivery without permission, and put the event into the target's queue."""
    logger.error("rule %s has no permission to call %s", rule.get("Name"), target.get("Arn"))
    dimensions = {"RuleName": str(rule.get("Name"))}
    cloudwatch.record_metric("AWS/Events", "FailedInvocations", 1, "Count", dimensions)
    queue = (target.get("DeadLetterConfig") or {}).get("Arn")
    if queue:
        view = eventbridge._pattern_event_view(event)
        letter = {"Id": "dead-letter", "Arn": queue}
        eventbridge._invoke_target(letter, event, rule, view)
