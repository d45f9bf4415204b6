"""aws-sdk integrations: the call that boto3 would make, to this local AWS, with the role.

AWS calls the service's API with the machine's role and answers in PascalCase, dates as ISO 8601,
bodies as text ("AWS SDK service integrations", Step Functions Developer Guide). MiniStack 1.5.33
calls its services inside the server, without the role, and knows eight operations of Lambda and
ten of S3 (no publishVersion, no getObject); errors of XML services lose their code.

What botocore or MiniStack does not know is States.Runtime, which no Catch hides.

Seam: stepfunctions._invoke_aws_sdk_integration; its helpers _sdk_json_param_value and
_sdk_json_value.
"""

import base64
import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, UnknownServiceError
from botocore.response import StreamingBody
from ministack.core.responses import get_account_id, get_region
from ministack.services import stepfunctions as sfn

from local.aws.seams import seam
from local.aws.step_functions.error_names import BOTOCORE_NAMES, sdk_error_name
from local.aws.step_functions.replacing import replace
from local.aws.step_functions.role_session import client, credentials
from local.aws.step_functions.running_task import current_task

# How MiniStack's services say that they do not have an operation.
_UNKNOWN = {
    "InternalError",
    "InvalidAction",
    "NotEmulatedException",
    "NotImplemented",
    "UnknownOperationException",
    "UnsupportedOperation",
}
# A function may run for 15 minutes.
_READ_SECONDS = 910


def install() -> None:
    """Patch MiniStack; raise SeamMissingError where a seam is gone."""
    for name in ("_sdk_json_param_value", "_sdk_json_value"):
        seam(sfn, name)
    replace(sfn, "_invoke_aws_sdk_integration", _call)


def _call(resource: str, arguments: Any) -> Any:
    service, operation = resource.split(":")[6:8]
    service = service.lower()
    caller = _client_of(service)
    method = xform_name(operation)
    if caller is None or method not in caller.meta.method_to_api_mapping:
        raise _missing(resource)
    model = caller.meta.service_model.operation_model(caller.meta.method_to_api_mapping[method])
    try:
        answer = getattr(caller, method)(**_request(arguments or {}, model.input_shape))
    except ClientError as error:
        raise _failed(resource, service, error) from error
    except BotoCoreError as error:
        raise sfn._ExecutionError("States.Runtime", f"{resource}: {error}") from error
    answer.pop("ResponseMetadata", None)
    plain = {name: _plain(value) for name, value in answer.items()}
    return sfn._sdk_json_value(plain, model.output_shape) if model.output_shape else plain


def _client_of(service: str) -> Any:
    """Return a client with the rights of the running task, or None for an unknown service."""
    task = current_task()
    account = get_account_id()
    if task is None:
        rights = {"aws_access_key_id": account, "aws_secret_access_key": "test"}
    else:
        rights = credentials(account, task.role_arn, "StepFunctions")
    try:
        return _client(service, get_region(), tuple(rights.items()))
    except UnknownServiceError:
        return None


@lru_cache(maxsize=64)
def _client(service: str, region: str, rights: tuple[tuple[str, str], ...]) -> Any:
    config = Config(
        retries={"total_max_attempts": 1}, read_timeout=_READ_SECONDS, inject_host_prefix=False
    )
    return client(BOTOCORE_NAMES.get(service, service), region, dict(rights), config)


def _request(arguments: dict[str, Any], shape: Any) -> dict[str, Any]:
    """Name the members as botocore does, and make bytes of what goes into a body."""
    if shape is None:
        return arguments
    request = sfn._sdk_json_param_value(arguments, shape)
    for name, value in request.items():
        if name in shape.members and shape.members[name].type_name == "blob":
            text = value if isinstance(value, str) else json.dumps(value)
            request[name] = text.encode()
    return dict(request)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        moment = value.astimezone(UTC).isoformat(timespec="milliseconds")
        return moment.replace("+00:00", "Z")
    if isinstance(value, StreamingBody):
        value = value.read()
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return base64.b64encode(value).decode()
    return value


def _failed(resource: str, service: str, error: ClientError) -> Exception:
    details = error.response.get("Error", {})
    code, message = str(details.get("Code", "")), details.get("Message", "")
    if code in _UNKNOWN:
        return _missing(f"{resource} ({code}: {message})")
    cause = f"{message} (Service: {service}, Error Code: {code})"
    failed: Exception = sfn._ExecutionError(sdk_error_name(service, code), cause)
    return failed


def _missing(resource: str) -> Exception:
    missing: Exception = sfn._ExecutionError(
        "States.Runtime", f"{resource} is not emulated by the local AWS."
    )
    return missing
