"""What a GET of an object returns, tries again and refuses."""

import pytest

from boringml.adapters import s3_get
from boringml.adapters.s3_get import S3Get
from boringml.adapters.s3_signature import Credentials
from boringml.errors import BoringError
from tests.unit.serving.wire import Wire, answer

KEYS = Credentials("AKIDEXAMPLE", "secret")
ENVIRON = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "eu-west-1"}


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the pauses, none of which is waited for."""
    taken: list[float] = []
    monkeypatch.setattr(s3_get.time, "sleep", taken.append)
    return taken


def s3(wire: Wire, endpoint: str = "", region: str = "eu-west-1") -> S3Get:
    return S3Get(KEYS, region, endpoint, wire.connect)


@pytest.mark.parametrize(
    ("endpoint", "region", "place"),
    [
        ("", "eu-west-1", ("https", "b.s3.eu-west-1.amazonaws.com", "/k/m.onnx")),
        ("", "cn-north-1", ("https", "b.s3.cn-north-1.amazonaws.com.cn", "/k/m.onnx")),
        ("http://127.0.0.1:1/", "eu-west-1", ("http", "127.0.0.1:1", "/b/k/m.onnx")),
    ],
    ids=["AWS", "AWS in China", "an endpoint of one's own"],
)
def test_aws_is_asked_by_host_and_an_endpoint_by_path(
    endpoint: str, region: str, place: tuple[str, str, str]
) -> None:
    assert s3(Wire(), endpoint, region).place("b", "k/m.onnx") == place


def test_the_endpoint_of_s3_comes_before_the_general_one() -> None:
    environ = {**ENVIRON, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    assert S3Get.of(environ).place("b", "k")[1] == "127.0.0.1:1"
    environ["AWS_ENDPOINT_URL_S3"] = "http://127.0.0.1:2"
    assert S3Get.of(environ).place("b", "k")[1] == "127.0.0.1:2"


def test_the_request_is_a_signed_get_of_the_encoded_key() -> None:
    wire = Wire(answer(200, b"content"))
    assert s3(wire).fetch("b", "a b/é", 10) == b"content"
    (sent,) = wire.sent
    assert sent.startswith(b"GET /a%20b/%C3%A9 HTTP/1.1\r\n")
    # A second Host or one of another name would break the signature.
    assert sent.lower().count(b"\r\nhost: b.s3.eu-west-1.amazonaws.com\r\n") == 1
    assert b"Credential=AKIDEXAMPLE/" in sent
    assert b"secret" not in sent


def test_files_of_a_package_come_over_one_connection_that_is_closed() -> None:
    wire = Wire(answer(200, b"one"), answer(200, b"two"))
    with s3(wire) as client:
        read = client.folder("s3://b/packages/credit/job-1/", 10)
        assert (read("1"), read("2")) == (b"one", b"two")
        assert wire.open == 1
    assert wire.places == [("https", "b.s3.eu-west-1.amazonaws.com")]
    assert wire.open == 0
    assert b"GET /packages/credit/job-1/2 " in wire.sent[1]


@pytest.mark.parametrize(
    ("uri", "path"),
    [("s3://b/p", b"/p/f"), ("s3://b/p/", b"/p/f"), ("s3://b", b"/f"), ("s3://b/", b"/f")],
)
def test_a_folder_may_end_with_a_slash(uri: str, path: bytes) -> None:
    wire = Wire(answer(200, b""))
    s3(wire).folder(uri, 10)("f")
    assert wire.sent[0].startswith(b"GET %b " % path)


@pytest.mark.parametrize("uri", ["", "b/p", "s3:///p", "https://b/p", "s3:/b/p"])
def test_what_is_no_place_in_s3_is_refused(uri: str) -> None:
    with pytest.raises(BoringError) as caught:
        s3(Wire()).folder(uri, 10)
    assert caught.value.code == "settings_invalid"


@pytest.mark.parametrize(
    "broken",
    [
        answer(503, b"<Error><Code>SlowDown</Code></Error>"),
        ConnectionResetError("reset"),
        TimeoutError("slow"),
        b"",
        b"not HTTP at all\r\n",
        answer(200, b"cont", promised=7),
    ],
    ids=["busy", "reset", "silent", "closed", "garbled", "broken off"],
)
def test_a_passing_failure_is_tried_again_over_a_new_connection(
    broken: bytes | OSError, pauses: list[float]
) -> None:
    wire = Wire(broken, answer(200, b"content"))
    assert s3(wire).fetch("b", "k", 10) == b"content"
    assert len(wire.places) == 2
    assert pauses == [0.2]


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ([answer(404, b"<Error/>")], "package_missing"),
        ([answer(403, b"<Error/>")], "package_unreadable"),
        ([answer(301, b"<Error/>")], "package_unreadable"),
        ([answer(500, b"")] * 3, "package_unreadable"),
        ([TimeoutError("slow")] * 3, "package_unreadable"),
        ([answer(200, b"conte", promised=7)] * 3, "package_unreadable"),
        ([answer(200, b"eleven byte")], "package_incomplete"),
    ],
    ids=["not there", "refused", "elsewhere", "broken", "silent", "broken off", "too large"],
)
def test_a_lasting_failure_has_its_code(answers: list[bytes | OSError], code: str) -> None:
    wire = Wire(*answers)
    with pytest.raises(BoringError) as caught:
        s3(wire).fetch("b", "k", 10)
    assert (caught.value.code, caught.value.status) == (code, 502)
    assert "s3://b/k" in caught.value.message
    assert wire.answers == []


def test_an_object_of_the_very_bound_is_read() -> None:
    assert s3(Wire(answer(200, b"ten bytes."))).fetch("b", "k", 10) == b"ten bytes."
