"""What a job asks for: hyperparameters over the declarations of models/<name>/."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from boringml.errors import BoringError
from container.trainer.paths import Paths

Parameter = str | int | float

# Hyperparameters of the platform; every other one is a parameter of the model.
PLATFORM = frozenset({"model", "seed", "git_commit", "live_model_version", "live_digest"})
MODEL_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


@dataclass(frozen=True)
class Job:
    """One training: which model, from what declarations, with which numbers."""

    model: str
    folder: Path
    declaration: dict[str, Any]
    contract: dict[str, Any]
    seed: int
    parameters: dict[str, Parameter]
    git_commit: str
    live_model_version: int | None
    live_digest: str | None

    @property
    def holdout_share(self) -> float:
        return float(self.declaration["training"]["holdout"])

    @property
    def threshold(self) -> float:
        return float(self.contract["decision"]["threshold"])

    @property
    def parity_gate(self) -> dict[str, Any]:
        """{"max_difference", "flipped_labels"} that an exported model may show at most."""
        return dict(self.declaration["gates"]["parity"])


def read_job(paths: Paths, models: Path) -> Job:
    """Return the job that hyperparameters.json describes.

    Raises BoringError `hyperparameters_missing`, `hyperparameter_invalid`,
    `hyperparameter_unknown` or `model_unknown`.
    """
    given = _read_hyperparameters(paths.hyperparameters)
    model = given.get("model", "")
    folder = models / model
    if not MODEL_NAME.fullmatch(model) or not (folder / "model.yaml").is_file():
        known = sorted(path.parent.name for path in models.glob("*/model.yaml"))
        raise BoringError(
            "model_unknown",
            f"There is no model {model!r}: the hyperparameter `model` is one of {known}.",
            status=422,
        )
    declaration = yaml.safe_load((folder / "model.yaml").read_text())
    training = declaration["training"]
    version = given.get("live_model_version")
    return Job(
        model=model,
        folder=folder,
        declaration=declaration,
        contract=json.loads((folder / "contract.json").read_text()),
        seed=_whole("seed", given.get("seed", str(training["seed"]))),
        parameters=_parameters(training["parameters"], given),
        git_commit=given.get("git_commit", "unknown"),
        live_model_version=None if version is None else _whole("live_model_version", version),
        live_digest=given.get("live_digest"),
    )


def _read_hyperparameters(path: Path) -> dict[str, str]:
    if not path.is_file():
        raise BoringError(
            "hyperparameters_missing",
            f"{path} does not exist: give the job the hyperparameter `model`.",
            status=422,
        )
    try:
        given = json.loads(path.read_text())
    except ValueError as error:
        raise BoringError(
            "hyperparameter_invalid", f"{path} is not JSON: {error}.", status=422
        ) from error
    if not isinstance(given, dict) or not all(isinstance(v, str) for v in given.values()):
        raise BoringError(
            "hyperparameter_invalid",
            f"{path} must map names to strings, as SageMaker writes it.",
            status=422,
        )
    return given


def _parameters(declared: dict[str, Parameter], given: dict[str, str]) -> dict[str, Parameter]:
    """The declared parameters, overridden by the given ones, each with its declared type."""
    unknown = sorted(set(given) - PLATFORM - set(declared))
    if unknown:
        raise BoringError(
            "hyperparameter_unknown",
            f"The model has no parameter {unknown[0]!r}: model.yaml declares {sorted(declared)}.",
            status=422,
        )
    return {name: _typed(name, value, given.get(name)) for name, value in declared.items()}


def _typed(name: str, declared: Parameter, given: str | None) -> Parameter:
    if given is None:
        return declared
    try:
        return type(declared)(given)
    except ValueError as error:
        raise BoringError(
            "hyperparameter_invalid",
            f"{name} is {given!r}, and model.yaml declares it as {type(declared).__name__}.",
            status=422,
        ) from error


def _whole(name: str, given: str) -> int:
    return int(_typed(name, 0, given))
