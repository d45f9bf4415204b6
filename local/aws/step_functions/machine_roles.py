"""What AWS asks of a state machine's role before there is an execution.

CreateStateMachine and UpdateStateMachine refuse a role that does not trust Step Functions; one
that may not make the managed EventBridge rule that tells the end of the definition's `.sync` tasks
("... is not authorized to create managed-rule"); and one that may not deliver logs where the
machine logs ("Logging in CloudWatch Logs" lists the rights). So a stack fails there on deployment.
MiniStack 1.5.33 checks only that the role exists. With AUTH=true only.

Seams: stepfunctions._create_state_machine and _update_state_machine; CloudFormation's handler of
AWS::StepFunctions::StateMachine.
"""

import json
from collections.abc import Callable
from typing import Any

from ministack import app
from ministack.core.responses import error_response_json, get_account_id, get_region
from ministack.services import iam
from ministack.services import stepfunctions as sfn
from ministack.services.cloudformation import provisioners

from local.aws.seams import seam
from local.aws.step_functions.execution_logs import configuration
from local.aws.step_functions.permissions import DeniedError, Need, check
from local.aws.step_functions.replacing import replace

_TYPE = "AWS::StepFunctions::StateMachine"
_RULE_ACTIONS = ("events:PutTargets", "events:PutRule", "events:DescribeRule")
_LOG_ACTIONS = (
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
)
_RULES = {
    "arn:aws:states:::sagemaker:createTrainingJob.sync": (
        "StepFunctionsGetEventsForSageMakerTrainingJobsRule"
    ),
    "arn:aws:states:::sagemaker:createTransformJob.sync": (
        "StepFunctionsGetEventsForSageMakerTransformJobsRule"
    ),
    "arn:aws:states:::states:startExecution.sync": (
        "StepFunctionsGetEventsForStepFunctionsExecutionRule"
    ),
}


def install() -> None:
    """Patch MiniStack where it enforces IAM at all; raise SeamMissingError where a seam is gone."""
    if not app.AUTH:
        return
    for name in ("_create_state_machine", "_update_state_machine"):
        replace(sfn, name, _checked_call(seam(sfn, name)))
    handlers = seam(seam(provisioners, "_RESOURCE_HANDLERS"), _TYPE)
    create = seam(handlers, "create")

    def create_checked(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        definition = provisioners._sfn_definition(properties)
        logging = properties.get("LoggingConfiguration") or {}
        refusal = refused(properties.get("RoleArn", ""), definition, logging)
        if refusal:
            raise ValueError(refusal)
        return create(logical_id, properties, stack)

    # The update handler goes through UpdateStateMachine.
    handlers["create"] = create_checked


def refused(role_arn: str, definition: str, logging: dict[str, Any]) -> str | None:
    """Return AWS's refusal of a machine with this role, definition and logging, or None."""
    role = iam._roles.get_scoped(get_account_id(), None, role_arn.rsplit("/", 1)[-1])
    if role is None:
        return None  # MiniStack's own check answers
    if not _trusts(role.get("AssumeRolePolicyDocument") or "{}"):
        return (
            "Neither the global service principal states.amazonaws.com, nor the regional one is "
            f"authorized to assume the provided role {role_arn}."
        )
    for resource, rule in _RULES.items():
        if resource in definition:
            arn = f"arn:aws:events:{get_region()}:{get_account_id()}:rule/{rule}"
            denied = _lacks(role_arn, arn, _RULE_ACTIONS)
            if denied:
                return f"'{role_arn}' is not authorized to create managed-rule: {denied}"
    if configuration(logging)["level"] != "OFF":
        denied = _lacks(role_arn, "*", _LOG_ACTIONS)
        if denied:
            return (
                "The state machine IAM Role is not authorized to access the Log Destination: "
                f"{denied}"
            )
    return None


def _lacks(role_arn: str, resource: str, actions: tuple[str, ...]) -> str | None:
    """Return what IAM says where the role lacks one of the actions, or None."""
    for action in actions:
        try:
            check(role_arn, "StepFunctions", Need(action, resource))
        except DeniedError as denied:
            return str(denied)
    return None


def _checked_call(call: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    def checked(data: dict[str, Any]) -> Any:
        known = sfn._state_machines.get(data.get("stateMachineArn")) or {}
        role = data.get("roleArn") or known.get("roleArn", "")
        definition = data.get("definition") or known.get("definition", "")
        logging = data.get("loggingConfiguration") or known.get("loggingConfiguration") or {}
        refusal = refused(role, definition, logging)
        if refusal:
            return error_response_json("AccessDeniedException", refusal, 400)
        return call(data)

    return checked


def _trusts(document: str | dict[str, Any]) -> bool:
    policy = json.loads(document) if isinstance(document, str) else document
    statements = policy.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        named = (statement.get("Principal") or {}).get("Service", [])
        services = [named] if isinstance(named, str) else named
        if statement.get("Effect") == "Allow" and any(
            service == "states.amazonaws.com" or service.startswith("states.")
            for service in services
        ):
            return True
    return False
