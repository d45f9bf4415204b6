"""A state machine acts with its role, and with no more.

AWS checks every task's call against the execution role. MiniStack 1.5.33 makes the calls inside
the server without a check, even with AUTH=true. A denial has the name that the integration
gives to an AccessDeniedException. aws-sdk integrations are not judged here: sdk_calls makes them
with the role's credentials.

Seams: stepfunctions._invoke_resource and _invoke_with_callback.
"""

import hashlib
from collections.abc import Callable
from typing import Any

from ministack import app
from ministack.services import stepfunctions as sfn

from local.aws.seams import seam
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


def install() -> None:
    """Patch MiniStack where it enforces IAM at all; raise SeamMissingError for a lost seam."""
    if not app.AUTH:
        return
    for name in ("_invoke_resource", "_invoke_with_callback"):
        replace(sfn, name, _checked(seam(sfn, name)))


def _checked(invoke: Callable[..., Any]) -> Callable[..., Any]:
    def checked(resource: str, arguments: Any, *rest: Any) -> Any:
        task = current_task()
        if task is not None:
            needs = needs_of(resource, arguments)
            if needs is None:
                raise sfn._ExecutionError(
                    "States.Runtime", f"{resource} is not emulated by the local AWS."
                )
            for need in needs:
                _require(need, _DENIED[need.action.partition(":")[0]])
        return invoke(resource, arguments, *rest)

    return checked


def _require(need: Need, error: str) -> None:
    task = current_task()
    assert task is not None
    session = hashlib.sha256(task.execution["executionArn"].encode()).hexdigest()[:32]
    try:
        check(task.role_arn, session, need)
    except DeniedError as denied:
        cause = f"{denied} (Error Code: AccessDeniedException)"
        raise sfn._ExecutionError(error, cause) from denied
