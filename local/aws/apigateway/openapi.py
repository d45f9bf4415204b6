"""Import of an OpenAPI definition into a REST API.

AWS takes from it, besides paths and integrations, the models, request validators, parameters,
gateway responses, responses of integrations, credentials, time limits and IAM authorisation
("OpenAPI extensions", API Gateway Developer Guide), and a changed definition overwrites the API in
place, so that its id and URL stay (AWS::ApiGateway::RestApi, property Body).
MiniStack 1.5.33 takes type, method and URI of an integration alone, and replaces the API by
another with another id when the definition changes.
Seams: apigateway_v1._import_rest_api, the handler of AWS::ApiGateway::RestApi.
"""

from typing import Any

from ministack.services import apigateway_v1 as gateway
from ministack.services.cloudformation import provisioners

from local.aws.apigateway.models import ModelImport
from local.aws.apigateway.operations import OperationImport, answered
from local.aws.seams import seam

METHODS = ("get", "post", "put", "delete", "patch", "head", "options")
ANY_METHOD = "x-amazon-apigateway-any-method"
# Root extensions that are taken; another one is refused by name.
EXTENSIONS = (
    "x-amazon-apigateway-binary-media-types",
    "x-amazon-apigateway-gateway-responses",
    "x-amazon-apigateway-policy",
    "x-amazon-apigateway-request-validator",
    "x-amazon-apigateway-request-validators",
)


def install() -> None:
    """Import definitions in full, and a changed one into the API that is there."""
    seam(gateway, "_import_rest_api")
    handler = seam(seam(provisioners, "_RESOURCE_HANDLERS"), "AWS::ApiGateway::RestApi")
    create, update = seam(handler, "create"), seam(handler, "update")

    def create_api(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        refuse_unread(props)
        return create(logical_id, props, stack_name)

    def update_api(physical_id: str, old: dict[str, Any], new: dict[str, Any], *rest: Any) -> Any:
        refuse_unread(new)
        if isinstance(new.get("Body"), dict) and new["Body"] != old.get("Body"):
            overwrite(physical_id, new["Body"])
        # What is left to the original has the same body on both sides: no replacement.
        return update(physical_id, {**old, "Body": new.get("Body")}, new, *rest)

    gateway._import_rest_api = import_api
    handler["create"], handler["update"] = create_api, update_api


def refuse_unread(props: dict[str, Any]) -> None:
    """Raise ValueError for a definition that MiniStack would take for an empty one."""
    if "BodyS3Location" in props:
        raise ValueError(
            "AWS::ApiGateway::RestApi BodyS3Location is not emulated: "
            "put the definition into Body, by Fn::Transform AWS::Include"
        )


def import_api(spec: dict[str, Any], base: dict[str, Any] | None = None) -> str:
    """Make a REST API from a definition; return its id. `base` holds the stack's properties."""
    info = spec.get("info") or {}
    data = dict(base or {})
    data["name"] = data.get("name") or str(info.get("title", "unnamed"))
    data["version"] = data.get("version") or str(info.get("version", ""))
    api_id = str(answered(gateway._create_rest_api(data))["id"])
    overwrite(api_id, spec)
    return api_id


def overwrite(api_id: str, spec: dict[str, Any]) -> None:
    """Replace all that a definition declares in the API, which keeps its id and stages.

    Raises ValueError, which fails the stack operation, for what AWS or this emulation refuses.
    """
    for name in spec:
        if name.startswith("x-amazon-apigateway-") and name not in EXTENSIONS:
            raise ValueError(f"OpenAPI extension {name} is not emulated")
    clear(api_id)
    api = gateway._rest_apis[api_id]
    if (types := spec.get("x-amazon-apigateway-binary-media-types")) is not None:
        api["binaryMediaTypes"] = types
    if (policy := spec.get("x-amazon-apigateway-policy")) is not None:
        api["policy"] = policy
    models = ModelImport(api_id, spec)
    models.import_all()
    validators = {
        name: answered(gateway._create_request_validator(api_id, {"name": name, **rules}))["id"]
        for name, rules in spec.get("x-amazon-apigateway-request-validators", {}).items()
    }
    for kind, response in spec.get("x-amazon-apigateway-gateway-responses", {}).items():
        answered(gateway._put_gateway_response(api_id, kind, response))
    schemes = gateway._import_security_schemes(api_id, spec)
    operations = OperationImport(api_id, spec, schemes, models, validators)
    for path, item in spec.get("paths", {}).items():
        resource_id = resource_at(api_id, path)
        for verb, operation in item.items():
            if verb.lower() in METHODS or verb == ANY_METHOD:
                method = "ANY" if verb == ANY_METHOD else verb.upper()
                operations.add(resource_id, method, operation, item.get("parameters", []))


def clear(api_id: str) -> None:
    """Remove what an earlier definition declared; the root resource keeps its id."""
    resources = gateway._resources[api_id]
    root = next(item for item in resources.values() if item["path"] == "/")
    root["resourceMethods"] = {}
    gateway._resources[api_id] = {root["id"]: root}
    for store in (gateway._models, gateway._gateway_responses, gateway._request_validators):
        store[api_id] = {}
    gateway._authorizers_v1[api_id] = {}


def resource_at(api_id: str, path: str) -> str:
    """Return the id of the resource of a path such as /models/{model}, made where needed."""
    resources = gateway._resources[api_id]
    current = next(item for item in resources.values() if item["path"] == "/")
    for part in filter(None, path.split("/")):
        child = next(
            (
                item
                for item in resources.values()
                if item["parentId"] == current["id"] and item["pathPart"] == part
            ),
            None,
        )
        if child is None:
            made = answered(gateway._create_resource(api_id, current["id"], {"pathPart": part}))
            child = gateway._resources[api_id][made["id"]]
        current = child
    return str(current["id"])
