"""What makes two versions of a model differ, from what the registry and their packages say."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from boringml.contract.incompatibilities import incompatibilities
from boringml.package import layout
from boringml.package.reader import Package
from boringml.registry.records import ModelVersion

# Before and after, and where both are numbers what was added.
Change = dict[str, Any]
Facts = Mapping[str, Any]


@dataclass(frozen=True)
class VersionFacts:
    """A version with what its package says of it: manifest, evaluation.json, contract.json."""

    version: ModelVersion
    manifest: Facts
    evaluation: Facts
    contract: Facts

    @classmethod
    def of(cls, version: ModelVersion, package: Package) -> "VersionFacts":
        """Return the facts of a version. Raises BoringError as `Package` does."""
        evaluation = json.loads(package.read(layout.EVALUATION))
        contract = json.loads(package.read(layout.CONTRACT))
        return cls(version, package.manifest, evaluation, contract)


def compare(before: VersionFacts, after: VersionFacts) -> dict[str, Any]:
    """Return how `after` differs from `before`, as JSON knows it.

    Each fact is {"before", "after"}, None where a side has none, and for two numbers
    "difference" = after - before. `contract.breaks` are the incompatibilities for clients of
    `before`, `contract.breaks_back` those for clients of `after`.
    """
    one, two = before.manifest, after.manifest
    return {
        "model": after.version.model,
        "version": _change(before.version.number, after.version.number),
        "registered_at": _change(
            before.version.registered_at.isoformat(), after.version.registered_at.isoformat()
        ),
        "package": _change(before.version.package_digest, after.version.package_digest),
        "data": {
            "digest": _change(one["data"].get("digest"), two["data"].get("digest")),
            "rows": _change(one["data"].get("rows"), two["data"].get("rows")),
            "holdout_rows": _change(
                before.evaluation.get("holdout_rows"), after.evaluation.get("holdout_rows")
            ),
            "positive_share": _change(
                before.evaluation.get("positive_share"), after.evaluation.get("positive_share")
            ),
        },
        "training": {
            "git_commit": _change(one["git_commit"], two["git_commit"]),
            "seed": _change(one["seed"], two["seed"]),
            "instance_type": _change(_job(one, "instance_type"), _job(two, "instance_type")),
            "seconds": _change(_job(one, "training_seconds"), _job(two, "training_seconds")),
        },
        "parameters": _changes(one["parameters"], two["parameters"]),
        "metrics": _changes(before.evaluation["metrics"], after.evaluation["metrics"]),
        "contract": {
            "version": _change(before.contract["version"], after.contract["version"]),
            "breaks": incompatibilities(before.contract, after.contract),
            "breaks_back": incompatibilities(after.contract, before.contract),
        },
        "runtime": _change(one["runtime"], two["runtime"]),
        "libraries": _changes(
            {"python": one["python"], **one["libraries"]},
            {"python": two["python"], **two["libraries"]},
        ),
        "cost_usd": _change(before.version.cost_usd, after.version.cost_usd),
    }


def _job(manifest: Facts, name: str) -> Any:
    return manifest.get("training", {}).get(name)


def _changes(before: Facts, after: Facts) -> dict[str, Change]:
    names = sorted({*before, *after})
    return {name: _change(before.get(name), after.get(name)) for name in names}


def _change(before: Any, after: Any) -> Change:
    change = {"before": before, "after": after}
    if _is_number(before) and _is_number(after):
        change["difference"] = after - before
    return change


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
