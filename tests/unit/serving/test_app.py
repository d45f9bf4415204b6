"""The function itself: what it imports, and when it refuses to start."""

import importlib.util
import json
import os
import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest

from boringml.adapters.s3_get import S3Get
from boringml.errors import BoringError
from tests.unit.serving import tiny

APP = tiny.REPOSITORY / "functions/serving/predict/app.py"
FORBIDDEN = {"boto3", "botocore", "pandas", "sklearn", "aws_lambda_powertools", "pyarrow"}


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


def released() -> tuple[dict[str, bytes], dict[str, str]]:
    """Return a bucket with the tiny package, and the variables that point to it."""
    files, digest = tiny.package()
    place = "s3://a-bucket/packages/credit/job-1/"
    environ = {"MODEL_VERSION": "3", "MODEL_PACKAGE": place, "MODEL_DIGEST": digest}
    return {place + name: content for name, content in files.items()}, environ


def ask(app: ModuleType) -> dict[str, Any]:
    answer: dict[str, Any] = app.handler(tiny.sample("predict_one"), None)
    return answer


def test_a_released_version_answers_from_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    files, environ = released()
    answer = ask(start(monkeypatch, files, **environ))
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["model_version"] == 3


@pytest.mark.parametrize("environ", [{}, {"MODEL_PACKAGE": ""}], ids=["absent", "empty"])
def test_without_a_package_the_function_starts_and_says_so(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> None:
    assert ask(start(monkeypatch, {}, **environ))["statusCode"] == 503


def test_a_changed_package_keeps_the_function_from_starting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files, environ = released()
    files[environ["MODEL_PACKAGE"] + "model.onnx"] += b" "
    with pytest.raises(BoringError, match="digest_mismatch"):
        start(monkeypatch, files, **environ)
    (line,) = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert (line["code"], line["level"], line["model_load_failures"]) == (
        "digest_mismatch",
        "ERROR",
        1,
    )
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Metrics"] == [{"Name": "model_load_failures", "Unit": "Count"}]


def test_starting_imports_nothing_heavy() -> None:
    code = "import json, sys, app; print(json.dumps(sorted(sys.modules)))"
    paths = [str(APP.parent), str(tiny.REPOSITORY / "layers/core")]
    environ = {"PATH": os.environ["PATH"], "MODEL_NAME": "credit"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert not FORBIDDEN & {name.partition(".")[0] for name in json.loads(done.stdout)}
