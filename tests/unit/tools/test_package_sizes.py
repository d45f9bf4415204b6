"""A package that Lambda would refuse is told from one that it takes."""

from pathlib import Path

import pytest

from tools import package_sizes

PARENT = """
Globals: {Function: {Layers: [!Ref Core]}}
Resources:
  Core: {Type: "AWS::Serverless::LayerVersion", Properties: {ContentUri: Core}}
  Work: {Type: "AWS::Serverless::Function", Properties: {CodeUri: Work}}
  Online:
    Type: AWS::Serverless::Application
    Properties: {Location: Online/template.yaml, Parameters: {Shared: !Ref Core, Name: credit}}
"""
NESTED = """
Resources:
  Predict:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: Predict, Layers: [Ref: Shared]}
"""


@pytest.fixture
def build(tmp_path: Path) -> Path:
    files = {"Core/a": 40, "Work/b/c": 50, "Online/Predict/d": 70}
    for name, length in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * length)
    (tmp_path / "template.yaml").write_text(PARENT)
    (tmp_path / "Online" / "template.yaml").write_text(NESTED)
    return tmp_path


def test_a_function_weighs_its_code_and_its_layers(build: Path) -> None:
    found = package_sizes.functions(build / "template.yaml", {})
    weights = {name: sum(map(package_sizes.size, paths)) for name, paths in found}
    assert weights == {"Work": 90, "Online/Predict": 110}


@pytest.mark.parametrize(("limit", "status"), [(110, 0), (109, 1)])
def test_only_what_is_above_the_limit_fails(
    build: Path, monkeypatch: pytest.MonkeyPatch, limit: int, status: int
) -> None:
    monkeypatch.setattr(package_sizes, "LIMIT", limit)
    assert package_sizes.main([str(build)]) == status


def test_a_layer_of_unknown_weight_is_refused(build: Path) -> None:
    (build / "template.yaml").write_text(PARENT.replace("[!Ref Core]", "[!Ref Gone]"))
    with pytest.raises(ValueError, match="Gone"):
        list(package_sizes.functions(build / "template.yaml", {}))


def test_nothing_built_is_a_failure(tmp_path: Path) -> None:
    assert package_sizes.main([str(tmp_path)]) == 1
