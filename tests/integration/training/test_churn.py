"""The churn model on its real data: nulls come through training, export and serving unchanged."""

import io
import json
import signal
from pathlib import Path

import joblib
import numpy as np
import pytest

from boringml.contract.features import features_of
from boringml.package import layout, manifest
from boringml.serving.model import Model, load_model
from container.trainer.describe import frame_of_records
from container.trainer.main import main
from local.datasets import Format, churn, churn_records, write_churn
from tests.integration.training.ml_root import REPOSITORY, MlRoot


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> MlRoot:
    """All customers in one CSV file, trained in the test's own process."""
    found = MlRoot(tmp_path_factory.mktemp("churn"), model="churn")
    write_churn(found.train / "customers.csv")
    assert trained(found) == 0, found.failure
    return found


def trained(job: MlRoot) -> int:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ML_ROOT", str(job.root))
        try:
            return main(REPOSITORY)
        finally:
            signal.signal(signal.SIGTERM, before)


def served(job: MlRoot) -> Model:
    digest = manifest.package_digest(job.document(layout.MANIFEST))
    return load_model(job.content, "churn", digest, 1)


def test_the_model_serves_as_onnx_and_ranks_customers_well(job: MlRoot) -> None:
    found = job.document(layout.EVALUATION)
    assert job.document(layout.MANIFEST)["runtime"] == "onnx"
    assert found["metrics"]["roc_auc"] > 0.82
    assert found["holdout_rows"] + found["training_rows"] == 7043


def test_the_export_is_faithful_on_every_real_row(job: MlRoot) -> None:
    found = job.document(layout.EVALUATION)["parity"]
    assert found["rows"] == 7043
    assert found["max_difference"] <= 1e-6
    assert (found["flipped_labels"], found["rows_off"], found["reason"]) == (0, 0, None)


def test_served_answers_are_those_of_the_pipeline_nulls_and_all(job: MlRoot) -> None:
    records = churn_records()
    assert sum(record["total_charges"] is None for record in records) == 11
    model = served(job)
    body = [json.dumps(record).encode() for record in records]
    answers = [model.predict([model.decoder.decode(line)])[0] for line in body]
    pipeline = joblib.load(io.BytesIO(job.content(layout.JOBLIB_MODEL)))
    frame = frame_of_records(records, features_of(job.document(layout.CONTRACT)))
    expected = pipeline.predict_proba(frame)[:, layout.POSITIVE_INDEX]
    assert np.abs(np.array(answers) - expected).max() <= 1e-6
    threshold = model.contract.threshold
    assert ((np.array(answers) >= threshold) == (expected >= threshold)).all()


def test_a_null_is_answered_as_no_charges_at_all(job: MlRoot) -> None:
    model = served(job)
    (record,) = [r for r in churn_records() if r["total_charges"] is None][:1]
    null, zero = (
        model.decoder.decode(json.dumps({**record, "total_charges": charges}).encode())
        for charges in (None, 0)
    )
    assert model.predict([null]) == model.predict([zero])


def test_golden_answers_hold_a_null_and_serving_meets_them(job: MlRoot) -> None:
    model, golden = served(job), job.document(layout.GOLDEN)
    assert any(item["record"]["total_charges"] is None for item in golden)
    assert {item["prediction"] for item in golden} == {"Yes", "No"}
    for item in golden:
        (found,) = model.predict([model.decoder.decode(json.dumps(item["record"]).encode())])
        assert abs(found - item["probability"]) <= item["tolerance"]
        assert model.label(found) == item["prediction"]


def test_the_baseline_counts_the_nulls_of_the_rows_learned_from(job: MlRoot) -> None:
    found = job.document(layout.BASELINE)["features"]
    assert 0 < found["total_charges"]["nulls"] <= 11
    assert sum(found["total_charges"]["shares"]) == pytest.approx(1)
    assert "customer_id" not in found


@pytest.mark.parametrize("format", ["parquet", "jsonl"])
def test_the_same_customers_give_the_same_model_in_any_format(
    job: MlRoot, tmp_path: Path, format: Format
) -> None:
    other = MlRoot(tmp_path, model="churn")
    write_churn(other.train / f"customers.{format}", format=format)
    assert trained(other) == 0, other.failure
    assert other.content(layout.ONNX_MODEL) == job.content(layout.ONNX_MODEL)
    assert other.content(layout.BASELINE) == job.content(layout.BASELINE)


def test_more_nulls_than_the_contract_expects_are_refused(tmp_path: Path) -> None:
    job = MlRoot(tmp_path, model="churn")
    frame = churn()
    frame.loc[frame.index[:400], "total_charges"] = None
    frame.to_csv(job.train / "customers.csv", index=False)
    assert trained(job) == 1
    assert job.failure.startswith("null_values:")
    assert "total_charges" in job.failure
