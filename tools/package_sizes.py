"""Weigh what `sam build` made: every function with its layers, unzipped, against Lambda's limit.

`python -m tools.package_sizes [build directory]`; without a name, .aws-sam/build.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
MEBIBYTE = 1024 * 1024
# "Lambda quotas": 250 MB for a function and its layers, unzipped, of 1024 * 1024 bytes each.
LIMIT = 250 * MEBIBYTE
FUNCTION, LAYER = "AWS::Serverless::Function", "AWS::Serverless::LayerVersion"
APPLICATION = "AWS::Serverless::Application"
Layers = dict[str, Path]


class Loader(yaml.SafeLoader):
    """YAML with the short form of intrinsic functions."""


def intrinsic(loader: Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    """Return the long form of one short form."""
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    if isinstance(node, yaml.MappingNode):
        return {name: loader.construct_mapping(node, deep=True)}
    raise ValueError(f"!{suffix} has no value")


yaml.add_multi_constructor("!", intrinsic, Loader)


def size(directory: Path) -> int:
    """Return the bytes of all files below a directory."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def layer_paths(references: Any, known: Layers) -> list[Path]:
    """Return the directories of layers that a function or Globals names; raise ValueError."""
    found = []
    for reference in references or []:
        name = reference.get("Ref") if isinstance(reference, dict) else None
        if name not in known:
            raise ValueError(f"layer {reference} is not one that this build made")
        found.append(known[name])
    return found


def functions(template: Path, given: Layers, prefix: str = "") -> Iterator[tuple[str, list[Path]]]:
    """Yield each function's name and its directories, those of nested applications too.

    `given` holds the layers that the parent passes in, by parameter. Raises ValueError for a layer
    that cannot be resolved: its weight is not known.
    """
    body = yaml.load(template.read_text(), Loader)  # noqa: S506 - a SafeLoader
    resources = body.get("Resources", {})
    shared = body.get("Globals", {}).get("Function", {}).get("Layers", [])
    own = {
        name: template.parent / resource["Properties"]["ContentUri"]
        for name, resource in resources.items()
        if resource["Type"] == LAYER
    }
    known = {**given, **own}
    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        if resource["Type"] == FUNCTION:
            layers = layer_paths([*shared, *properties.get("Layers", [])], known)
            yield prefix + name, [template.parent / properties["CodeUri"], *layers]
        elif resource["Type"] == APPLICATION:
            passed = {
                parameter: known[value["Ref"]]
                for parameter, value in properties.get("Parameters", {}).items()
                if isinstance(value, dict) and value.get("Ref") in known
            }
            nested = template.parent / properties["Location"]
            yield from functions(nested, passed, f"{prefix}{name}/")


def main(arguments: list[str]) -> int:
    """Print one line for each function; return 1 if one is above the limit."""
    build = Path(arguments[0]) if arguments else ROOT / ".aws-sam" / "build"
    template = build / "template.yaml"
    if not template.exists():
        print(f"{template} is not there: run sam build")
        return 1
    fits = True
    for name, directories in functions(template, {}):
        total = sum(map(size, directories))
        parts = ", ".join(f"{path.name} {size(path) / MEBIBYTE:.1f}" for path in directories)
        verdict = "" if total <= LIMIT else f": above the limit of {LIMIT // MEBIBYTE} MB"
        print(f"{name}: {total / MEBIBYTE:.1f} MB ({parts}){verdict}")
        fits = fits and total <= LIMIT
    return 0 if fits else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
