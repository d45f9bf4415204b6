"""api/openapi.yaml says what the contracts say, in what API Gateway imports."""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import botocore.session
import jsonschema
import pytest
import yaml
from openapi_spec_validator import validate

from boringml.errors import STATUSES
from tools import openapi

DOCUMENT = yaml.safe_load(openapi.TARGET.read_text())
CONTRACTS = list(openapi.online_contracts())
SERVING = openapi.ROOT / "layers/core/boringml/serving"
ASKED_FOR = {
    "ACCESS_DENIED",
    "API_CONFIGURATION_ERROR",
    "BAD_REQUEST_BODY",
    "BAD_REQUEST_PARAMETERS",
    "DEFAULT_4XX",
    "DEFAULT_5XX",
    "EXPIRED_TOKEN",
    "INTEGRATION_FAILURE",
    "INTEGRATION_TIMEOUT",
    "INVALID_SIGNATURE",
    "MISSING_AUTHENTICATION_TOKEN",
    "QUOTA_EXCEEDED",
    "REQUEST_TOO_LARGE",
    "RESOURCE_NOT_FOUND",
    "THROTTLED",
    "UNAUTHORIZED",
    "UNSUPPORTED_MEDIA_TYPE",
}
GATEWAY_RESPONSES = DOCUMENT["x-amazon-apigateway-gateway-responses"]
# "Amazon API Gateway important notes": refused or ignored in models.
UNSUPPORTED = {"exclusiveMinimum", "exclusiveMaximum", "discriminator", "readOnly", "example"}


def resolved(node: Any) -> Any:
    """Return the document with a text in place of each intrinsic function."""
    if isinstance(node, dict):
        if any(key.startswith("Fn::") for key in node if isinstance(key, str)):
            return "resolved"
        return {key: resolved(value) for key, value in node.items()}
    return [resolved(item) for item in node] if isinstance(node, list) else node


def keys(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from node
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from keys(item)


def test_file_is_fresh() -> None:
    assert openapi.TARGET.read_text() == openapi.rendered(), "run python -m tools.openapi"


def test_check_tells_a_stale_file(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "openapi.yaml"
    monkeypatch.setattr(openapi, "ROOT", tmp_path)
    monkeypatch.setattr(openapi, "TARGET", target)
    monkeypatch.setattr(openapi, "rendered", lambda: "new\n")
    target.write_text("old\n")
    assert openapi.main(["--check"]) == 1
    assert openapi.main([]) == 0
    assert openapi.main(["--check"]) == 0


def test_document_is_openapi() -> None:
    validate(resolved(DOCUMENT))


def test_schemas_are_those_api_gateway_imports() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert all(re.fullmatch(r"[A-Za-z0-9]+", name) for name in schemas)
    assert not UNSUPPORTED & set(keys(schemas))


@pytest.mark.parametrize("kind", GATEWAY_RESPONSES)
def test_each_failure_at_the_edge_is_json_with_a_documented_code(kind: str) -> None:
    body = json.loads(GATEWAY_RESPONSES[kind]["responseTemplates"]["application/json"])
    documented = DOCUMENT["components"]["schemas"]["ApiError"]["properties"]["error"]["properties"]
    assert body["error"]["code"] in documented["code"]["enum"]
    assert body["error"]["message"]
    assert body["request_id"] == "$context.requestId"
    assert GATEWAY_RESPONSES[kind]["responseParameters"] == {
        "gatewayresponse.header.X-Request-Id": "context.requestId"
    }
    # A default for several statuses leaves each its own.
    assert GATEWAY_RESPONSES[kind].get("statusCode") == STATUSES.get(body["error"]["code"])


def test_every_failure_at_the_edge_has_an_answer_of_a_type_that_exists() -> None:
    model = botocore.session.get_session().get_service_model("apigateway")
    assert set(GATEWAY_RESPONSES) >= ASKED_FOR
    assert set(GATEWAY_RESPONSES) <= set(model.shape_for("GatewayResponseType").enum)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract["model"])
def test_every_error_of_a_contract_is_documented_with_its_status(contract: dict[str, Any]) -> None:
    operation = DOCUMENT["paths"][f"/models/{contract['model']}/predictions"]["post"]
    for error in contract["errors"]:
        assert error["status"] == STATUSES[error["code"]]
        assert f"`{error['code']}`" in operation["responses"][str(error["status"])]["description"]


def test_every_code_that_serving_raises_is_in_the_catalogue() -> None:
    calls = [
        node
        for path in SERVING.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "BoringError"
    ]
    codes = {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)}
    assert len(codes) > 8
    assert codes <= set(STATUSES)
    assert all(len(call.args) == 2 for call in calls), "the catalogue has the status"


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract["model"])
def test_examples_are_those_of_the_contract_and_fit_their_schemas(
    contract: dict[str, Any],
) -> None:
    operations = [
        DOCUMENT["paths"][f"/models/{contract['model']}/{verb}"]["post"]
        for verb in ("predictions", "shadow")
    ]
    bodies = [b for o in operations for b in (o["requestBody"], *o["responses"].values())]
    seen = []
    for media in (body["content"]["application/json"] for body in bodies):
        # The schemas are of draft 4, with references into the document.
        schema = {**DOCUMENT, **media["schema"]}
        for example in media["examples"].values():
            value = example.get("value") or resolve(example["$ref"])["value"]
            jsonschema.Draft4Validator(schema).validate(value)
            seen.append(value)
    for example in contract["examples"]:
        assert example["record"] in seen


def resolve(reference: str) -> Any:
    node: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def test_every_answer_has_the_request_id_in_a_header() -> None:
    for item in DOCUMENT["paths"].values():
        for operation in item.values():
            for response in operation["responses"].values():
                assert "X-Request-Id" in response["headers"]


def test_the_edge_leaves_bodies_to_the_function() -> None:
    validators = DOCUMENT["x-amazon-apigateway-request-validators"]
    assert not validators["parameters"]["validateRequestBody"]
    assert validators["body"]["validateRequestBody"]
    for path, item in DOCUMENT["paths"].items():
        for operation in item.values():
            # Where a queue is behind the edge, nobody else could tell the client.
            held = "body" if operation["operationId"].startswith("postJob") else "parameters"
            if path != "/models/{model}/jobs":
                assert operation["x-amazon-apigateway-request-validator"] == held


def test_the_file_is_one_that_an_include_reads() -> None:
    text = openapi.TARGET.read_text()
    assert not re.search(r"(^|\s)[&*][A-Za-z0-9]+\s*$", text, re.MULTILINE), "no anchors"
    assert not re.search(r"(^|[:-]\s)![A-Za-z]", text, re.MULTILINE), "no short-form functions"
    functions = {key for key in keys(DOCUMENT) if key.startswith(("Fn::", "Ref"))}
    assert functions == {"Fn::GetAtt", "Fn::Sub"}


def test_a_model_that_is_not_online_has_no_path(tmp_path: Any) -> None:
    for name, pattern in (("credit", "online"), ("churn", "batch")):
        folder = tmp_path / "models" / name
        folder.mkdir(parents=True)
        (folder / "model.yaml").write_text(f"name: {name}\npatterns: [{pattern}]\n")
        (folder / "contract.json").write_text(json.dumps({**CONTRACTS[0], "model": name}))
    paths = yaml.safe_load(openapi.rendered(tmp_path))["paths"]
    assert list(paths) == [
        "/models/credit/predictions",
        "/models/credit/shadow",
        "/jobs/{job_id}",
        "/models/{model}/jobs",
        "/models/{model}/labels",
        "/models/{model}/predictions",
        "/models/{model}/shadow",
    ]


def test_the_name_of_a_model_becomes_one_of_letters_and_digits() -> None:
    contract = {**CONTRACTS[0], "model": "home-loans_2"}
    names = openapi.document([contract])["components"]["schemas"]
    assert "HomeLoans2Record" in names


def test_every_operation_asks_for_a_signature() -> None:
    for path, item in DOCUMENT["paths"].items():
        for operation in item.values():
            assert operation["x-amazon-apigateway-auth"] == {"type": "AWS_IAM"}, path


@pytest.mark.parametrize("verb", ["predictions", "shadow", "labels"])
def test_an_unknown_model_is_answered_with_our_error(verb: str) -> None:
    integration = DOCUMENT["paths"][f"/models/{{model}}/{verb}"]["post"][
        "x-amazon-apigateway-integration"
    ]
    answer = integration["responses"]["default"]
    assert answer["statusCode"] == "404"
    assert answer["responseParameters"] == {
        "method.response.header.X-Request-Id": "context.requestId"
    }
    body = json.loads(answer["responseTemplates"]["application/json"])
    assert body["error"]["code"] == "model_not_found"
