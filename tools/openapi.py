"""Write api/openapi.yaml from the contracts of the models: predictions, jobs and labels.

`python -m tools.openapi` writes it, `--check` exits 1 when the file is stale. template.yaml takes
it in by AWS::Include, which knows the long form of intrinsic functions alone.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from tools.declarations import declared
from tools.generated import write_or_check
from tools.openapi_errors import (
    EDGE_ERRORS,
    EXAMPLE_ID,
    NOT_FOUND,
    REQUEST_ID,
    error_schema,
    gateway_responses,
    request_id_header,
    template,
)
from tools.openapi_errors import responses as error_responses
from tools.openapi_jobs import GONE as JOB_GONE
from tools.openapi_jobs import NOT_FOUND as JOB_NOT_FOUND
from tools.openapi_jobs import get_job, job_examples, job_schemas, post_job, shared_schemas
from tools.openapi_labels import ERRORS as LABEL_ERRORS
from tools.openapi_labels import label_examples, label_schemas, post_labels, taken_schema
from tools.openapi_models import (
    ACCEPTED,
    comparison_examples,
    example_references,
    pascal,
    reference,
    request_examples,
    response_examples,
    schemas,
)

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "api" / "openapi.yaml"
HEADER = "# Written by `python -m tools.openapi` from models/*/contract.json: edit those.\n"
# Below the function's own time limit, so that a slow answer is 504 timeout and no failed function.
TIMEOUT_MILLIS = 9_000
IAM = {"type": "AWS_IAM"}


class Plain(yaml.SafeDumper):
    """YAML without anchors: AWS::Include reads none."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def contracts_of(pattern: str, root: Path = ROOT) -> Iterator[dict[str, Any]]:
    """Yield the contract of each model whose model.yaml lists the pattern, by name."""
    for model, contract in declared(root):
        if pattern in model["patterns"]:
            yield contract


def online_contracts(root: Path = ROOT) -> Iterator[dict[str, Any]]:
    """Yield the contract of each model that is served online, by name."""
    return contracts_of("online", root)


def async_contracts(root: Path = ROOT) -> Iterator[dict[str, Any]]:
    """Yield the contract of each model that is served by jobs, by name."""
    return contracts_of("async", root)


def labelled_contracts(root: Path = ROOT) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield the contract of each model that takes labels, and whether it does so by key alone."""
    for model, contract in declared(root):
        if "quality" in model.get("monitoring", {}):
            yield contract, model["patterns"] == ["batch"]


def predictions(contract: dict[str, Any]) -> dict[str, Any]:
    """Return the operation that predicts with one model."""
    model, prefix = contract["model"], pascal(contract["model"])
    nested = f"{prefix}Online"
    limits = contract["limits"]
    success = {
        "description": "The predictions, with the version of the model that made them.",
        "headers": request_id_header(),
        "content": {
            "application/json": {
                "schema": reference(f"{prefix}Response"),
                "examples": example_references(prefix, response_examples(contract)),
            }
        },
    }
    return {
        "operationId": f"predict{prefix}",
        "summary": f"Predict with model {model}",
        "description": (
            f"One record, or a list of 1 to {limits['max_records']} records, in a body of at most "
            f"{limits['max_body_bytes']} bytes. Contract version {contract['version']}."
        ),
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": reference(f"{prefix}Request"),
                    "examples": example_references(prefix, request_examples(contract)),
                }
            },
        },
        "responses": {"200": success, **error_responses([*contract["errors"], *EDGE_ERRORS])},
        "x-amazon-apigateway-auth": IAM,
        "x-amazon-apigateway-request-validator": "parameters",
        "x-amazon-apigateway-integration": {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "uri": {"Fn::GetAtt": [nested, "Outputs.LiveInvocationUri"]},
            "credentials": {"Fn::GetAtt": [nested, "Outputs.InvokeRoleArn"]},
            "timeoutInMillis": TIMEOUT_MILLIS,
            "passthroughBehavior": "when_no_match",
        },
    }


def comparisons(contract: dict[str, Any]) -> dict[str, Any]:
    """Return the operation that compares another endpoint's answer with that of one model."""
    model, prefix = contract["model"], pascal(contract["model"])
    nested = f"{prefix}Online"
    accepted = {
        "description": "Compared; the log and the metrics tell how.",
        "headers": request_id_header(),
        "content": {
            "application/json": {
                "schema": reference("Accepted"),
                "examples": {"Accepted": {"value": {"request_id": EXAMPLE_ID}}},
            }
        },
    }
    return {
        "operationId": f"compare{prefix}",
        "summary": f"Compare another endpoint's answer with that of model {model}",
        "description": (
            "For a migration: what an existing endpoint was asked, what it answered and in how "
            "many milliseconds. Nothing of it reaches the metrics of predictions."
        ),
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": reference(f"{prefix}Comparison"),
                    "examples": example_references(prefix, comparison_examples(contract)),
                }
            },
        },
        "responses": {"202": accepted, **error_responses([*contract["errors"], *EDGE_ERRORS])},
        "x-amazon-apigateway-auth": IAM,
        "x-amazon-apigateway-request-validator": "parameters",
        "x-amazon-apigateway-integration": {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "uri": {"Fn::GetAtt": [nested, "Outputs.CompareInvocationUri"]},
            "credentials": {"Fn::GetAtt": [nested, "Outputs.InvokeRoleArn"]},
            "timeoutInMillis": TIMEOUT_MILLIS,
            "passthroughBehavior": "when_no_match",
        },
    }


def unknown_model(verb: str) -> dict[str, Any]:
    """Return the operation that answers for every name that no model has: 404, our error body."""
    message = "No model of that name is served here: see the paths of this API."
    return {
        "operationId": f"{verb}UnknownModel",
        "summary": "Refuse the name of an unknown model",
        "parameters": [
            {"name": "model", "in": "path", "required": True, "schema": {"type": "string"}}
        ],
        "responses": error_responses([NOT_FOUND, *EDGE_ERRORS]),
        "x-amazon-apigateway-auth": IAM,
        "x-amazon-apigateway-request-validator": "parameters",
        "x-amazon-apigateway-integration": {
            "type": "mock",
            # A mock reads its status from a mapped body: a body of another type would end in 500.
            "passthroughBehavior": "never",
            "requestTemplates": {"application/json": '{"statusCode": 404}'},
            "responses": {
                "default": {
                    "statusCode": "404",
                    "responseParameters": {
                        f"method.response.header.{REQUEST_ID}": "context.requestId"
                    },
                    "responseTemplates": template("model_not_found", message),
                }
            },
        },
    }


def document(
    contracts: list[dict[str, Any]],
    by_jobs: Iterable[dict[str, Any]] = (),
    labelled: Iterable[tuple[dict[str, Any], bool]] = (),
) -> dict[str, Any]:
    """Return the OpenAPI 3.0.1 definition of the API of these contracts.

    `contracts` are of models served online, `by_jobs` of those served by jobs, `labelled` of those
    that take labels, each with whether it names them by key.
    """
    known = [error for contract in contracts for error in contract["errors"]]
    components: dict[str, Any] = {
        "ApiError": error_schema(
            [*known, NOT_FOUND, JOB_NOT_FOUND, JOB_GONE, *LABEL_ERRORS, *EDGE_ERRORS]
        ),
        "Accepted": ACCEPTED,
        "LabelsTaken": taken_schema(),
        **shared_schemas(),
    }
    paths: dict[str, Any] = {}
    examples: dict[str, Any] = {}
    for contract in contracts:
        prefix = pascal(contract["model"])
        components.update(schemas(contract))
        named = {
            **request_examples(contract),
            **response_examples(contract),
            **comparison_examples(contract),
        }
        for name, example in named.items():
            examples[prefix + name] = example
        paths[f"/models/{contract['model']}/predictions"] = {"post": predictions(contract)}
        paths[f"/models/{contract['model']}/shadow"] = {"post": comparisons(contract)}
    for contract in by_jobs:
        prefix, asked = pascal(contract["model"]), ("Record", "Records", "Request")
        found = schemas(contract)
        components.update({prefix + name: found[prefix + name] for name in asked})
        components.update(job_schemas(contract))
        for name, example in job_examples(contract).items():
            examples[prefix + name] = example
        paths[f"/models/{contract['model']}/jobs"] = {"post": post_job(contract)}
    for contract, by_key in labelled:
        prefix = pascal(contract["model"])
        components.update(label_schemas(contract))
        for name, example in label_examples(contract, by_key).items():
            examples[prefix + name] = example
        paths[f"/models/{contract['model']}/labels"] = {"post": post_labels(contract, by_key)}
    paths["/jobs/{job_id}"] = {"get": get_job()}
    paths["/models/{model}/jobs"] = {"post": unknown_model("postJob")}
    paths["/models/{model}/labels"] = {"post": unknown_model("recordLabels")}
    paths["/models/{model}/predictions"] = {"post": unknown_model("predict")}
    paths["/models/{model}/shadow"] = {"post": unknown_model("compare")}
    return {
        "openapi": "3.0.1",
        "info": {
            "title": "boringml",
            "version": "1.0.0",
            "description": "Predictions of the released models. Requests are signed (SigV4).",
        },
        "paths": paths,
        "components": {"schemas": components, "examples": examples},
        "x-amazon-apigateway-request-validators": {
            "parameters": {"validateRequestParameters": True, "validateRequestBody": False},
            "body": {"validateRequestParameters": False, "validateRequestBody": True},
        },
        "x-amazon-apigateway-gateway-responses": gateway_responses(),
    }


def rendered(root: Path = ROOT) -> str:
    """Return the text that api/openapi.yaml is to have."""
    body = yaml.dump(
        document(list(online_contracts(root)), async_contracts(root), labelled_contracts(root)),
        Dumper=Plain,
        sort_keys=False,
        width=100,
    )
    return HEADER + body


def main(arguments: list[str] | None = None) -> int:
    """Write the definition, or with --check say whether it is stale; return the exit status."""
    return write_or_check("tools.openapi", __doc__, ROOT, TARGET, rendered, arguments)


if __name__ == "__main__":
    sys.exit(main())
