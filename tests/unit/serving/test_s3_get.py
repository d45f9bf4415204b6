"""A GET signed with the standard library, held to botocore's signature."""

import io
import urllib.error
import urllib.request
from email.message import Message
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.utils import percent_encode

from boringml.adapters import s3_get
from boringml.adapters.s3_get import S3Get
from boringml.errors import BoringError

KEYS = ["packages/credit/job-1/model.onnx", "a b/c+d=e/é.json", "packages/~x/(1)!*'&$@:,;"]


def s3(endpoint: str = "", token: str = "a/session+token==") -> S3Get:
    return S3Get("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", token, "eu-west-1", endpoint)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("endpoint", ["", "http://127.0.0.1:4566", "http://localhost:4566/"])
@pytest.mark.parametrize("token", ["a/session+token==", ""])
def test_the_signature_is_botocores(key: str, endpoint: str, token: str) -> None:
    ours = s3(endpoint, token)
    url = ours.url("a-bucket", key)
    request = AWSRequest("GET", url)
    credentials = Credentials(ours.access_key, ours.secret_key, token or None)
    S3SigV4Auth(credentials, "s3", "eu-west-1").add_auth(request)
    headers = ours.headers(url, request.headers["X-Amz-Date"])
    assert headers["Authorization"] == request.headers["Authorization"]
    assert headers.get("x-amz-security-token") == request.headers.get("X-Amz-Security-Token")


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_encoded_as_botocore_encodes_it(key: str) -> None:
    assert s3("http://h").url("b", key) == "http://h/b/" + percent_encode(key, safe="/-._~")


def test_aws_is_asked_by_host_and_an_endpoint_by_path() -> None:
    assert s3().url("b", "k/m.onnx") == "https://b.s3.eu-west-1.amazonaws.com/k/m.onnx"
    assert s3("http://127.0.0.1:1/").url("b", "k") == "http://127.0.0.1:1/b/k"


def test_the_endpoint_of_s3_comes_before_the_general_one() -> None:
    environ = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "eu-west-1"}
    environ["AWS_ENDPOINT_URL"] = "http://127.0.0.1:1"
    assert S3Get.of(environ).endpoint == "http://127.0.0.1:1"
    assert S3Get.of({**environ, "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:2"}).endpoint.endswith("2")


class Answers:
    """Stands for urlopen: gives or raises one answer after the other, and counts them."""

    def __init__(self, *answers: bytes | int | OSError) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, request: urllib.request.Request, timeout: float) -> Any:
        self.asked += 1
        answer = self.answers.pop(0)
        if isinstance(answer, bytes):
            return io.BytesIO(answer)
        if isinstance(answer, int):
            raise urllib.error.HTTPError(request.full_url, answer, "", Message(), None)
        raise answer


def fetch(monkeypatch: pytest.MonkeyPatch, answers: Answers) -> bytes:
    monkeypatch.setattr(s3_get.urllib.request, "urlopen", answers)
    monkeypatch.setattr(s3_get.time, "sleep", lambda _seconds: None)
    return s3().fetch("b", "k", 10)


def test_a_passing_failure_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers(503, ConnectionResetError("reset"), b"content")
    assert fetch(monkeypatch, answers) == b"content"


@pytest.mark.parametrize(
    ("answers", "code", "asked"),
    [
        ([404], "package_missing", 1),
        ([403], "package_unreadable", 1),
        ([500, 500, 500], "package_unreadable", 3),
        ([TimeoutError("slow")] * 3, "package_unreadable", 3),
        ([b"eleven bytes"], "package_incomplete", 1),
    ],
    ids=["not there", "refused", "broken", "silent", "too large"],
)
def test_a_lasting_failure_has_its_code(
    monkeypatch: pytest.MonkeyPatch, answers: list[Any], code: str, asked: int
) -> None:
    opened = Answers(*answers)
    with pytest.raises(BoringError) as caught:
        fetch(monkeypatch, opened)
    assert (caught.value.code, opened.asked) == (code, asked)
    assert "s3://b/k" in caught.value.message
