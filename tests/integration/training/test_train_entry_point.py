"""`container/train` as a process, on the real data of the credit model."""

import re
import shutil
import sys
from pathlib import Path

import joblib
import numpy as np
import onnxruntime
import pandas as pd
import pytest

from boringml.contract.features import features_of
from boringml.package import layout, manifest
from container.trainer.describe import frame_of_records
from local.datasets import credit, write
from tests.integration.training.ml_root import TIMEOUT, MlRoot, image_tree


@pytest.fixture(scope="module")
def csv(tmp_path_factory: pytest.TempPathFactory) -> MlRoot:
    """The whole set in one CSV file, trained without a live model."""
    job = MlRoot(tmp_path_factory.mktemp("csv"), git_commit="abc")
    write(credit(), job.train / "loans.csv", "csv")
    code, output = job.run(PYTHONHASHSEED="1", OMP_NUM_THREADS="1")
    assert code == 0, output
    (job.root / "output.txt").write_text(output)
    return job


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory, csv: MlRoot) -> MlRoot:
    """The same rows shuffled, as Parquet and JSON Lines, with the first model as the live one.

    It runs on the files that the image holds, and no others.
    """
    job = MlRoot(
        tmp_path_factory.mktemp("mixed"),
        git_commit="abc",
        live_model_version="1",
        live_digest=manifest.package_digest(csv.document(layout.MANIFEST)),
    )
    rows = credit().sample(frac=1, random_state=3)
    write(rows[:4000], job.train / "b.parquet", "parquet")
    write(rows[4000:], job.train / "a.jsonl", "jsonl")
    shutil.copytree(csv.model, job.live)
    repository = image_tree(tmp_path_factory.mktemp("image"))
    code, output = job.run(repository, PYTHONHASHSEED="3", OMP_NUM_THREADS="4")
    assert code == 0, output
    return job


def test_the_package_is_complete_and_proves_itself(csv: MlRoot) -> None:
    listing = manifest.read_manifest(csv.content(layout.MANIFEST))
    manifest.verify(listing, manifest.measure_directory(csv.model))
    assert set(listing["files"]) == set(layout.FILES)
    assert (listing["runtime"], listing["git_commit"]) == ("onnx", "abc")
    assert listing["data"]["rows"] == 9857
    assert [file["name"] for file in listing["data"]["files"]] == ["loans.csv"]
    assert listing["libraries"]["scikit-learn"]
    assert csv.failure == ""


def test_the_manifest_digest_is_what_sha256sum_says_of_the_file(csv: MlRoot) -> None:
    content = csv.content(layout.MANIFEST)
    digest = manifest.package_digest(csv.document(layout.MANIFEST))
    assert digest == "sha256:" + manifest.measure(content)["sha256"]


def test_the_model_ranks_loans_far_better_than_chance(csv: MlRoot) -> None:
    found = csv.document(layout.EVALUATION)
    assert found["metrics"]["roc_auc"] > 0.70
    # The entropy of the base rate, which a constant forecast would score.
    share = 0.0577
    assert found["metrics"]["log_loss"] < -(share * np.log(share) + (1 - share) * np.log(1 - share))
    assert found["holdout_rows"] + found["training_rows"] == 9857
    assert found["live"] is None


def test_the_export_is_faithful_on_every_real_row(csv: MlRoot) -> None:
    found = csv.document(layout.EVALUATION)["parity"]
    assert found["rows"] == 9857
    assert found["max_difference"] <= 1e-6
    assert (found["flipped_labels"], found["rows_off"], found["reason"]) == (0, 0, None)


def test_model_onnx_and_model_joblib_agree_on_rows_prepared_here(csv: MlRoot) -> None:
    features = features_of(csv.document(layout.CONTRACT))
    frame = credit(slice(0, 500))
    numeric = frame[list(features.numeric)].to_numpy(np.float64)
    categorical = frame[list(features.categorical)].to_numpy(object)
    session = onnxruntime.InferenceSession(csv.content(layout.ONNX_MODEL))
    (exported,) = session.run(["probabilities"], {"numeric": numeric, "categorical": categorical})
    columns = pd.concat([frame[list(features.numeric)], frame[list(features.categorical)]], axis=1)
    reference = joblib.load(csv.model / layout.JOBLIB_MODEL).predict_proba(columns)
    assert np.abs(exported - reference).max() < 1e-6


def test_model_joblib_needs_none_of_the_training_code_to_load(
    csv: MlRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [*sys.modules]:
        if name.partition(".")[0] in {"skl2onnx", "onnx", "container", "boringml"}:
            monkeypatch.setitem(sys.modules, name, None)
    assert joblib.load(csv.model / layout.JOBLIB_MODEL).steps[-1][0] == "model"


def test_golden_answers_are_those_of_model_joblib(csv: MlRoot) -> None:
    contract = csv.document(layout.CONTRACT)
    golden = csv.document(layout.GOLDEN)
    frame = frame_of_records([item["record"] for item in golden], features_of(contract))
    scores = joblib.load(csv.model / layout.JOBLIB_MODEL).predict_proba(frame)[:, 1]
    assert [item["record"] for item in golden] == [e["record"] for e in contract["examples"]]
    assert [item["probability"] for item in golden] == scores.tolist()
    assert {item["prediction"] for item in golden} == {"good", "bad"}


def test_the_baseline_describes_every_feature_of_the_rows_learned_from(csv: MlRoot) -> None:
    found = csv.document(layout.BASELINE)
    assert list(found["features"]) == list(features_of(csv.document(layout.CONTRACT)).names)
    assert found["rows"] == csv.document(layout.EVALUATION)["training_rows"]
    assert found["features"]["addr_state"]["shares"]["IA"] == 0.0
    assert sum(found["features"]["int_rate"]["shares"]) == pytest.approx(1)


def test_the_baseline_has_the_answers_to_the_rows_held_out(csv: MlRoot) -> None:
    found, evaluation = csv.document(layout.BASELINE), csv.document(layout.EVALUATION)
    labels, probability = found["prediction"], found["probability"]
    assert labels["count"] == probability["count"] == evaluation["holdout_rows"]
    assert list(labels["shares"]) == ["good", "bad"]
    threshold = csv.document(layout.CONTRACT)["decision"]["threshold"]
    above = [
        s
        for e, s in zip(probability["edges"], probability["shares"], strict=False)
        if e < threshold
    ]
    assert 0 < labels["shares"]["bad"] <= 1 - sum(above) + 1e-9


def test_the_card_tells_the_metrics_and_the_parity(csv: MlRoot) -> None:
    text = csv.content(layout.CARD).decode()
    assert (
        f"| roc_auc | {csv.document(layout.EVALUATION)['metrics']['roc_auc']:.4f} | none |" in text
    )
    assert "0 flipped labels" in text


def test_metrics_are_lines_that_metric_definitions_match(csv: MlRoot) -> None:
    output = (csv.root / "output.txt").read_text()
    (value,) = re.findall(r"metric roc_auc=([0-9.eE+-]+)", output)
    assert float(value) == pytest.approx(
        csv.document(layout.EVALUATION)["metrics"]["roc_auc"], 1e-5
    )


@pytest.mark.parametrize(
    "name",
    [layout.ONNX_MODEL, layout.JOBLIB_MODEL, layout.BASELINE, layout.GOLDEN],
)
def test_the_same_rows_give_the_same_bytes_in_any_format_and_order(
    csv: MlRoot, mixed: MlRoot, name: str
) -> None:
    assert mixed.content(name) == csv.content(name)


def test_the_data_digest_is_that_of_the_rows_not_of_the_files(csv: MlRoot, mixed: MlRoot) -> None:
    one, two = (job.document(layout.MANIFEST)["data"] for job in (csv, mixed))
    assert one["digest"] == two["digest"]
    assert one["files"] != two["files"]


def test_the_live_model_is_judged_on_the_same_holdout(csv: MlRoot, mixed: MlRoot) -> None:
    live = mixed.document(layout.EVALUATION)["live"]
    assert live["model_version"] == 1
    assert live["same_holdout"]
    # It is the same model here, so every number must be.
    assert live["metrics"] == csv.document(layout.EVALUATION)["metrics"]


def test_a_job_that_was_stopped_goes_on_and_ends_with_the_same_model(
    tmp_path: Path, csv: MlRoot
) -> None:
    job = MlRoot(tmp_path, git_commit="abc")
    job.checkpoints.mkdir()
    write(credit(), job.train / "loans.csv", "csv")
    process = job.start()
    assert process.stdout is not None
    for line in process.stdout:
        if "checkpoint at" in line:
            break
    process.terminate()
    assert process.wait(timeout=TIMEOUT) == 143
    process.stdout.close()
    assert not job.model.exists()
    assert job.failure == ""

    code, output = job.run()
    assert code == 0, output
    assert "fit: resumed at" in output
    assert job.content(layout.ONNX_MODEL) == csv.content(layout.ONNX_MODEL)
    # Not the bytes of model.joblib: a pickle also tells which objects had been loaded together.
    frame = frame_of_records(
        credit(slice(0, 2000)).to_dict("records"), features_of(csv.document(layout.CONTRACT))
    )
    resumed, whole = (
        joblib.load(done.model / layout.JOBLIB_MODEL).predict_proba(frame) for done in (job, csv)
    )
    assert np.array_equal(resumed, whole)
