"""A copied model whose name was left behind is told before anything is generated from it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import dashboards, openapi
from tools.declarations import declared

GENERATORS = (openapi.rendered, dashboards.rendered)


def write(root: Path, folder: str, name: str, model: str) -> None:
    path = root / "models" / folder
    path.mkdir(parents=True)
    (path / "model.yaml").write_text(f"name: {name}\npatterns: [online]\n")
    (path / "contract.json").write_text(json.dumps({"model": model}))


def test_each_model_comes_with_its_contract_by_name(tmp_path: Path) -> None:
    write(tmp_path, "loans", "loans", "loans")
    write(tmp_path, "credit", "credit", "credit")
    names = [(model["name"], contract["model"]) for model, contract in declared(tmp_path)]
    assert names == [("credit", "credit"), ("loans", "loans")]


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize(
    ("name", "model", "file"),
    [("credit", "loans", "model.yaml"), ("loans", "credit", "contract.json")],
)
def test_a_copied_model_that_kept_its_name_is_refused_with_what_to_do(
    generator: Callable[[Path], str], name: str, model: str, file: str, tmp_path: Path
) -> None:
    write(tmp_path, "loans", name, model)
    with pytest.raises(SystemExit) as refused:
        generator(tmp_path)
    said = str(refused.value)
    assert said.startswith(f"models/loans/{file}: ")
    assert "'credit'" in said
    assert "Write 'loans' there, or rename the folder." in said
