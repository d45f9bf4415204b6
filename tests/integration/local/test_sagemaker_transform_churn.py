"""All customers through a transform job: the image's own `serve`, the real model, the real rows."""

import io
import json
from collections.abc import Iterator
from typing import Any

import joblib
import numpy as np
import pytest

from boringml.contract.features import features_of
from boringml.package import layout, manifest
from container.trainer.describe import frame_of_records
from local.datasets import churn_records
from tests.integration.local.training_world import TrainingWorld, local_aws_with
from tests.integration.local.transform_world import TransformWorld
from tests.integration.training.ml_root import MlRoot, trained_churn

pytestmark = pytest.mark.local_aws

LINES = "application/jsonlines"


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> MlRoot:
    return trained_churn(tmp_path_factory.mktemp("churn"))


@pytest.fixture(scope="module")
def batches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TransformWorld]:
    """A local AWS with the image that the repository builds."""
    with local_aws_with(tmp_path_factory.mktemp("churn-aws") / "home") as aws:
        yield TransformWorld(TrainingWorld(aws), patience=120)


def model_of(batches: TransformWorld, job: MlRoot, **changed: str) -> str:
    digest = manifest.package_digest(job.document(layout.MANIFEST))
    environment = {"MODEL_NAME": "churn", "MODEL_VERSION": "7", "MODEL_DIGEST": digest, **changed}
    files = {path.name: path.read_bytes() for path in job.model.iterdir()}
    return batches.create_model(files, **environment)


def lines(records: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def request(model: str, **members: Any) -> dict[str, Any]:
    return {
        "ModelName": model,
        "TransformInput": {"ContentType": LINES},
        "TransformOutput": {"Accept": LINES},
        "BatchStrategy": "MultiRecord",
        **members,
    }


def test_a_batch_of_all_customers_answers_as_the_pipeline_does(
    batches: TransformWorld, job: MlRoot
) -> None:
    records = churn_records()
    parts = {"first.jsonl": records[:6000], "rest/second.jsonl": records[6000:]}
    batches.place = "whole"
    for path, part in parts.items():
        batches.put(path, lines(part))
    model = model_of(batches, job)
    done = batches.run(**request(model, MaxPayloadInMB=1, MaxConcurrentTransforms=2))
    assert done["TransformJobStatus"] == "Completed", batches.log(done["TransformJobName"])
    outputs = batches.outputs()
    assert set(outputs) == {f"{path}.out" for path in parts}
    pipeline = joblib.load(io.BytesIO(job.content(layout.JOBLIB_MODEL)))
    features = features_of(job.document(layout.CONTRACT))
    for path, part in parts.items():
        answers = [json.loads(line) for line in outputs[f"{path}.out"].splitlines()]
        expected = pipeline.predict_proba(frame_of_records(part, features))[:, 1]
        found = np.array([answer["probability"] for answer in answers])
        assert np.abs(found - expected).max() <= 1e-6
        labels = ["Yes" if probability >= 0.3 else "No" for probability in expected]
        assert [answer["prediction"] for answer in answers] == labels


def test_one_bad_row_fails_the_job_and_the_log_names_its_line(
    batches: TransformWorld, job: MlRoot
) -> None:
    records = churn_records(slice(0, 5))
    records[3]["contract"] = "Three year"
    batches.place = "bad"
    batches.put("a.jsonl", lines(records))
    done = batches.run(**request(model_of(batches, job)))
    assert done["FailureReason"] == "ClientError: See job logs for more information"
    assert batches.outputs() == {}
    told = "\n".join(batches.log(done["TransformJobName"], "/data-log"))
    assert '"code":"unknown_category"' in told
    assert '"line":4' in told


def test_a_package_of_another_digest_scores_nothing(batches: TransformWorld, job: MlRoot) -> None:
    batches.place = "digest"
    batches.put("a.jsonl", lines(churn_records(slice(0, 5))))
    model = model_of(batches, job, MODEL_DIGEST=f"sha256:{'0' * 64}")
    done = batches.run(**request(model))
    assert done["TransformJobStatus"] == "Failed"
    assert batches.outputs() == {}
    assert "digest_mismatch" in "\n".join(batches.log(done["TransformJobName"]))
