"""The declarations of the models, as the generators read them: one name in three places."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml


def declared(root: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield (model.yaml, contract.json) of each folder of models/, by name.

    Raises SystemExit, saying what to do, where a copied folder still has another model's name.
    """
    for path in sorted(root.glob("models/*/model.yaml")):
        folder = path.parent
        model = yaml.safe_load(path.read_text())
        contract = json.loads((folder / "contract.json").read_text())
        _hold(folder.name, path, "name", model.get("name"))
        _hold(folder.name, folder / "contract.json", "model", contract.get("model"))
        yield model, contract


def _hold(name: str, file: Path, key: str, found: object) -> None:
    if found != name:
        where = f"models/{name}/{file.name}"
        raise SystemExit(
            f"{where}: `{key}` is {found!r}, and its folder is models/{name}. "
            f"Write {name!r} there, or rename the folder."
        )
