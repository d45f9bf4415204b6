"""A layer is read-only: what it holds no bytecode of is compiled again at every start."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
WITH_PACKAGES = ("arrow", "core", "onnx", "sklearn")


@pytest.mark.parametrize("name", WITH_PACKAGES)
def test_each_layer_of_packages_is_built_with_its_bytecode(name: str) -> None:
    makefile = (ROOT / "layers" / name / "Makefile").read_text()
    assert "wheels.mk" in makefile
    assert makefile.rstrip().endswith("$(compile)"), "bytecode is of what is left in the layer"
    resource = f"{name.capitalize()}Layer:"
    template = (ROOT / "template.yaml").read_text()
    block = template.partition(f"  {resource}\n")[2].partition("ContentUri")[0]
    assert f"build-{resource}" in makefile
    assert "BuildMethod: makefile" in block
    assert "layers/targets/${PythonRuntime}-${Architecture}" in block


def test_every_runtime_and_processor_has_its_folder() -> None:
    folders = {path.name for path in (ROOT / "layers" / "targets").iterdir()}
    versions, machines = ("3.11", "3.12", "3.13"), ("arm64", "x86_64")
    assert folders == {f"python{version}-{machine}" for version in versions for machine in machines}
