"""The operation that takes labels: what became of predictions, told by the caller."""

from typing import Any

from boringml.errors import STATUSES
from boringml.monitoring.labels import MOST_KEY, MOST_RECORD
from boringml.monitoring.record_labels import MOST_BODY_BYTES, MOST_LABELS
from tools.openapi_errors import EDGE_ERRORS, EXAMPLE_ID, request_id_header
from tools.openapi_errors import responses as error_responses
from tools.openapi_models import example_references, pascal, reference

TIMEOUT_MILLIS = 9_000
IAM = {"type": "AWS_IAM"}
# What a row may be refused for, and, where it is the whole body, the body.
ERRORS = [
    {"code": code, "status": STATUSES[code], "when": when}
    for code, when in {
        "malformed_json": "The body is not one JSON value.",
        "list_empty": "The list has no labels.",
        "list_too_long": f"A list has at most {MOST_LABELS} labels.",
        "wrong_type": "A label, or one of its fields, is of another type.",
        "unknown_field": "A label has a field that is none of it.",
        "missing_field": "A label lacks a field.",
        "unknown_label": "The label is none of the model's two.",
        "identity_ambiguous": "A label has both a request_id and a key.",
        "identity_not_offered": "The model's predictions are named in the other way.",
        "time_invalid": "The time is none, or has no zone.",
        "label_in_future": "The time is ahead.",
        "label_too_late": "It was known longer ago than the model's horizon.",
        "body_too_large": f"A body has at most {MOST_BODY_BYTES} bytes.",
        "unsupported_content_type": "The body is not announced as JSON.",
    }.items()
]


def taken_schema() -> dict[str, Any]:
    """Return the schema of the answer: what was kept, and what was not."""
    count = {"type": "integer", "minimum": 0}
    text = {"type": "string"}
    refused = {
        "type": "object",
        "required": ["row_number", "code", "field", "message"],
        "properties": {
            "row_number": {"type": "integer", "minimum": 1, "description": "From 1."},
            "code": {"type": "string", "description": "Never changes."},
            "field": text,
            "message": {"type": "string", "description": "What to do, for a person."},
        },
    }
    return {
        "type": "object",
        "description": "received = accepted + refused.",
        "additionalProperties": False,
        "required": ["received", "accepted", "refused", "request_id"],
        "properties": {
            "received": count,
            "accepted": count,
            "refused": {"type": "array", "items": refused},
            "request_id": {"type": "string", "description": "Finds this request in the logs."},
        },
    }


def label_schemas(contract: dict[str, Any]) -> dict[str, Any]:
    """Return the schemas of what is posted for one model, by name."""
    prefix, decision = pascal(contract["model"]), contract["decision"]
    return {
        f"{prefix}Label": {
            "type": "object",
            "description": "By request_id and record, or by key where batches scored it.",
            "additionalProperties": False,
            "required": ["at", "label"],
            "properties": {
                "request_id": {"type": "string", "description": "As answered; a job's is its id."},
                "record": {
                    "type": "integer",
                    "minimum": 0,
                    "maximum": MOST_RECORD,
                    "description": "The place in a list request, from 0.",
                },
                "key": {"type": "string", "minLength": 1, "maxLength": MOST_KEY},
                "at": {
                    "type": "string",
                    "format": "date-time",
                    "description": "Since when it is known, with its zone.",
                },
                "label": {"type": "string", "enum": [decision["negative"], decision["positive"]]},
            },
        },
        f"{prefix}Labels": {
            "description": "One label, or a list of labels.",
            "oneOf": [
                reference(f"{prefix}Label"),
                {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": MOST_LABELS,
                    "items": reference(f"{prefix}Label"),
                },
            ],
        },
    }


def label_examples(contract: dict[str, Any], by_key: bool) -> dict[str, Any]:
    """Return bodies to post, by name."""
    who = {"key": "C00001"} if by_key else {"request_id": EXAMPLE_ID}
    at, positive = "2026-01-31T12:00:00Z", contract["decision"]["positive"]
    label = {**who, "at": at, "label": positive}
    return {
        "Label": {"summary": "one label", "value": label},
        "LabelList": {"summary": "a list", "value": [label]},
    }


def post_labels(contract: dict[str, Any], by_key: bool) -> dict[str, Any]:
    """Return the operation that takes the labels of one model."""
    model, prefix = contract["model"], pascal(contract["model"])
    told = {"received": 1, "accepted": 1, "refused": [], "request_id": EXAMPLE_ID}
    return {
        "operationId": f"recordLabels{prefix}",
        "summary": f"Tell what became of predictions of model {model}",
        "description": (
            f"One label, or a list of 1 to {MOST_LABELS}, in a body of at most {MOST_BODY_BYTES} "
            "bytes. The same label twice counts once; of two of one prediction, the one that "
            "became known later counts. A bad row of a list is told in the answer."
        ),
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": reference(f"{prefix}Labels"),
                    "examples": example_references(prefix, label_examples(contract, by_key)),
                }
            },
        },
        "responses": {
            "200": {
                "description": "What was kept, and which rows were not.",
                "headers": request_id_header(),
                "content": {
                    "application/json": {
                        "schema": reference("LabelsTaken"),
                        "examples": {"Taken": {"value": told}},
                    }
                },
            },
            **error_responses([*ERRORS, *EDGE_ERRORS]),
        },
        "x-amazon-apigateway-auth": IAM,
        "x-amazon-apigateway-request-validator": "parameters",
        "x-amazon-apigateway-integration": {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "uri": {
                "Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path"
                "/2015-03-31/functions/${PostLabelsFunction.Arn}/invocations"
            },
            "credentials": {"Fn::GetAtt": ["PostLabelsRole", "Arn"]},
            "timeoutInMillis": TIMEOUT_MILLIS,
            "passthroughBehavior": "when_no_match",
        },
    }
