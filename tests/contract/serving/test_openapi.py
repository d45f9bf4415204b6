"""api/openapi.yaml says what the contracts say, in what API Gateway imports."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from openapi_spec_validator import validate

from tools import openapi

DOCUMENT = yaml.safe_load(openapi.TARGET.read_text())
CONTRACTS = list(openapi.online_contracts())
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


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract["model"])
def test_every_error_of_a_contract_is_documented_with_its_status(contract: dict[str, Any]) -> None:
    operation = DOCUMENT["paths"][f"/models/{contract['model']}/predictions"]["post"]
    for error in contract["errors"]:
        assert f"`{error['code']}`" in operation["responses"][str(error["status"])]["description"]


def test_every_operation_asks_for_a_signature() -> None:
    for path, item in DOCUMENT["paths"].items():
        for operation in item.values():
            assert operation["x-amazon-apigateway-auth"] == {"type": "AWS_IAM"}, path


def test_an_unknown_model_is_answered_with_our_error() -> None:
    integration = DOCUMENT["paths"]["/models/{model}/predictions"]["post"][
        "x-amazon-apigateway-integration"
    ]
    answer = integration["responses"]["default"]
    assert answer["statusCode"] == "404"
    body = json.loads(answer["responseTemplates"]["application/json"])
    assert body["error"]["code"] == "model_not_found"
