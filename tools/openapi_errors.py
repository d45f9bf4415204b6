"""Errors of the API: those that API Gateway answers itself, and how all are documented."""

import json
from typing import Any

from boringml.errors import STATUSES

_CAUSE = "the request_id finds the cause in the log."
# Type of gateway response: code, message.
# Types: "Gateway response types", API Gateway Developer Guide.
GATEWAY: dict[str, tuple[str, str]] = {
    "BAD_REQUEST_BODY": ("malformed_body", "The body does not fit the schema of this path."),
    "BAD_REQUEST_PARAMETERS": ("bad_parameters", "A parameter is missing or not valid."),
    "MISSING_AUTHENTICATION_TOKEN": (
        "unsigned_or_unknown_route",
        "Sign the request with SigV4, and check its method and path.",
    ),
    "ACCESS_DENIED": ("forbidden", "The caller may not call this path: see its IAM policy."),
    "UNAUTHORIZED": ("unauthorized", "Sign the request with credentials that are valid."),
    "INVALID_SIGNATURE": ("invalid_signature", "The signature is not that of this request."),
    "EXPIRED_TOKEN": ("expired_token", "The credentials have expired: get new ones."),
    "INVALID_API_KEY": ("invalid_api_key", "Send an API key of a usage plan in X-Api-Key."),
    "WAF_FILTERED": ("blocked", "A firewall rule refused the request."),
    "RESOURCE_NOT_FOUND": ("route_not_found", "There is no such path: see those of this API."),
    "THROTTLED": ("throttled", "Too many requests; try again later."),
    "QUOTA_EXCEEDED": ("quota_exceeded", "The quota is used up; try again in its next term."),
    "REQUEST_TOO_LARGE": ("body_too_large", "The body is too long: send fewer records."),
    "UNSUPPORTED_MEDIA_TYPE": (
        "unsupported_content_type",
        "Send the body as Content-Type: application/json.",
    ),
    "INTEGRATION_TIMEOUT": ("timeout", "The answer took too long; try again."),
    "INTEGRATION_FAILURE": ("model_unavailable", f"The model could not answer; {_CAUSE}"),
    "API_CONFIGURATION_ERROR": ("internal_error", f"The API is not configured well; {_CAUSE}"),
    # What a function raises, at its start or later, ends here.
    "DEFAULT_5XX": ("model_unavailable", f"The model could not answer; {_CAUSE}"),
}
# Stands for types of several statuses, so each keeps its own.
DEFAULT_4XX = ("bad_request", "The request was refused; check its path and headers.")
REQUEST_ID = "X-Request-Id"
EXAMPLE_ID = "3f0c2a5e-8d1b-4c7e-9a6f-0b1c2d3e4f50"
EDGE_ERRORS = [
    {"code": code, "status": STATUSES[code], "when": message} for code, message in GATEWAY.values()
]
NOT_FOUND = {
    "code": "model_not_found",
    "status": STATUSES["model_not_found"],
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
    """Return the extension that gives each failure at the edge our error body and request id."""
    header = {f"gatewayresponse.header.{REQUEST_ID}": "context.requestId"}
    known = {
        kind: {
            "statusCode": STATUSES[code],
            "responseParameters": header,
            "responseTemplates": template(code, message),
        }
        for kind, (code, message) in GATEWAY.items()
    }
    rest = {"responseParameters": header, "responseTemplates": template(*DEFAULT_4XX)}
    return {**known, "DEFAULT_4XX": rest}


def request_id_header() -> dict[str, Any]:
    """Return the header that every answer has."""
    schema = {"type": "string"}
    return {REQUEST_ID: {"description": "The body's request_id.", "schema": schema}}


def responses(errors: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one response for each status, whose description lists its codes.

    The first text of a code counts: a contract says more of its errors than the edge does.
    """
    by_status: dict[int, dict[str, str]] = {}
    for error in errors:
        by_status.setdefault(error["status"], {}).setdefault(error["code"], error["when"])
    return {
        str(status): {
            "description": f"{TITLES.get(status, 'The request failed')}.\n\n"
            + "\n".join(f"- `{code}`: {when}" for code, when in codes.items()),
            "headers": request_id_header(),
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/ApiError"},
                    "examples": {code: {"value": _example(code, when)}},
                }
            },
        }
        for status, codes in sorted(by_status.items())
        for code, when in list(codes.items())[:1]
    }


def _example(code: str, message: str) -> dict[str, Any]:
    error = {"code": code, "message": message}
    return {"error": error, "request_id": EXAMPLE_ID}


def error_schema(errors: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the schema of the body of every error."""
    codes = sorted({error["code"] for error in errors} | {DEFAULT_4XX[0]})
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
