"""Methods and integrations of a REST API, from the operations of its OpenAPI definition."""

import json
from typing import Any

from ministack.services import apigateway_v1 as gateway

from local.aws.apigateway.models import ModelImport

PLACES = {"query": "querystring", "header": "header", "path": "path"}
INTEGRATION = "x-amazon-apigateway-integration"
# Extensions of an operation that are taken; another one is refused by name.
EXTENSIONS = (
    INTEGRATION,
    "x-amazon-apigateway-auth",
    "x-amazon-apigateway-request-validator",
)
AUTHORISATIONS = ("NONE", "AWS_IAM")


def answered(response: tuple[int, dict[str, str], bytes]) -> dict[str, Any]:
    """Return the body of an answer of API Gateway; raise ValueError where it is an error."""
    status, _headers, body = response
    content: dict[str, Any] = json.loads(body or b"{}")
    if status >= 400:
        raise ValueError(f"Unable to import the API: {content.get('message', content)}")
    return content


class OperationImport:
    """Adds operations of one definition to the resources of one API.

    `schemes` are its security schemes as MiniStack imports them, `validators` the ids of its
    request validators by name.
    """

    def __init__(
        self,
        api_id: str,
        spec: dict[str, Any],
        schemes: dict[str, Any],
        models: ModelImport,
        validators: dict[str, str],
    ) -> None:
        self._api_id = api_id
        self._spec = spec
        self._schemes = schemes
        self._models = models
        self._validators = validators

    def add(
        self, resource_id: str, method: str, operation: dict[str, Any], shared: list[Any]
    ) -> None:
        """Add one operation; `shared` are the parameters of its path item.

        Raises ValueError for an extension that is not emulated.
        """
        for name in operation:
            if name.startswith("x-amazon-apigateway-") and name not in EXTENSIONS:
                raise ValueError(f"OpenAPI extension {name} is not emulated")
        place = (self._api_id, resource_id, method)
        answered(gateway._put_method(*place, self._method(operation, shared)))
        for status, response in operation.get("responses", {}).items():
            names = (self._resolved(response).get("headers") or {}).keys()
            headers = {f"method.response.header.{name}": False for name in names}
            answered(
                gateway._put_method_response(*place, str(status), {"responseParameters": headers})
            )
        if INTEGRATION in operation:
            self._integrate(place, operation[INTEGRATION])

    def _method(self, operation: dict[str, Any], shared: list[Any]) -> dict[str, Any]:
        data: dict[str, Any] = gateway._method_security(
            operation.get("security", self._spec.get("security")), self._schemes
        )
        if (auth := operation.get("x-amazon-apigateway-auth")) is not None:
            data["authorizationType"] = str(auth.get("type", "")).upper()
            if data["authorizationType"] not in AUTHORISATIONS:
                raise ValueError(f"x-amazon-apigateway-auth of type {auth.get('type')!r}")
        data["operationName"] = operation.get("operationId", "")
        parameters = [self._resolved(item) for item in (*shared, *operation.get("parameters", []))]
        data["requestParameters"] = {
            f"method.request.{PLACES[item['in']]}.{item['name']}": bool(item.get("required"))
            for item in parameters
            if item["in"] in PLACES
        }
        data["requestModels"] = {
            kind: self._models.name_of(media["schema"])
            for kind, media in self._resolved(operation.get("requestBody") or {})
            .get("content", {})
            .items()
            if "schema" in media
        }
        name = operation.get(
            "x-amazon-apigateway-request-validator",
            self._spec.get("x-amazon-apigateway-request-validator"),
        )
        if name is not None:
            if name not in self._validators:
                raise ValueError(f"Unable to import the API: no request validator {name!r}")
            data["requestValidatorId"] = self._validators[name]
        return data

    def _integrate(self, place: tuple[str, str, str], integration: dict[str, Any]) -> None:
        data = {name: value for name, value in integration.items() if name != "responses"}
        data["type"] = str(integration.get("type", "")).upper()
        behaviour = integration.get("passthroughBehavior", "when_no_match")
        data["passthroughBehavior"] = behaviour.upper()
        answered(gateway._put_integration(*place, data))
        for pattern, response in integration.get("responses", {}).items():
            mapped = {"selectionPattern": "" if pattern == "default" else pattern, **response}
            status = str(response.get("statusCode", "200"))
            answered(gateway._put_integration_response(*place, status, mapped))

    def _resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        """Follow a $ref into the definition's own components."""
        reference = node.get("$ref")
        if reference is None:
            return node
        found: Any = self._spec
        for part in str(reference).removeprefix("#/").split("/"):
            found = found[part]
        return self._resolved(found)
