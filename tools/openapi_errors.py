"""Errors of the API: those that API Gateway answers itself, and how all are documented."""

import json
from typing import Any

# Type of gateway response: status (None leaves that of the failure), code, message.
# Types: "Gateway response types", API Gateway Developer Guide.
GATEWAY: dict[str, tuple[int | None, str, str]] = {
    "BAD_REQUEST_BODY": (400, "malformed_body", "The body does not fit the schema of this path."),
    "BAD_REQUEST_PARAMETERS": (400, "bad_parameters", "A parameter is missing or not valid."),
    "MISSING_AUTHENTICATION_TOKEN": (
        403,
        "unsigned_or_unknown_route",
        "Sign the request with SigV4, and check its method and path.",
    ),
    "ACCESS_DENIED": (403, "forbidden", "The caller may not call this path: see its IAM policy."),
    "UNAUTHORIZED": (401, "unauthorized", "Sign the request with credentials that are valid."),
    "INVALID_SIGNATURE": (403, "invalid_signature", "The signature is not that of this request."),
    "EXPIRED_TOKEN": (403, "expired_token", "The credentials have expired: get new ones."),
    "THROTTLED": (429, "throttled", "Too many requests; try again later."),
    "QUOTA_EXCEEDED": (429, "quota_exceeded", "The quota is used up; try again in its next term."),
    "REQUEST_TOO_LARGE": (413, "body_too_large", "The body is too long: send fewer records."),
    "UNSUPPORTED_MEDIA_TYPE": (
        415,
        "unsupported_content_type",
        "Send the body with Content-Type: application/json.",
    ),
    "INTEGRATION_TIMEOUT": (504, "timeout", "The answer took too long; try again."),
    "INTEGRATION_FAILURE": (
        502,
        "model_unavailable",
        "The model could not answer; the request_id finds the cause in the log.",
    ),
    "API_CONFIGURATION_ERROR": (
        500,
        "internal_error",
        "The API is not configured well; the request_id finds the cause in the log.",
    ),
    "DEFAULT_4XX": (None, "bad_request", "The request was refused; check its path and headers."),
    "DEFAULT_5XX": (
        None,
        "model_unavailable",
        "The model could not answer; the request_id finds the cause in the log.",
    ),
}
EDGE_ERRORS = [
    {"code": code, "status": status, "when": message}
    for status, code, message in GATEWAY.values()
    if status is not None
]
NOT_FOUND = {
    "code": "model_not_found",
    "status": 404,
    "when": "No model of that name is served here.",
}
TITLES = {
    400: "The request cannot be read",
    401: "The caller is not known",
    403: "The caller may not do this",
    404: "There is no such model",
    413: "The body is too large",
    415: "The body is not announced as JSON",
    422: "The request breaks the contract",
    429: "Too many requests",
    500: "The service failed",
    502: "The model is unavailable",
    503: "The model is not released",
    504: "The answer took too long",
}


def template(code: str, message: str) -> dict[str, str]:
    """Return the response template, by content type, that renders one error."""
    body = {"error": {"code": code, "message": message}, "request_id": "$context.requestId"}
    return {"application/json": json.dumps(body)}


def gateway_responses() -> dict[str, Any]:
    """Return the extension that gives each failure at the edge our error body."""
    return {
        kind: {
            **({} if status is None else {"statusCode": status}),
            "responseTemplates": template(code, message),
        }
        for kind, (status, code, message) in GATEWAY.items()
    }


def responses(errors: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one response for each status, whose description lists its codes.

    The first text of a code counts: a contract says more of its errors than the edge does.
    """
    by_status: dict[int, dict[str, str]] = {}
    for error in errors:
        by_status.setdefault(error["status"], {}).setdefault(error["code"], error["when"])
    schema = {"$ref": "#/components/schemas/ApiError"}
    return {
        str(status): {
            "description": f"{TITLES.get(status, 'The request failed')}.\n\n"
            + "\n".join(f"- `{code}`: {when}" for code, when in codes.items()),
            "content": {"application/json": {"schema": schema}},
        }
        for status, codes in sorted(by_status.items())
    }


def error_schema(errors: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the schema of the body of every error."""
    default = [code for status, code, _ in GATEWAY.values() if status is None]
    codes = sorted({error["code"] for error in errors} | set(default))
    return {
        "type": "object",
        "description": "The body of every answer that is not a 200.",
        "additionalProperties": False,
        "required": ["error", "request_id"],
        "properties": {
            "error": {
                "type": "object",
                "additionalProperties": False,
                "required": ["code", "message"],
                "properties": {
                    "code": {"type": "string", "enum": codes, "description": "Never changes."},
                    "message": {"type": "string", "description": "What to do, for a person."},
                    "field": {"type": "string", "description": "Where, such as $[1].term."},
                },
            },
            "request_id": {"type": "string", "description": "Finds this request in the logs."},
        },
    }
