"""The operations of asynchronous jobs: POST straight onto the model's queue, GET from a function.

What goes onto the queue is read by boringml/jobs/message.py.
"""

import json
from typing import Any
from urllib.parse import quote

from boringml.errors import STATUSES
from boringml.jobs.message import VERSION
from boringml.jobs.states import EXPIRED, FAILED, FINAL, QUEUED, REFUSED, RUNNING, SUCCEEDED
from tools.openapi_errors import (
    EDGE_ERRORS,
    EXAMPLE_ID,
    REQUEST_ID,
    request_id_header,
    template,
)
from tools.openapi_errors import responses as error_responses
from tools.openapi_models import example_references, pascal, reference

JOB_ID = "$context.requestTimeEpoch-$context.requestId"
EXAMPLE_JOB = f"1767261600000-{EXAMPLE_ID}"
TIMEOUT_MILLIS = 9_000
IAM = {"type": "AWS_IAM"}
# Of the message, what a client controls. Clients may choose the request's id
# (X-Amzn-RequestId), the trace's, and part of their own ARN.
CONTROLLED = {
    "request_id": "$context.requestId",
    "client": "$context.identity.userArn",
    # Looked up by its spelling, which HTTP/2 makes lower case.
    "idempotency_key": "$input.params('Idempotency-Key')",
    "idempotency_key_http2": "$input.params('idempotency-key')",
    "trace_id": "$context.xrayTraceId",
    "upstream_request_id": "$input.params('X-Request-Id')",
    "upstream_request_id_http2": "$input.params('x-request-id')",
    "body": "$input.body",
}
GONE = {"code": "job_gone", "when": "The job and its result have expired: post it again."}
NOT_FOUND = {"code": "job_not_found", "when": "The caller posted no such job."}
TOO_LARGE = "The queue does not take the body: send fewer records."
UNAVAILABLE = "The queue could not take the job; try again."

STATUS_MEANINGS = {
    QUEUED: "it waits for a worker",
    RUNNING: "a worker has it",
    SUCCEEDED: "`result` or `result_url` has the predictions",
    FAILED: "the service gave up, `error` says why",
    REFUSED: "`error` says which rule it breaks",
    EXPIRED: "it waited too long",
}


def message_template(model: str) -> str:
    """Return the mapping template that makes SendMessage's form of a request.

    Its fixed parts are encoded here, once. In base64, what a client controls can end no string of
    the message; $util.escapeJavaScript would leave \\' in it, which is no JSON.
    """
    head = f'{{"version":{VERSION},"model":{json.dumps(model)},"posted_ms":'
    parts = [quote(head, safe=""), "$context.requestTimeEpoch", quote(',"base64":{', safe="")]
    for index, (name, variable) in enumerate(CONTROLLED.items()):
        parts.append(quote(f'{"," if index else ""}"{name}":"', safe=""))
        # In base64 are "+", "/" and "=", which a form has its own ideas about.
        parts.append(f"$util.urlEncode($util.base64Encode({variable}))")
        parts.append(quote('"', safe=""))
    return "Action=SendMessage&MessageBody=" + "".join(parts) + quote("}}", safe="")


def job_schemas(contract: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of what is posted, by name."""
    prefix = pascal(contract["model"])
    return {
        f"{prefix}Job": {
            "type": "object",
            "description": f"A job for model {contract['model']}.",
            "additionalProperties": False,
            "required": ["request"],
            "properties": {
                "request": reference(f"{prefix}Request"),
                "callback": {
                    "type": "string",
                    "pattern": "^[a-z][a-z0-9-]{0,63}$",
                    "description": "The name of an endpoint that the caller has registered.",
                },
            },
        }
    }


def shared_schemas() -> dict[str, Any]:
    """Return the schemas of answers about jobs, by name."""
    job_id = {"type": "string", "description": "Names the job."}
    request_id = {"type": "string", "description": "Finds this request in the logs."}
    time = {"type": "string", "description": "UTC."}
    error = {
        "type": "object",
        "required": ["code", "message"],
        "properties": {
            "code": {"type": "string", "description": "Never changes."},
            "message": {"type": "string", "description": "What to do, for a person."},
            "field": {"type": "string", "description": "Where, such as $.request[1].text."},
        },
    }
    states = "; ".join(f"`{name}`: {meaning}" for name, meaning in STATUS_MEANINGS.items())
    return {
        "JobAccepted": {
            "type": "object",
            "description": "The job is on the queue.",
            "additionalProperties": False,
            "required": ["job_id", "request_id"],
            "properties": {"job_id": job_id, "request_id": request_id},
        },
        "JobState": {
            "type": "object",
            "description": "A job as it stands.",
            "required": ["job_id", "status", "request_id"],
            "properties": {
                "job_id": {
                    "type": "string",
                    "description": "The first one's, where a job repeats one by its key.",
                },
                "model": {"type": "string"},
                "model_version": {"type": "integer"},
                "status": {
                    "type": "string",
                    "enum": list(STATUS_MEANINGS),
                    "description": f"{states}. The last {len(FINAL)} never change.",
                },
                "posted_at": time,
                "started_at": time,
                "finished_at": time,
                "expires_at": {"type": "string", "description": "Until then it can be asked for."},
                "result": {"type": "object", "description": "As of a synchronous prediction."},
                "result_url": {
                    "type": "string",
                    "description": "Where a large result is, for some minutes from now.",
                },
                "error": error,
                "request_id": request_id,
            },
        },
    }


def job_examples(contract: dict[str, Any]) -> dict[str, Any]:
    """Return bodies to post, by name."""
    first, *rest = [example["record"] for example in contract["examples"]]
    return {
        "Job": {"summary": "one record", "value": {"request": first}},
        "JobList": {
            "summary": "a list, with a callback",
            "value": {"request": [first, *rest][:2], "callback": "orders"},
        },
    }


def post_job(contract: dict[str, Any]) -> dict[str, Any]:
    """Return the operation that posts a job of one model."""
    model, prefix = contract["model"], pascal(contract["model"])
    nested, limits = f"{prefix}Async", contract["limits"]
    headers = {
        **request_id_header(),
        "Location": {
            "description": "Where the job is, relative to this path.",
            "schema": {"type": "string"},
        },
    }
    accepted = {
        "description": "The job is on the queue.",
        "headers": headers,
        "content": {
            "application/json": {
                "schema": reference("JobAccepted"),
                "examples": {
                    "Accepted": {"value": {"job_id": EXAMPLE_JOB, "request_id": EXAMPLE_ID}}
                },
            }
        },
    }
    body = {"job_id": JOB_ID, "request_id": "$context.requestId"}
    # One source is all that a parameter mapping takes; a template may join two.
    location = f'#set($context.responseOverride.header.Location = "../../jobs/{JOB_ID}")\n'
    request_id = {f"method.response.header.{REQUEST_ID}": "context.requestId"}
    refusals = [
        {**error, "status": STATUSES[error["code"]]}
        for error in (
            {"code": "body_too_large", "when": TOO_LARGE},
            {"code": "model_unavailable", "when": UNAVAILABLE},
        )
    ]
    return {
        "operationId": f"postJob{prefix}",
        "summary": f"Ask model {model} for predictions that take their time",
        "description": (
            f"One record, or a list of 1 to {limits['max_records']} records, in a body of at most "
            f"{limits['max_body_bytes']} bytes. What only a worker can tell, such as a list that "
            "is too long, makes the job `refused`. With an Idempotency-Key, the same body within a "
            "day is the same job, and another body is `refused`."
        ),
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "The caller's own name for this job, of at most 255 characters.",
                "schema": {"type": "string"},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": reference(f"{prefix}Job"),
                    "examples": example_references(prefix, job_examples(contract)),
                }
            },
        },
        "responses": {"202": accepted, **error_responses([*refusals, *EDGE_ERRORS])},
        "x-amazon-apigateway-auth": IAM,
        "x-amazon-apigateway-request-validator": "body",
        "x-amazon-apigateway-integration": {
            "type": "aws",
            "httpMethod": "POST",
            "uri": {"Fn::GetAtt": [nested, "Outputs.SendMessageUri"]},
            "credentials": {"Fn::GetAtt": [nested, "Outputs.SendRoleArn"]},
            "timeoutInMillis": TIMEOUT_MILLIS,
            "passthroughBehavior": "never",
            "requestParameters": {
                "integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"
            },
            "requestTemplates": {"application/json": message_template(model)},
            "responses": {
                "200": {
                    "statusCode": "202",
                    "responseParameters": request_id,
                    "responseTemplates": {"application/json": location + json.dumps(body)},
                },
                # SQS refuses a message that is too long with 400.
                "400": {
                    "statusCode": str(STATUSES["body_too_large"]),
                    "responseParameters": request_id,
                    "responseTemplates": template("body_too_large", TOO_LARGE),
                },
                "default": {
                    "statusCode": str(STATUSES["model_unavailable"]),
                    "responseParameters": request_id,
                    "responseTemplates": template("model_unavailable", UNAVAILABLE),
                },
            },
        },
    }


def get_job() -> dict[str, Any]:
    """Return the operation that tells how a job stands."""
    errors = [{**error, "status": STATUSES[error["code"]]} for error in (NOT_FOUND, GONE)]
    state = {
        "job_id": EXAMPLE_JOB,
        "status": RUNNING,
        "posted_at": "2026-01-01T10:00:00.000Z",
        "request_id": EXAMPLE_ID,
    }
    return {
        "operationId": "getJob",
        "summary": "Ask how a job stands, and for its result",
        "description": "Of a job that the caller posted; nobody else's is there.",
        "parameters": [
            {"name": "job_id", "in": "path", "required": True, "schema": {"type": "string"}}
        ],
        "responses": {
            "200": {
                "description": "The job. Until it is final, Retry-After says when to ask again.",
                "headers": request_id_header(),
                "content": {
                    "application/json": {
                        "schema": reference("JobState"),
                        "examples": {"Running": {"value": state}},
                    }
                },
            },
            **error_responses([*errors, *EDGE_ERRORS]),
        },
        "x-amazon-apigateway-auth": IAM,
        "x-amazon-apigateway-request-validator": "parameters",
        "x-amazon-apigateway-integration": {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "uri": {
                "Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path"
                "/2015-03-31/functions/${GetJobFunction.Arn}/invocations"
            },
            "credentials": {"Fn::GetAtt": ["GetJobRole", "Arn"]},
            "timeoutInMillis": TIMEOUT_MILLIS,
            "passthroughBehavior": "when_no_match",
        },
    }
