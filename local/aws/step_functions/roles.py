"""A state machine acts with its role, and with no more.

AWS checks every task's call against the execution role. MiniStack 1.5.33 makes the calls inside
the server without a check, even with AUTH=true. The denial has the name that the integration
gives to an AccessDeniedException, which none of the services models.

Seams: stepfunctions._invoke_resource and _invoke_with_callback (optimised integrations),
_invoke_aws_sdk_integration with app.call_service_handler_sync (aws-sdk ones, judged on the very
request that MiniStack makes), iam_actions.extract_iam_action and extract_resource_arn.
"""

import contextvars
import hashlib
from collections.abc import Callable
from typing import Any

from ministack import app
from ministack.core import iam_actions
from ministack.core.responses import get_account_id, get_region
from ministack.services import stepfunctions as sfn

from local.aws.seams import seam
from local.aws.step_functions.error_names import sdk_error_name
from local.aws.step_functions.needs import needs_of
from local.aws.step_functions.permissions import DeniedError, Need, check
from local.aws.step_functions.replacing import replace
from local.aws.step_functions.running_task import current_task

_DENIED = {
    "lambda": "Lambda.AWSLambdaException",
    "sqs": "SQS.AmazonSQSException",
    "sns": "SNS.AmazonSNSException",
    "events": "EventBridge.AmazonEventBridgeException",
    "dynamodb": "DynamoDB.AmazonDynamoDBException",
    "states": "StepFunctions.AWSStepFunctionsException",
    "sagemaker": "SageMaker.AmazonSageMakerException",
    "iam": "SageMaker.AmazonSageMakerException",
}
# The aws-sdk service whose integration this thread is in.
_sdk_service: contextvars.ContextVar[str | None] = contextvars.ContextVar(
    "sdk_service", default=None
)


def install() -> None:
    """Patch MiniStack where it enforces IAM at all; raise SeamMissingError where a seam is gone."""
    if not app.AUTH:
        return
    for name in ("_invoke_resource", "_invoke_with_callback"):
        replace(sfn, name, _checked(seam(sfn, name)))
    integration = seam(sfn, "_invoke_aws_sdk_integration")
    call = seam(app, "call_service_handler_sync")

    def invoke_aws_sdk(resource: str, arguments: Any) -> Any:
        token = _sdk_service.set(resource.split(":")[6].lower())
        try:
            return integration(resource, arguments)
        finally:
            _sdk_service.reset(token)

    def call_handler(
        handler: Any, method: str, path: str, headers: Any, body: Any, query: Any, *rest: Any
    ) -> Any:
        service = _sdk_service.get()
        if service is None or current_task() is None:
            return call(handler, method, path, headers, body, query, *rest)
        token = _sdk_service.set(None)  # what the service itself calls has its own rights
        try:
            _check_request(service, handler, method, path, headers, body, query)
            return call(handler, method, path, headers, body, query, *rest)
        finally:
            _sdk_service.reset(token)

    sfn._invoke_aws_sdk_integration = invoke_aws_sdk
    app.call_service_handler_sync = call_handler


def _checked(invoke: Callable[..., Any]) -> Callable[..., Any]:
    def checked(resource: str, arguments: Any, *rest: Any) -> Any:
        task = current_task()
        if task is not None:
            needs = needs_of(resource, arguments)
            if needs is None:
                raise sfn._ExecutionError(
                    "States.Runtime", f"The role's right to {resource} cannot be judged locally."
                )
            for need in needs:
                _require(need, _DENIED[need.action.partition(":")[0]])
        return invoke(resource, arguments, *rest)

    return checked


def _check_request(
    service: str, handler: Any, method: str, path: str, headers: Any, body: Any, query: Any
) -> None:
    """Raise the integration's error where the role may not make this request."""
    name = next(key for key, value in app.SERVICE_HANDLERS.items() if value is handler)
    raw = body.encode() if isinstance(body, str) else body or b""
    action = iam_actions.extract_iam_action(name, method, path, headers, raw, query)
    if action is None:
        raise sfn._ExecutionError(
            "States.Runtime", f"The role's right to {service} {method} {path} is not known."
        )
    region, account = get_region(), get_account_id()
    context = iam_actions.request_tag_context(name, action, raw, query)
    pairs = iam_actions.dynamodb_transaction_checks(action, raw, region, account)
    if not pairs:
        arn = iam_actions.extract_resource_arn(
            name, method, path, headers, raw, query, region, account
        )
        pairs = [(action, arn)]
    if name == "s3":
        pairs += iam_actions.s3_additional_checks(method, path, headers, raw, query)
    for needed, resource in pairs:
        _require(Need(needed, resource, context), sdk_error_name(service, "AccessDeniedException"))


def _require(need: Need, error: str) -> None:
    task = current_task()
    assert task is not None
    session = hashlib.sha256(task.execution["executionArn"].encode()).hexdigest()[:32]
    try:
        check(task.role_arn, session, need)
    except DeniedError as denied:
        cause = f"{denied} (Error Code: AccessDeniedException)"
        raise sfn._ExecutionError(error, cause) from denied
