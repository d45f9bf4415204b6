"""The names of errors that a state's Retry and Catch can speak of.

AWS: an aws-sdk integration names an error after the service's modelled exception, always ending
in Exception ("AWS SDK service integrations"); a code the service does not model, such as
DynamoDB's ValidationException, comes as the service's base exception (DynamoDb.DynamoDbException,
and DynamoDB.AmazonDynamoDBException for the optimised integration). States.Runtime always fails
the execution; States.ALL and States.TaskFailed match neither it nor States.DataLimitExceeded
("Handling errors"). MiniStack 1.5.33 passes every code through, and its own refusal of what it
does not implement, a States.Runtime, disappears in any Catch of States.ALL.

Seams: stepfunctions._invoke_dynamodb, _error_matches, _AWS_SDK_ERROR_PREFIX.
"""

from functools import lru_cache
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.session import get_session
from ministack.services import stepfunctions as sfn

from local.aws.seams import seam

# aws-sdk integrations bear the names of the Java SDK, which differ from botocore's here.
BOTOCORE_NAMES = {
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
    "rdsdata": "rds-data",
    "sfn": "stepfunctions",
}
# SQS answers with the codes of its older protocol.
_WIRE_CODES = {"AWS.SimpleQueueService.NonExistentQueue": "QueueDoesNotExist"}
# botocore models it; state machines still meet S3.S3Exception.
_UNMODELLED = {"AccessDenied"}
_NEVER_CAUGHT = "States.Runtime"
_NOT_IN_ALL = "States.DataLimitExceeded"
_WILDCARDS = {"States.ALL", "States.TaskFailed"}


def sdk_error_name(service: str, code: str) -> str:
    """Return the name of a wire error `code` of the aws-sdk integration of `service`."""
    if code.startswith("States."):
        return code
    prefix = sfn._AWS_SDK_ERROR_PREFIX.get(service, service.capitalize())
    code = code.rpartition("#")[2].removeprefix(f"{prefix}.")
    shape = _modelled(service).get(_WIRE_CODES.get(code, code))
    if shape is not None and code not in _UNMODELLED:
        return f"{prefix}.{shape.removesuffix('Exception')}Exception"
    return f"{prefix}.{prefix}Exception"


def install() -> None:
    """Patch MiniStack; raise SeamMissingError where a seam is gone."""
    matches = seam(sfn, "_error_matches")
    dynamodb = seam(sfn, "_invoke_dynamodb")
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


@lru_cache(maxsize=32)
def _modelled(service: str) -> dict[str, str]:
    """The exceptions that botocore's model of a service knows: their names by their codes."""
    try:
        model = get_session().get_service_model(BOTOCORE_NAMES.get(service, service))
    except UnknownServiceError:
        return {}
    names: dict[str, str] = {}
    for shape in model.error_shapes:
        names[shape.metadata.get("error", {}).get("code", shape.name)] = shape.name
        names[shape.name] = shape.name
    return names
