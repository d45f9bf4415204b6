"""The optimised integration lambda:invoke.

AWS invokes the Qualifier that is asked for and answers the ExecutedVersion beside StatusCode and
Payload ("Invoke an AWS Lambda function with Step Functions"); an invocation beyond the function's
concurrency fails as Lambda.TooManyRequestsException. MiniStack 1.5.33 ignores Qualifier and
InvocationType in silence, answers no version, and calls the throttled one Lambda.Unknown.

Seams: stepfunctions._invoke_resource and _invoke_with_callback;
lambda_svc._execution_record_for_config.
"""

import contextvars
from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc
from ministack.services import stepfunctions as sfn

from local.aws.seams import seam
from local.aws.step_functions.replacing import replace

_INVOKE = "arn:aws:states:::lambda:invoke"
_THROTTLED = "TooManyRequestsException"
# Filled with the version that ran, where a task waits to know it.
_executed: contextvars.ContextVar[list[str] | None] = contextvars.ContextVar(
    "executed_version", default=None
)


def install() -> None:
    """Patch MiniStack; raise SeamMissingError where a seam is gone."""
    record = seam(lambda_svc, "_execution_record_for_config")

    def execution_record(function: Any, config: dict[str, Any]) -> Any:
        versions = _executed.get()
        if versions is not None:
            versions.append(str(config.get("Version", "$LATEST")))
        return record(function, config)

    lambda_svc._execution_record_for_config = execution_record
    for name in ("_invoke_resource", "_invoke_with_callback"):
        replace(sfn, name, _invoking(seam(sfn, name)))


def _invoking(invoke: Callable[..., Any]) -> Callable[..., Any]:
    def invoking(resource: str, arguments: Any, *rest: Any) -> Any:
        if not resource.startswith(_INVOKE) or not isinstance(arguments, dict):
            return invoke(resource, arguments, *rest)
        versions: list[str] = []
        token = _executed.set(versions)
        try:
            result = invoke(resource, _qualified(arguments), *rest)
        except sfn._ExecutionError as error:
            if error.error == "Lambda.Unknown" and _THROTTLED in error.cause:
                raise sfn._ExecutionError(f"Lambda.{_THROTTLED}", error.cause) from error
            raise
        finally:
            _executed.reset(token)
        if resource == _INVOKE and versions:
            return {"ExecutedVersion": versions[0], **result}
        return result

    return invoking


def _qualified(arguments: dict[str, Any]) -> dict[str, Any]:
    if arguments.get("InvocationType", "RequestResponse") != "RequestResponse":
        raise sfn._ExecutionError(
            "States.Runtime",
            f"lambda:invoke with InvocationType={arguments['InvocationType']} is not emulated.",
        )
    arguments = {"Payload": {}, **arguments}  # without one, MiniStack sends the envelope itself
    qualifier = arguments.pop("Qualifier", None)
    if qualifier:
        arguments["FunctionName"] = f"{arguments.get('FunctionName', '')}:{qualifier}"
    return arguments
