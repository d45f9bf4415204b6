"""The function itself: what it imports, and when it refuses to start."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from boringml.adapters.s3_get import S3Get
from boringml.errors import BoringError
from boringml.package import layout
from tests.unit.serving import tiny

APP = tiny.REPOSITORY / "functions/serving/predict/app.py"
FORBIDDEN = {
    "aws_lambda_powertools",
    "aws_xray_sdk",
    "boto3",
    "botocore",
    # What http.client brings: docs/performance.md.
    "email",
    "http",
    "pandas",
    "pyarrow",
    "sklearn",
    "ssl",
    "urllib",
}
# Starts the function over a folder in place of S3, predicts, and tells what was imported.
PREDICT = """
import json, sys
from boringml.adapters.s3_get import S3Get
S3Get.fetch = lambda self, bucket, key, most: open(f"/{bucket}/{key}", "rb").read()
import app
class Context:
    aws_request_id = "invocation-1"
answer = app.handler(json.load(sys.stdin), Context)
print(json.dumps([answer["statusCode"], sorted(sys.modules)]))
"""


def start(monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes], **environ: str) -> ModuleType:
    """Import the function as Lambda does, over a bucket that holds `files`."""
    given = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "eu-west-1"}
    for name, value in {**given, "MODEL_NAME": "credit", **environ}.items():
        monkeypatch.setenv(name, value)

    def fetch(_self: S3Get, bucket: str, key: str, _max_bytes: int) -> bytes:
        return files[f"s3://{bucket}/{key}"]

    monkeypatch.setattr(S3Get, "fetch", fetch)
    spec = importlib.util.spec_from_file_location("predict_app", APP)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "predict_app", module)
    spec.loader.exec_module(module)
    return module


def released(**made: Any) -> tuple[dict[str, bytes], dict[str, str]]:
    """Return a bucket with the tiny package, and the variables that point to it."""
    files, digest = tiny.package(**made)
    place = "s3://a-bucket/packages/credit/job-1/"
    environ = {"MODEL_VERSION": "3", "MODEL_PACKAGE": place, "MODEL_DIGEST": digest}
    return {place + name: content for name, content in files.items()}, environ


def ask(app: ModuleType, event: dict[str, Any] | None = None) -> dict[str, Any]:
    context = SimpleNamespace(aws_request_id="invocation-1")
    answer: dict[str, Any] = app.handler(event or tiny.sample("predict_one"), context)
    return answer


def test_a_released_version_answers_from_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    files, environ = released()
    answer = ask(start(monkeypatch, files, **environ))
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["model_version"] == 3


def test_a_direct_invocation_is_known_by_its_own_id(monkeypatch: pytest.MonkeyPatch) -> None:
    files, environ = released()
    event = {"headers": {"Content-Type": "application/json"}, "body": json.dumps(tiny.RECORD)}
    answer = ask(start(monkeypatch, files, **environ), event)
    assert json.loads(answer["body"])["request_id"] == "invocation-1"


@pytest.mark.parametrize("environ", [{}, {"MODEL_PACKAGE": ""}], ids=["absent", "empty"])
def test_without_a_package_the_function_starts_and_says_so(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> None:
    assert ask(start(monkeypatch, {}, **environ))["statusCode"] == 503


def failed_start(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    files: dict[str, bytes],
    environ: dict[str, str],
) -> dict[str, Any]:
    """Return the one line that a refused start leaves."""
    with pytest.raises(Exception):  # noqa: B017, PT011 - that it does not start, whatever stops it
        start(monkeypatch, files, **environ)
    (line,) = capsys.readouterr().out.splitlines()
    told: dict[str, Any] = json.loads(line)
    return told


def test_a_changed_package_keeps_the_function_from_starting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files, environ = released()
    files[environ["MODEL_PACKAGE"] + "model.onnx"] += b" "
    environ["METRICS_NAMESPACE"] = "BoringML/mine"
    line = failed_start(monkeypatch, capsys, files, environ)
    expected = {
        "level": "ERROR",
        "model": "credit",
        "model_version": "3",
        "code": "digest_mismatch",
        "model_load_failures": 1,
    }
    assert expected.items() <= line.items()
    assert line["_aws"]["CloudWatchMetrics"] == [
        {
            "Namespace": "BoringML/mine",
            "Dimensions": [["model"]],
            "Metrics": [{"Name": "model_load_failures", "Unit": "Count"}],
        }
    ]
    assert isinstance(line["_aws"]["Timestamp"], int)


@pytest.mark.parametrize(
    ("made", "environ", "code"),
    [
        ({"model": "churn"}, {}, "package_wrong_model"),
        ({"runtime": layout.RUNTIME_SKLEARN}, {}, "runtime_not_supported"),
        ({"onnx": b"no graph"}, {}, "model_unusable"),
        ({"onnx": tiny.onnx_model(width=3)}, {}, "model_unusable"),
        ({}, {"MODEL_DIGEST": ""}, "digest_mismatch"),
        ({}, {"MODEL_VERSION": "0"}, "settings_missing"),
        ({}, {"MODEL_PACKAGE": "/a-bucket/packages"}, "settings_invalid"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_each_failure_to_start_is_told_by_its_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    made: dict[str, Any],
    environ: dict[str, str],
    code: str,
) -> None:
    files, given = released(**made)
    line = failed_start(monkeypatch, capsys, files, {**given, **environ})
    assert (line["code"], line["model_load_failures"]) == (code, 1)
    assert line["message"]


def test_a_start_without_a_name_says_which_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BoringError, match="MODEL_NAME"):
        start(monkeypatch, {}, MODEL_NAME="")


def test_starting_and_predicting_import_nothing_heavy(tmp_path: Path) -> None:
    files, environ = released()
    for place, content in files.items():
        (tmp_path / place.rpartition("/")[2]).write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-c", PREDICT],
        input=json.dumps(tiny.sample("predict_one")),
        env={
            **environ,
            "MODEL_NAME": "credit",
            "MODEL_PACKAGE": f"s3:/{tmp_path}/",
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_REGION": "eu-west-1",
            "PYTHONPATH": os.pathsep.join([str(APP.parent), str(tiny.REPOSITORY / "layers/core")]),
        },
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    status, modules = json.loads(done.stdout.splitlines()[-1])
    assert status == 200
    assert not FORBIDDEN & {name.partition(".")[0] for name in modules}
