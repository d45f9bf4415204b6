"""What a command ends with when it does not succeed: an exit code that scripts can trust."""

from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as NoConnectionError

from boringml.errors import BoringError

REFUSED: Final = 1
# 2 is wrong usage, as Typer and every shell have it.
UNREACHABLE: Final = 3
UNFINISHED: Final = 4

_NO_CREDENTIALS = (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
# AWS's words for credentials that are wrong, or that were right once.
_BAD_CREDENTIALS = {
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_NOT_ALLOWED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
_NO_REGION = "Name the Region: AWS_REGION, or AWS_PROFILE; for the local AWS: source .local/env."
_SIGN_IN = "Sign in (aws sso login, or AWS_PROFILE); for the local AWS: source .local/env."


@dataclass(frozen=True)
class Failure:
    """An exit code, and what stderr says: a stable code and a message that says what to do."""

    exit_code: int
    code: str
    message: str
    details: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return {"error": {"code", "message", ...details}}, as the API has it too."""
        return {"error": {"code": self.code, "message": self.message, **self.details}}


class StackUnknownError(Exception):
    """The stack is not there, or is not one of boring-ml."""


class UnfinishedError(Exception):
    """What the command waits for goes on. `code` is still_running or waits_for_approval."""

    def __init__(self, code: str, message: str, execution: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.execution = execution


def failure_of(error: Exception) -> Failure:
    """Return how a command ends that raised `error`."""
    match error:
        case BoringError():
            return Failure(REFUSED, error.code, error.message, dict(error.details))
        case UnfinishedError():
            return Failure(UNFINISHED, error.code, error.message, {"execution": error.execution})
        case StackUnknownError():
            return Failure(UNREACHABLE, "stack_not_found", str(error))
        case ClientError():
            return _of_answer(error)
        case NoRegionError():
            return Failure(UNREACHABLE, "no_region", _NO_REGION)
        case _ if isinstance(error, _NO_CREDENTIALS):
            return Failure(UNREACHABLE, "no_credentials", f"{error}. {_SIGN_IN}")
        case NoConnectionError() | HTTPClientError():
            message = f"AWS does not answer: {error} For the local AWS: make up."
            return Failure(UNREACHABLE, "aws_unreachable", message)
        case BotoCoreError():
            return Failure(UNREACHABLE, "aws_unreachable", str(error))
    message = f"{type(error).__name__}: {error}. A bug: BORINGML_DEBUG=1 shows where."
    return Failure(REFUSED, "internal_error", message)


def _of_answer(error: ClientError) -> Failure:
    code = error.response["Error"].get("Code", "unknown")
    told = error.response["Error"].get("Message", "no message")
    said = f"{error.operation_name}: {code}: {told}"
    if code in _BAD_CREDENTIALS:
        return Failure(UNREACHABLE, "bad_credentials", f"{said}. {_SIGN_IN}")
    if code in _NOT_ALLOWED:
        return Failure(REFUSED, "not_allowed", f"{said}. docs/cli.md names the permissions.")
    return Failure(REFUSED, "aws_refused", said)
