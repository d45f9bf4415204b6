"""Models of a REST API, from the schemas of its OpenAPI definition."""

import copy
import hashlib
import json
import re
from typing import Any

from ministack.services import apigateway_v1 as gateway

# "Amazon API Gateway important notes": model names are alphanumeric; these two are dropped.
MODEL_NAME = re.compile(r"[A-Za-z0-9]+")
DROPPED = ("minItems", "maxItems")
REFERENCES = ("#/components/schemas/", "#/definitions/")


class ModelImport:
    """Turns schemas of one definition into models of one API."""

    def __init__(self, api_id: str, spec: dict[str, Any]) -> None:
        self._api_id = api_id
        self._schemas = (spec.get("components") or {}).get("schemas") or spec.get("definitions")

    def import_all(self) -> None:
        """Make a model of each named schema. Raises ValueError for a name that AWS refuses."""
        for name, schema in (self._schemas or {}).items():
            if not MODEL_NAME.fullmatch(name):
                raise ValueError(f"Invalid model name specified: {name}: it must be alphanumeric")
            self._add(name, schema)

    def name_of(self, schema: dict[str, Any]) -> str:
        """Return the model of a body's schema: the referenced one, or one made of it."""
        reference = str(schema.get("$ref", ""))
        for prefix in REFERENCES:
            if reference.startswith(prefix):
                return reference.removeprefix(prefix)
        digest = hashlib.sha256(json.dumps(schema, sort_keys=True).encode()).hexdigest()
        name = f"MODEL{digest[:6]}"
        self._add(name, schema)
        return name

    def _add(self, name: str, schema: dict[str, Any]) -> None:
        gateway._models.setdefault(self._api_id, {})[name] = {
            "id": hashlib.sha256(f"{self._api_id}{name}".encode()).hexdigest()[:6],
            "name": name,
            "description": schema.get("description", ""),
            "contentType": "application/json",
            "schema": json.dumps(self._converted(copy.deepcopy(schema))),
        }

    def _converted(self, node: Any) -> Any:
        """Point references at models, and drop what AWS drops."""
        if isinstance(node, list):
            return [self._converted(item) for item in node]
        if not isinstance(node, dict):
            return node
        found = {}
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                name = value.rsplit("/", 1)[-1]
                value = f"https://apigateway.amazonaws.com/restapis/{self._api_id}/models/{name}"
            if key in DROPPED and isinstance(value, int):
                continue
            found[key] = self._converted(value)
        return found
