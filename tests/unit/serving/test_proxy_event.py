"""What is read of API Gateway's event."""

import base64

import pytest

from boringml.errors import BoringError
from boringml.serving import proxy_event

JSON = {"Content-Type": "application/json"}


def code(event: dict[str, object], most: int = 10) -> str:
    with pytest.raises(BoringError) as caught:
        proxy_event.body_of(event, most)
    return caught.value.code


@pytest.mark.parametrize("name", ["X-Request-Id", "x-request-id", "X-REQUEST-ID"])
def test_a_header_is_found_however_it_is_spelled(name: str) -> None:
    headers = {"Host": "h", "X-Request-Ix": "other", name: "found"}
    assert proxy_event.header(headers, "X-Request-Id") == "found"


def test_an_absent_or_empty_header_is_none() -> None:
    assert proxy_event.header({}, "X-Request-Id") is None
    assert proxy_event.header({"x-request-id": ""}, "X-Request-Id") is None


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON", "application/json; charset=utf-8"]
)
@pytest.mark.parametrize("name", ["Content-Type", "content-type"])
def test_json_is_taken_however_it_is_announced(name: str, kind: str) -> None:
    assert proxy_event.body_of({"headers": {name: kind}, "body": "{}"}, 10) == b"{}"


@pytest.mark.parametrize(
    "headers",
    [
        None,
        {},
        {"Content-Type": ""},
        {"Content-Type": "text/csv"},
        {"Content-Type": "application/jsonx"},
        {"Content-Type": "application/json, text/csv"},
    ],
)
def test_another_content_type_or_none_is_unsupported(headers: dict[str, str] | None) -> None:
    assert code({"headers": headers, "body": "{}"}) == "unsupported_content_type"


def test_an_absent_body_is_empty() -> None:
    assert proxy_event.body_of({"headers": JSON, "body": None}, 10) == b""


@pytest.mark.parametrize("length", range(8, 11))
def test_a_base64_body_may_have_every_length_up_to_the_bound(length: int) -> None:
    text = base64.b64encode(b"x" * length).decode()
    event = {"headers": JSON, "body": text, "isBase64Encoded": True}
    assert proxy_event.body_of(event, 10) == b"x" * length


def test_a_long_body_is_refused_before_it_is_copied() -> None:
    class Untouched(str):
        def encode(self, *_: object) -> bytes:
            raise AssertionError("copied")

    assert code({"headers": JSON, "body": Untouched("x" * 11)}) == "body_too_large"
    long = {"headers": JSON, "body": "!" * 30, "isBase64Encoded": True}
    assert code(long) == "body_too_large"


@pytest.mark.parametrize("text", ["{}", "abc", "YQ==\n", "é"])
def test_what_is_no_base64_is_malformed(text: str) -> None:
    assert code({"headers": JSON, "body": text, "isBase64Encoded": True}) == "malformed_json"
