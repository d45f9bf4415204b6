"""The names of errors that a state's Retry and Catch can speak of.

AWS: an aws-sdk integration names an error after the service's modelled exception, always ending
in Exception ("AWS SDK service integrations"); a code the service does not model, such as
DynamoDB's ValidationException, comes as the service's base exception (DynamoDb.DynamoDbException,
and DynamoDB.AmazonDynamoDBException for the optimised integration). States.Runtime always fails
the execution; States.ALL and States.TaskFailed match neither it nor States.DataLimitExceeded
("Handling errors"). MiniStack 1.5.33 passes every code through, and its own refusal of what it
does not implement, a States.Runtime, disappears in any Catch of States.ALL.

Seams: stepfunctions._prefix_sdk_error, _invoke_dynamodb, _error_matches, _AWS_SDK_SERVICE_MAP,
_AWS_SDK_ERROR_PREFIX.
"""

from typing import Any

from ministack.core.responses import _service_model
from ministack.services import stepfunctions as sfn

from local.aws.seams import seam
from local.aws.step_functions.replacing import replace

_NEVER_CAUGHT = "States.Runtime"
_NOT_IN_ALL = "States.DataLimitExceeded"
_WILDCARDS = {"States.ALL", "States.TaskFailed"}


def sdk_error_name(service: str, code: str) -> str:
    """Return the name of a wire error `code` of the aws-sdk integration of `service`."""
    if code.startswith("States."):
        return code
    prefix = sfn._AWS_SDK_ERROR_PREFIX.get(service, service.capitalize())
    code = code.rpartition("#")[2].removeprefix(f"{prefix}.")
    if code in _modelled(service):
        return f"{prefix}.{code.removesuffix('Exception')}Exception"
    return f"{prefix}.{prefix}Exception"


def install() -> None:
    """Patch MiniStack; raise SeamMissingError where a seam is gone."""
    matches = seam(sfn, "_error_matches")
    dynamodb = seam(sfn, "_invoke_dynamodb")
    seam(sfn, "_AWS_SDK_SERVICE_MAP")
    seam(sfn, "_AWS_SDK_ERROR_PREFIX")

    def error_matches(error_equals: list[str], error: str) -> bool:
        if error == _NEVER_CAUGHT:
            return False
        if error == _NOT_IN_ALL:
            error_equals = [name for name in error_equals if name not in _WILDCARDS]
        return bool(matches(error_equals, error))

    def invoke_dynamodb(operation: str, arguments: Any) -> Any:
        try:
            return dynamodb(operation, arguments)
        except sfn._ExecutionError as error:
            code = error.error.removeprefix("DynamoDB.")
            if error.error.startswith("States.") or code in _modelled("dynamodb"):
                raise
            cause = f"{error.cause} (Service: AmazonDynamoDBv2; Error Code: {code})"
            raise sfn._ExecutionError("DynamoDB.AmazonDynamoDBException", cause) from error

    sfn._error_matches = error_matches
    sfn._invoke_dynamodb = invoke_dynamodb
    replace(sfn, "_prefix_sdk_error", sdk_error_name)


def _modelled(service: str) -> set[str]:
    """Codes of the exceptions that botocore's model of a service knows, S3's included."""
    key = sfn._AWS_SDK_SERVICE_MAP.get(service, {}).get("service_key", service)
    model = _service_model(key)
    if model is None:
        return set()
    names = set()
    for shape in model.error_shapes:
        names |= {shape.name, shape.metadata.get("error", {}).get("code", shape.name)}
    return names
