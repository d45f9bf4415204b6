import json
from pathlib import Path
from typing import Any

import pytest

from boringml.errors import BoringError
from container.trainer.job import Job, read_job
from container.trainer.paths import Paths

MODELS = Path(__file__).resolve().parents[3] / "models"


def job(root: Path, hyperparameters: Any) -> Job:
    paths = Paths(root)
    paths.hyperparameters.parent.mkdir(parents=True)
    text = hyperparameters if isinstance(hyperparameters, str) else json.dumps(hyperparameters)
    paths.hyperparameters.write_text(text)
    return read_job(paths, MODELS)


def test_the_folders_are_those_of_sagemaker_unless_ml_root_says_otherwise() -> None:
    assert Paths.of({}).failure == Path("/opt/ml/output/failure")
    assert Paths.of({"ML_ROOT": "/tmp/x"}).channel("train") == Path("/tmp/x/input/data/train")


def test_the_model_alone_is_enough_and_the_rest_is_declared(tmp_path: Path) -> None:
    found = job(tmp_path, {"model": "credit"})
    assert found.seed == found.declaration["training"]["seed"]
    assert found.parameters == found.declaration["training"]["parameters"]
    assert (found.git_commit, found.live_model_version, found.live_digest) == (
        "unknown",
        None,
        None,
    )


def test_a_hyperparameter_overrides_with_the_type_that_is_declared(tmp_path: Path) -> None:
    found = job(
        tmp_path,
        {
            "model": "credit",
            "seed": "7",
            "n_estimators": "30",
            "learning_rate": "1",
            "git_commit": "abc",
            "live_model_version": "3",
            "live_digest": "sha256:00",
        },
    )
    assert (found.seed, found.git_commit) == (7, "abc")
    assert (found.live_model_version, found.live_digest) == (3, "sha256:00")
    assert found.parameters["n_estimators"] == 30
    assert type(found.parameters["learning_rate"]) is float


@pytest.mark.parametrize(
    ("hyperparameters", "code"),
    [
        ({}, "model_unknown"),
        ({"model": "nobody"}, "model_unknown"),
        ({"model": "../credit"}, "model_unknown"),
        ({"model": "schemas"}, "model_unknown"),
        ({"model": "credit", "seed": "seven"}, "hyperparameter_invalid"),
        ({"model": "credit", "n_estimators": "1.5"}, "hyperparameter_invalid"),
        ({"model": "credit", "n_estimators": 30}, "hyperparameter_invalid"),
        ({"model": "credit", "n_jobs": "2"}, "hyperparameter_unknown"),
        ("{", "hyperparameter_invalid"),
        ("[]", "hyperparameter_invalid"),
    ],
)
def test_a_job_that_cannot_be_meant_is_refused(
    tmp_path: Path, hyperparameters: Any, code: str
) -> None:
    with pytest.raises(BoringError) as caught:
        job(tmp_path, hyperparameters)
    assert caught.value.code == code


def test_a_job_without_hyperparameters_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BoringError) as caught:
        read_job(Paths(tmp_path), MODELS)
    assert caught.value.code == "hyperparameters_missing"
