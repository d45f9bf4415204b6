"""The real reviews, from a CSV file to answers: trained, packaged, proved, loaded and asked."""

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import pytest

from boringml.adapters import declarations
from boringml.contract.features import features_of
from boringml.errors import BoringError
from boringml.package import layout, manifest
from boringml.release.replay import answer_of
from boringml.serving.joblib_model import JoblibModel, load_joblib_model
from boringml.serving.model import load_model
from boringml.serving.predict import Predictor
from boringml.training.data_check import checked_table
from boringml.training.data_files import load
from boringml.training.gates import judge
from container.trainer.main import main
from container.trainer.rows import Rows, rows_of
from container.trainer.score import PipelineScorer
from local.bad_requests import body_of
from local.datasets import review_records, write_reviews
from tests.integration.training.ml_root import REPOSITORY, MlRoot

CONTRACT: dict[str, Any] = declarations.contract("reviews")
DECLARATION: dict[str, Any] = declarations.declaration("reviews")
FEATURES = features_of(CONTRACT)
BAD = {case["name"]: case for case in CONTRACT["bad_requests"]}


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> MlRoot:
    job = MlRoot(tmp_path_factory.mktemp("reviews"), model="reviews")
    write_reviews(job.train / "reviews.csv")
    before = signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ML_ROOT", str(job.root))
        assert main(REPOSITORY) == 0, job.failure
    signal.signal(signal.SIGTERM, before)
    return job


@pytest.fixture(scope="module")
def package(job: MlRoot) -> tuple[dict[str, bytes], str]:
    """The files of the package by name, and its digest."""
    files = {path.name: path.read_bytes() for path in job.model.iterdir()}
    return files, manifest.package_digest(json.loads(files[layout.MANIFEST]))


@pytest.fixture(scope="module")
def model(package: tuple[dict[str, bytes], str]) -> JoblibModel:
    files, digest = package
    return load_joblib_model(files.__getitem__, "reviews", digest, 3)


@pytest.fixture(scope="module")
def predictor(model: JoblibModel) -> Predictor:
    return Predictor("reviews", model, "7", lambda _: None)


@pytest.fixture(scope="module")
def holdout(job: MlRoot) -> Rows:
    files = load(job.train, FEATURES, CONTRACT["data"]["max_bytes"])
    rows = rows_of(checked_table(files, CONTRACT, FEATURES), FEATURES, "score", "great")
    return rows.split(DECLARATION["training"]["holdout"])[1]


def event(body: str, content_type: str | None = "application/json") -> dict[str, Any]:
    headers = {} if content_type is None else {"Content-Type": content_type}
    context = {"requestId": "r-1", "stage": "v1"}
    return {"headers": headers, "body": body, "isBase64Encoded": False, "requestContext": context}


def with_libraries(files: dict[str, bytes], **changed: str) -> tuple[dict[str, bytes], str]:
    listing = json.loads(files[layout.MANIFEST])
    listing["libraries"] |= {name.replace("_", "-"): value for name, value in changed.items()}
    return {**files, layout.MANIFEST: manifest.canonical(listing)}, manifest.package_digest(listing)


def refusal(files: dict[str, bytes], digest: str, name: str = "reviews") -> BoringError:
    with pytest.raises(BoringError) as caught:
        load_joblib_model(files.__getitem__, name, digest, 3)
    return caught.value


# --- training ---------------------------------------------------------------------------------


def test_parity_sends_the_text_pipeline_to_scikit_learn(job: MlRoot) -> None:
    found = job.document(layout.EVALUATION)
    assert found["runtime"] == job.document(layout.MANIFEST)["runtime"] == "sklearn"
    # Where the machine has no locale en_US.UTF-8, the export cannot even be run.
    assert found["parity"]["reason"]["code"] in ("parity", "export_failed")
    assert not (job.model / layout.ONNX_MODEL).exists()


def test_the_version_passes_its_own_gates_and_only_where_scikit_learn_serves(job: MlRoot) -> None:
    found = job.document(layout.EVALUATION)
    assert judge(found, DECLARATION["gates"], "sklearn", DECLARATION["serving"]["runtime"])
    with pytest.raises(BoringError, match="parity_failed"):
        judge(found, DECLARATION["gates"], "sklearn", "onnx")


def test_equal_reviews_are_never_on_both_sides_of_the_split(job: MlRoot, holdout: Rows) -> None:
    found = job.document(layout.EVALUATION)
    assert found["training_rows"] + found["holdout_rows"] == 5000
    assert found["holdout_rows"] == len(holdout)


def test_the_baseline_has_the_lengths_of_the_reviews_and_none_of_their_words(job: MlRoot) -> None:
    found = job.document(layout.BASELINE)["features"]["review"]
    assert (found["kind"], found["nulls"], found["empty_share"]) == ("text", 0, 0.0)
    assert found["characters"]["minimum"] >= 50
    assert found["characters"]["maximum"] <= 10_000
    assert found["words"]["mean"] < found["characters"]["mean"] / 4
    assert b"coffee" not in job.content(layout.BASELINE)


# --- serving ----------------------------------------------------------------------------------


def test_what_is_served_is_the_pipeline_on_every_held_out_review(
    package: tuple[dict[str, bytes], str], predictor: Predictor, holdout: Rows
) -> None:
    pipeline = joblib.load(io.BytesIO(package[0][layout.JOBLIB_MODEL]))
    expected = PipelineScorer(pipeline)(holdout.frame).tolist()
    got: list[float] = []
    texts, most = holdout.frame["review"].tolist(), CONTRACT["limits"]["max_records"]
    for start in range(0, len(texts), most):
        body = json.dumps([{"review": text} for text in texts[start : start + most]])
        answer = predictor.answer(event(body))
        assert answer["statusCode"] == 200
        got += [item["probability"] for item in json.loads(answer["body"])["predictions"]]
    assert got == pytest.approx(expected, abs=1e-12)


def test_a_review_has_the_same_answer_alone_and_in_a_list(model: JoblibModel) -> None:
    records = model.decoder.decode(json.dumps(review_records(slice(0, 20))).encode())
    assert isinstance(records, list)
    alone = [model.predict([record])[0] for record in records]
    assert model.predict(records) == pytest.approx(alone, abs=1e-12)


def test_the_golden_answers_are_those_of_the_served_model(
    job: MlRoot, predictor: Predictor
) -> None:
    for golden in job.document(layout.GOLDEN):
        answer = answer_of(predictor.answer(event(json.dumps(golden["record"]))), 1.0)
        assert answer.prediction == golden["prediction"]
        assert answer.probability == pytest.approx(golden["probability"], abs=golden["tolerance"])


@pytest.mark.parametrize("name", BAD)
def test_each_bad_request_of_the_contract_gets_what_it_promises(
    predictor: Predictor, name: str
) -> None:
    case = BAD[name]
    answer = predictor.answer(event(body_of(case, CONTRACT).decode(), case["content_type"]))
    error = json.loads(answer["body"])["error"]
    assert (answer["statusCode"], error["code"]) == (case["status"], case["code"])
    if "field" in case:
        assert error["field"] == case["field"]


def test_it_serves_without_pandas_and_without_onnx_runtime(job: MlRoot, tmp_path: Path) -> None:
    code = """
import json, pathlib, sys, warnings
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in ("pandas", "pyarrow", "onnxruntime", "onnx", "skl2onnx", "boto3"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
warnings.simplefilter("error")
from boringml.package.manifest import package_digest
from boringml.serving.joblib_model import load_joblib_model
from boringml.serving.predict import Predictor
folder = pathlib.Path(sys.argv[1])
digest = package_digest(json.loads((folder / "manifest.json").read_text()))
model = load_joblib_model(lambda name: (folder / name).read_bytes(), "reviews", digest, 1)
body = json.dumps({"review": "The best tea that I ever had. I love it!"})
event = {"headers": {"content-type": "application/json"}, "body": body}
answer = Predictor("reviews", model, "1", lambda _: None).answer(event)
print(json.loads(answer["body"])["prediction"])
"""
    told = subprocess.run(
        [sys.executable, "-c", code, str(job.model)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY / "layers" / "core")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (told.stdout, told.stderr) == ("great\n", "")


# --- what is not loaded -----------------------------------------------------------------------


class _Malice:
    """A pickle that writes a file when it is loaded."""

    def __init__(self, witness: Path) -> None:
        self._witness = witness

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self._witness,))


def malicious(witness: Path) -> bytes:
    stream = io.BytesIO()
    joblib.dump(_Malice(witness), stream)
    return stream.getvalue()


def test_a_tampered_pickle_is_refused_and_nothing_of_it_runs(
    package: tuple[dict[str, bytes], str], tmp_path: Path
) -> None:
    files, digest = package
    witness = tmp_path / "ran"
    refused = refusal({**files, layout.JOBLIB_MODEL: malicious(witness)}, digest)
    assert (refused.code, refused.details["file"]) == ("digest_mismatch", layout.JOBLIB_MODEL)
    assert not witness.exists()


def test_a_package_that_was_replaced_as_a_whole_is_refused_and_nothing_of_it_runs(
    package: tuple[dict[str, bytes], str], tmp_path: Path
) -> None:
    files, digest = package
    witness = tmp_path / "ran"
    listing = json.loads(files[layout.MANIFEST])
    pickle = malicious(witness)
    listing["files"][layout.JOBLIB_MODEL] = manifest.measure(pickle)
    replaced = {layout.JOBLIB_MODEL: pickle, layout.MANIFEST: manifest.canonical(listing)}
    refused = refusal({**files, **replaced}, digest)
    assert (refused.code, refused.details["file"]) == ("digest_mismatch", layout.MANIFEST)
    assert not witness.exists()
    # The witness is a good one: with its own digest, the same package does run.
    with pytest.raises(AttributeError):
        load_joblib_model(
            {**files, **replaced}.__getitem__, "reviews", manifest.package_digest(listing), 3
        )
    assert witness.exists()


@pytest.mark.parametrize(
    ("library", "version"),
    [("scikit_learn", "1.9.0"), ("scikit_learn", "2.0"), ("numpy", "1.26.4"), ("scipy", "2.0.0")],
)
def test_a_pickle_of_other_libraries_is_refused_by_name_before_it_is_read(
    package: tuple[dict[str, bytes], str], library: str, version: str
) -> None:
    files, digest = with_libraries(package[0], **{library: version})
    del files[layout.JOBLIB_MODEL]
    refused = refusal(files, digest)
    name = library.replace("_", "-")
    assert (refused.code, refused.details["library"]) == ("library_mismatch", name)
    assert f"{name} {version}" in refused.message


def test_a_manifest_without_the_library_is_refused(
    package: tuple[dict[str, bytes], str],
) -> None:
    listing = json.loads(package[0][layout.MANIFEST])
    del listing["libraries"]["scikit-learn"]
    files = {**package[0], layout.MANIFEST: manifest.canonical(listing)}
    assert refusal(files, manifest.package_digest(listing)).code == "library_mismatch"


def test_a_minor_version_of_what_scikit_learn_stands_on_may_differ(
    package: tuple[dict[str, bytes], str],
) -> None:
    files, digest = with_libraries(package[0], numpy="2.0.1", scipy="1.0.0")
    assert load_joblib_model(files.__getitem__, "reviews", digest, 3).version == 3


def test_a_package_of_another_model_is_refused(package: tuple[dict[str, bytes], str]) -> None:
    assert refusal(*package, name="credit").code == "package_wrong_model"


def test_an_onnx_function_refuses_the_package(package: tuple[dict[str, bytes], str]) -> None:
    files, digest = package
    with pytest.raises(BoringError, match="runtime_not_supported"):
        load_model(files.__getitem__, "reviews", digest, 3)
