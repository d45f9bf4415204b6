"""Trainings of small models of one's own: other runtimes, and live packages of every kind.

They run inside the test's process, which has scikit-learn loaded already.
"""

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import yaml

from boringml.package import layout, manifest
from container.trainer.main import main
from local.datasets import write
from tests.integration.training.ml_root import MlRoot

TREES = """
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline

def build_pipeline(features, parameters, seed):
    return Pipeline([("model", RandomForestClassifier(random_state=seed, **parameters))])
"""
HISTOGRAMS = """
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline

def build_pipeline(features, parameters, seed):
    return Pipeline([("model", HistGradientBoostingClassifier(random_state=seed))])
"""
OWN_CODE = """
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

def double(values):
    return values * 2

def build_pipeline(features, parameters, seed):
    return Pipeline([("double", FunctionTransformer(double)), ("model", LogisticRegression())])
"""
CRASH = """
def build_pipeline(features, parameters, seed):
    raise ZeroDivisionError("oh dear")
"""


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """main() answers SIGTERM for its own process: give the test's process its answer back."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


class Repository:
    """A repository with one model, `toy`: two numbers, a label that follows them."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self._monkeypatch = monkeypatch
        self.folder = root / "models" / "toy"
        self.folder.mkdir(parents=True)
        self.contract: dict[str, Any] = {
            "model": "toy",
            "version": "1.0.0",
            "request": {
                "properties": {
                    name: {"type": "number", "minimum": -10, "maximum": 10} for name in ("x", "y")
                }
            },
            "decision": {"target": "Class", "positive": "in", "negative": "out", "threshold": 0.5},
            "data": {
                "max_bytes": 10**6,
                "min_rows": 10,
                "max_null_fraction": {},
                "min_positive_share": 0.01,
                "max_positive_share": 0.99,
            },
            "examples": [{"name": "the middle", "record": {"x": 0, "y": 0}}],
        }
        self.declaration: dict[str, Any] = {
            "name": "toy",
            "description": "Whether a point lies above a line.",
            "owner": "tests",
            "cost_centre": "tests",
            "training": {"seed": 1, "holdout": 0.2, "parameters": {"n_estimators": 5}},
            "gates": {"parity": {"max_difference": 1e-6, "flipped_labels": 0}},
        }

    def train(self, job: MlRoot, recipe: str = TREES) -> int:
        (self.folder / "train.py").write_text(recipe)
        (self.folder / "contract.json").write_text(json.dumps(self.contract))
        (self.folder / "model.yaml").write_text(yaml.safe_dump(self.declaration))
        write(points(list(self.contract["request"]["properties"])), job.train / "a.csv", "csv")
        self._monkeypatch.setenv("ML_ROOT", str(job.root))
        return main(self.root)


def points(names: list[str]) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({name: rng.normal(size=400).clip(-9, 9) for name in names})
    above = frame.sum(axis=1) + rng.normal(scale=0.3, size=400) > 0
    return frame.assign(Class=np.where(above, "in", "out"))


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    return Repository(tmp_path / "repository", monkeypatch)


@pytest.fixture
def job(tmp_path: Path) -> MlRoot:
    return MlRoot(tmp_path / "job", model="toy")


def with_live(tmp_path: Path, live: MlRoot, **hyperparameters: str) -> MlRoot:
    job = MlRoot(tmp_path / "next", model="toy", live_model_version="4", **hyperparameters)
    shutil.copytree(live.model, job.live)
    return job


def test_a_model_of_numbers_alone_is_exported(toy: Repository, job: MlRoot) -> None:
    assert toy.train(job) == 0
    assert job.document(layout.EVALUATION)["runtime"] == "onnx"


def test_a_model_without_onnx_form_is_packaged_for_sklearn_and_says_why(
    toy: Repository, job: MlRoot
) -> None:
    assert toy.train(job, HISTOGRAMS) == 0
    found = job.document(layout.EVALUATION)
    assert (found["runtime"], found["parity"]["max_difference"]) == ("sklearn", None)
    assert found["parity"]["reason"]["code"] == "export_failed"
    listing = job.document(layout.MANIFEST)
    assert listing["runtime"] == "sklearn"
    assert layout.ONNX_MODEL not in listing["files"]
    assert not (job.model / layout.ONNX_MODEL).exists()
    assert "Runtime `sklearn`" in job.content(layout.CARD).decode()


def test_an_export_that_misses_the_parity_gate_is_left_out(toy: Repository, job: MlRoot) -> None:
    toy.declaration["gates"]["parity"]["max_difference"] = 1e-12
    assert toy.train(job) == 0
    found = job.document(layout.EVALUATION)
    assert found["runtime"] == "sklearn"
    assert found["parity"]["max_difference"] > 1e-12
    assert found["parity"]["rows_off"] > 0
    assert found["parity"]["reason"]["code"] == "parity"
    assert not (job.model / layout.ONNX_MODEL).exists()


def test_a_pipeline_that_needs_train_py_to_load_is_refused(toy: Repository, job: MlRoot) -> None:
    assert toy.train(job, OWN_CODE) == 1
    assert job.failure.startswith("model_not_portable: ")


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ("", "it has no function build_pipeline"),
        ("def build_pipeline(features, parameters, seed):\n    return 1\n", "must return"),
    ],
)
def test_a_recipe_that_builds_no_pipeline_is_refused(
    toy: Repository, job: MlRoot, recipe: str, words: str
) -> None:
    assert toy.train(job, recipe) == 1
    assert job.failure.startswith("recipe_invalid: models/toy/train.py")
    assert words in job.failure


def test_a_crash_is_told_and_not_swallowed(toy: Repository, job: MlRoot) -> None:
    with pytest.raises(ZeroDivisionError):
        toy.train(job, CRASH)
    assert job.failure.startswith("internal_error: ZeroDivisionError: oh dear")


def test_a_live_package_with_a_changed_model_is_refused_before_it_is_loaded(
    tmp_path: Path, toy: Repository, job: MlRoot
) -> None:
    assert toy.train(job, HISTOGRAMS) == 0
    following = with_live(tmp_path, job)
    witness = tmp_path / "ran"
    joblib.dump(_Malice(witness), following.live / layout.JOBLIB_MODEL)
    assert toy.train(following, HISTOGRAMS) == 1
    assert following.failure.startswith("digest_mismatch: model.joblib")
    assert not witness.exists()
    assert not following.model.exists()


class _Malice:
    """A pickle that writes a file when it is loaded."""

    def __init__(self, witness: Path) -> None:
        self._witness = witness

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self._witness,))


def test_the_pickle_of_malice_does_run_when_it_is_loaded(tmp_path: Path) -> None:
    witness = tmp_path / "ran"
    joblib.dump(_Malice(witness), tmp_path / "model.joblib")
    joblib.load(tmp_path / "model.joblib")
    assert witness.exists()


def test_a_live_package_that_was_replaced_as_a_whole_is_refused_by_its_digest(
    tmp_path: Path, toy: Repository, job: MlRoot
) -> None:
    assert toy.train(job) == 0
    following = with_live(tmp_path, job, live_digest="sha256:" + "0" * 64)
    assert toy.train(following) == 1
    assert following.failure.startswith("digest_mismatch: manifest.json")


def test_a_live_package_without_a_file_is_refused(
    tmp_path: Path, toy: Repository, job: MlRoot
) -> None:
    assert toy.train(job) == 0
    following = with_live(tmp_path, job)
    (following.live / layout.BASELINE).unlink()
    assert toy.train(following) == 1
    assert following.failure.startswith("package_incomplete: baseline.json")


def test_a_live_package_of_another_model_is_refused(
    tmp_path: Path, toy: Repository, job: MlRoot
) -> None:
    assert toy.train(job) == 0
    following = with_live(tmp_path, job)
    listing = json.loads((following.live / layout.MANIFEST).read_text()) | {"model": "other"}
    (following.live / layout.MANIFEST).write_bytes(manifest.canonical(listing))
    assert toy.train(following) == 1
    assert following.failure.startswith("live_wrong_model: ")


@pytest.mark.parametrize("recipe", [TREES, HISTOGRAMS])
def test_a_live_model_of_either_runtime_is_judged(
    tmp_path: Path, toy: Repository, job: MlRoot, recipe: str
) -> None:
    assert toy.train(job, recipe) == 0
    following = with_live(tmp_path, job)
    assert toy.train(following, recipe) == 0
    found = following.document(layout.EVALUATION)
    assert found["live"] == {
        "model_version": 4,
        "metrics": found["metrics"],
        "same_holdout": True,
        "reason": None,
    }


def test_a_live_model_of_an_older_contract_is_judged_but_marked(
    tmp_path: Path, toy: Repository, job: MlRoot
) -> None:
    assert toy.train(job) == 0
    toy.contract["request"]["properties"]["z"] = {"type": "number", "minimum": -10, "maximum": 10}
    toy.contract["examples"][0]["record"]["z"] = 0
    following = with_live(tmp_path, job)
    assert toy.train(following) == 0
    live = following.document(layout.EVALUATION)["live"]
    assert live["metrics"] is not None
    assert live["same_holdout"] is False


def test_a_live_model_that_held_out_fewer_rows_is_marked(
    tmp_path: Path, toy: Repository, job: MlRoot
) -> None:
    assert toy.train(job) == 0
    toy.declaration["training"]["holdout"] = 0.3
    following = with_live(tmp_path, job)
    assert toy.train(following) == 0
    assert following.document(layout.EVALUATION)["live"]["same_holdout"] is False


def test_a_live_model_that_needs_a_feature_that_is_gone_has_no_metrics(
    tmp_path: Path, toy: Repository, job: MlRoot
) -> None:
    assert toy.train(job) == 0
    del toy.contract["request"]["properties"]["y"]
    del toy.contract["examples"][0]["record"]["y"]
    following = with_live(tmp_path, job)
    assert toy.train(following) == 0
    live = following.document(layout.EVALUATION)["live"]
    assert live["metrics"] is None
    assert live["reason"]["code"] == "live_not_comparable"
    assert "| none |" in following.content(layout.CARD).decode()


def test_a_checkpoint_that_was_cut_off_is_passed_over(toy: Repository, job: MlRoot) -> None:
    job.checkpoints.mkdir()
    toy.declaration["training"]["parameters"]["n_estimators"] = 20
    assert toy.train(job) == 0
    whole = job.content(layout.ONNX_MODEL)
    (stored,) = job.checkpoints.glob("*.joblib")
    stored.write_bytes(stored.read_bytes()[:-10])
    assert toy.train(job) == 0
    assert job.content(layout.ONNX_MODEL) == whole


def test_a_checkpoint_of_other_parameters_is_not_taken(
    toy: Repository, job: MlRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    job.checkpoints.mkdir()
    assert toy.train(job) == 0
    toy.declaration["training"]["parameters"]["n_estimators"] = 3
    assert toy.train(job) == 0
    assert "resumed" not in capsys.readouterr().out


def test_a_checkpoint_of_another_recipe_is_not_taken(
    toy: Repository, job: MlRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    job.checkpoints.mkdir()
    assert toy.train(job) == 0
    assert toy.train(job, TREES + "# another\n") == 0
    assert "resumed" not in capsys.readouterr().out


def test_a_fit_in_stages_leaves_no_trace_in_the_model(toy: Repository, job: MlRoot) -> None:
    job.checkpoints.mkdir()
    assert toy.train(job) == 0
    (_, model) = joblib.load(job.model / layout.JOBLIB_MODEL).steps[-1]
    assert (model.n_estimators, len(model.estimators_), model.warm_start) == (5, 5, False)
