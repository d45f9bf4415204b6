"""The image's `serve` on the real churn model: what SageMaker sees of it."""

import io
import json
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from boringml.contract.features import features_of
from boringml.package import layout, manifest
from container.server.answers import JSON, JSON_LINES
from container.trainer.describe import frame_of_records
from local.datasets import churn_records
from tests.integration.serving.serve_process import Serve
from tests.integration.training.ml_root import MlRoot, trained_churn

Record = dict[str, Any]


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> MlRoot:
    return trained_churn(tmp_path_factory.mktemp("churn"))


def environment(job: MlRoot, **changed: str) -> dict[str, str]:
    digest = manifest.package_digest(job.document(layout.MANIFEST))
    return {"MODEL_NAME": "churn", "MODEL_VERSION": "3", "MODEL_DIGEST": digest, **changed}


@pytest.fixture(scope="module")
def serve(job: MlRoot) -> Iterator[Serve]:
    with Serve(job.root, **environment(job)) as running:
        running.ready()
        yield running


def lines(records: list[Record]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def expected(job: MlRoot, records: list[Record]) -> Any:
    pipeline = joblib.load(io.BytesIO(job.content(layout.JOBLIB_MODEL)))
    frame = frame_of_records(records, features_of(job.document(layout.CONTRACT)))
    return pipeline.predict_proba(frame)[:, layout.POSITIVE_INDEX]


def test_every_customer_is_answered_in_order_as_the_pipeline_does(
    serve: Serve, job: MlRoot
) -> None:
    records = churn_records()
    reply = serve.ask("/invocations", lines(records), JSON_LINES, JSON_LINES)
    assert (reply.status, reply.content_type) == (200, JSON_LINES)
    answers = [json.loads(line) for line in reply.body.splitlines()]
    assert {tuple(answer) for answer in answers} == {("prediction", "probability")}
    wanted = expected(job, records)
    assert np.abs(np.array([answer["probability"] for answer in answers]) - wanted).max() <= 1e-6
    labels = ["Yes" if probability >= 0.3 else "No" for probability in wanted]
    assert [answer["prediction"] for answer in answers] == labels


def test_json_is_answered_as_the_online_api_does(serve: Serve) -> None:
    records = churn_records(slice(0, 2))
    one = serve.ask("/invocations", json.dumps(records[0]).encode(), JSON).json
    many = serve.ask("/invocations", json.dumps(records).encode(), f"{JSON}; charset=utf-8").json
    assert (one["model"], one["model_version"]) == ("churn", 3)
    assert many["predictions"][0] == {k: one[k] for k in ("prediction", "probability")}
    assert set(many) == {"predictions", "model", "model_version", "request_id"}


BAD_LINES = {
    "an unknown field": (b'{"a": 1}', 422, "unknown_field"),
    "a list": (json.dumps(churn_records(slice(0, 2))).encode(), 422, "wrong_type"),
    "an empty line": (b"", 400, "malformed_json"),
    "half a record": (b'{"female": 1', 400, "malformed_json"),
    "no record": (b"42", 422, "wrong_type"),
    "a line beyond the limit": (b" " * 140_000 + b"{}", 413, "body_too_large"),
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_one_bad_line_refuses_the_request_and_is_named(serve: Serve, name: str) -> None:
    line, status, code = BAD_LINES[name]
    good = lines(churn_records(slice(0, 2)))
    reply = serve.ask("/invocations", good + line + b"\n" + good, JSON_LINES)
    assert (reply.status, reply.content_type) == (status, JSON)
    error = reply.json["error"]
    assert (error["code"], error["line"]) == (code, 3)
    assert reply.json["request_id"]


@pytest.mark.parametrize(
    ("path", "body", "kind", "accept", "status", "code"),
    [
        ("/invocations", b"", JSON_LINES, "*/*", 422, "list_empty"),
        ("/invocations", b"[]", JSON, "*/*", 422, "list_empty"),
        ("/invocations", b"1,2", "text/csv", "*/*", 415, "unsupported_content_type"),
        ("/invocations", b"{}", JSON, "text/csv", 406, "not_acceptable"),
        ("/invocations", b" " * (6 * 1024**2 + 1), JSON_LINES, "*/*", 413, "body_too_large"),
        ("/invocations", None, "", "*/*", 404, "route_not_found"),
        ("/models", None, "", "*/*", 404, "route_not_found"),
    ],
)
def test_what_is_no_request_of_ours_is_refused(
    serve: Serve, path: str, body: bytes | None, kind: str, accept: str, status: int, code: str
) -> None:
    reply = serve.ask(path, body, kind, accept)
    assert (reply.status, reply.json["error"]["code"]) == (status, code)


def test_sagemaker_is_told_how_to_send_a_batch(serve: Serve) -> None:
    told = serve.ask("/execution-parameters").json
    assert told["MaxConcurrentTransforms"] >= 1
    assert (told["BatchStrategy"], told["MaxPayloadInMB"]) == ("MULTI_RECORD", 6)


def test_ping_is_answered_while_batches_are_predicted(serve: Serve) -> None:
    body = lines(churn_records(slice(0, 6000))) * 2
    statuses: list[int] = []

    def send() -> None:
        statuses.append(serve.ask("/invocations", body, JSON_LINES).status)

    senders = [threading.Thread(target=send) for _ in range(4)]
    for sender in senders:
        sender.start()
    pings = []
    for _ in range(10):
        asked = time.monotonic()
        pings.append(serve.ask("/ping").status)
        assert time.monotonic() - asked < 2  # SageMaker's patience
    for sender in senders:
        sender.join()
    assert pings == [200] * 10
    assert statuses == [200] * 4


def refusal_of(running: Serve, body: bytes) -> int:
    """Return the status of a body that is refused by its length: at times before all is sent."""
    for _ in range(20):
        try:
            return running.ask("/invocations", body, JSON_LINES).status
        except OSError:
            continue
    raise AssertionError("never answered")


def test_a_payload_limit_of_the_job_is_the_servers(job: MlRoot) -> None:
    with Serve(job.root, **environment(job, SAGEMAKER_MAX_PAYLOAD_IN_MB="1")) as running:
        running.ready()
        assert running.ask("/execution-parameters").json["MaxPayloadInMB"] == 1
        assert refusal_of(running, b" " * (1024**2 + 1)) == 413
        running.process.terminate()
        assert running.ended() == 0
        assert not [line for line in running.output if "SIG" in line or "terminate" in line]


def test_a_changed_package_is_never_served(job: MlRoot, tmp_path: Path) -> None:
    shutil.copytree(job.model, tmp_path / "model")
    content = (tmp_path / "model" / layout.ONNX_MODEL).read_bytes()
    (tmp_path / "model" / layout.ONNX_MODEL).write_bytes(content + b"\0")
    with Serve(tmp_path, **environment(job)) as running:
        assert running.ended() == 3
    assert '"code": "digest_mismatch"' in running.output[0]


def test_a_package_without_its_model_says_what_is_missing(job: MlRoot, tmp_path: Path) -> None:
    shutil.copytree(job.model, tmp_path / "model")
    (tmp_path / "model" / layout.ONNX_MODEL).unlink()
    with Serve(tmp_path, **environment(job)) as running:
        assert running.ended() == 3
    assert '"code": "package_incomplete"' in running.output[0]
    assert "model.onnx" in running.output[0]


@pytest.mark.parametrize(
    ("variable", "value", "code"),
    [
        ("MODEL_DIGEST", "", "settings_missing"),
        ("MODEL_VERSION", "0", "settings_invalid"),
        ("SAGEMAKER_MAX_PAYLOAD_IN_MB", "-1", "settings_invalid"),
    ],
)
def test_an_environment_that_names_no_model_is_told(
    job: MlRoot, variable: str, value: str, code: str
) -> None:
    with Serve(job.root, **environment(job, **{variable: value})) as running:
        assert running.ended() == 1
    assert f'"code": "{code}"' in running.output[0]
