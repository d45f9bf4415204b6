"""The one exception of the application: a stable code, a message that says what to do, a status."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

# What the API answers with, in one place: contracts, OpenAPI and the function are held to it.
# The first group is the function's, the second is API Gateway's own.
STATUSES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "malformed_json": 400,
        "model_not_found": 404,
        "body_too_large": 413,
        "unsupported_content_type": 415,
        "wrong_type": 422,
        "unknown_field": 422,
        "missing_field": 422,
        "unknown_category": 422,
        "text_too_short": 422,
        "text_too_long": 422,
        "out_of_bounds": 422,
        "not_finite": 422,
        "list_empty": 422,
        "list_too_long": 422,
        "internal_error": 500,
        "model_not_released": 503,
        # A version that refuses to start answers nothing: callers get model_unavailable.
        "digest_mismatch": 502,
        "package_incomplete": 502,
        "package_missing": 502,
        "package_unreadable": 502,
        "package_wrong_model": 502,
        "runtime_not_supported": 502,
        "library_mismatch": 502,
        # Of asynchronous jobs.
        "job_not_found": 404,
        "job_gone": 410,
        "idempotency_key_invalid": 422,
        "idempotency_key_reused": 422,
        "callback_unknown": 422,
        # Of labels.
        "unknown_label": 422,
        "identity_ambiguous": 422,
        "identity_not_offered": 422,
        "time_invalid": 422,
        "label_in_future": 422,
        "label_too_late": 422,
        "bad_parameters": 400,
        "malformed_body": 400,
        "unauthorized": 401,
        "blocked": 403,
        "expired_token": 403,
        "forbidden": 403,
        "invalid_api_key": 403,
        "invalid_signature": 403,
        "unsigned_or_unknown_route": 403,
        "route_not_found": 404,
        "quota_exceeded": 429,
        "throttled": 429,
        "model_unavailable": 502,
        "timeout": 504,
    }
)


class BoringError(Exception):
    """A refusal that has a name.

    `code` is stable snake_case and is what clients, alarms and state machines branch on;
    `message` says what happened and what to do; `status` is the HTTP status that goes with it,
    by default the one of STATUSES, or 500; `details` are further fields of the body, such as
    `field`.
    """

    def __init__(self, code: str, message: str, status: int | None = None, **details: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status: int = STATUSES.get(code, 500) if status is None else status
        self.details = details

    def body(self) -> dict[str, Any]:
        """Return {"error": {"code", "message", ...details}}, the JSON body of every refusal."""
        return {"error": {"code": self.code, "message": self.message, **self.details}}
