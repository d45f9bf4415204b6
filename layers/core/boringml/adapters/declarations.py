"""What the repository declares, from the layer that carries models/ and blueprints/."""

import json
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from boringml.errors import BoringError
from boringml.governance.blueprint import Blueprint


def models() -> list[str]:
    """Return the names of all declared models, sorted."""
    folder = files("boringml_declarations") / "models"
    return sorted(item.name for item in folder.iterdir() if (item / "model.yaml").is_file())


def declaration(model: str) -> dict[str, Any]:
    """Return model.yaml, parsed. Raises BoringError `model_unknown`."""
    found: dict[str, Any] = yaml.safe_load(_file(model, "model.yaml"))
    return found


def contract(model: str) -> dict[str, Any]:
    """Return contract.json, parsed. Raises BoringError `model_unknown`."""
    found: dict[str, Any] = json.loads(_file(model, "contract.json"))
    return found


def blueprint(name: str) -> Blueprint:
    """Return a blueprint by name. Raises BoringError `blueprint_invalid`."""
    path = files("boringml_declarations") / "blueprints" / f"{name}.yaml"
    return Blueprint.parse(yaml.safe_load(_text(path, "blueprint_invalid", f"blueprint {name!r}")))


def _file(model: str, name: str) -> str:
    path = files("boringml_declarations") / "models" / model / name
    return _text(path, "model_unknown", f"model {model!r}")


def _text(path: Traversable, code: str, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise BoringError(code, f"There is no {what} in this deployment.", 404) from error
