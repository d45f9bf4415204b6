"""What API Gateway writes onto the queue, and what a client can do to it."""

import base64
import json
import re
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boringml.jobs.client import client_of
from boringml.jobs.job_id import GONE, UNKNOWN, WAITING, job_id_of, posted_ms_of, without_item
from boringml.jobs.message import PoisonError, parse
from tests.unit.jobs.samples import CLIENT, JOB_ID, POSTED_MS, text_of
from tools.openapi_jobs import message_template

EVIL = '"},"client":"x"}}&MessageBody=%22\\\'\r\n\x00'


def rendered(template: str, known: dict[str, str]) -> str:
    """Render a mapping template as API Gateway does: once, values are not looked at again."""

    def value(match: re.Match[str]) -> str:
        return base64.b64encode(known[match[1]].encode()).decode().replace("+", "%2B")

    def plain(match: re.Match[str]) -> str:
        return known[match[0]]

    coded = r"\$util\.urlEncode\(\$util\.base64Encode\((\$[^)]*?(?:\('[^']*'\))?)\)\)"
    parts = re.split(f"({coded})", template)
    found = re.sub(coded, value, template)
    assert len(parts) > 1
    return re.sub(r"\$context\.requestTimeEpoch", plain, found)


@given(
    st.dictionaries(
        st.sampled_from(["key", "http2", "trace", "upstream", "arn", "body"]), st.text()
    )
)
def test_whatever_a_client_sends_the_message_has_the_fields_of_the_template(
    chosen: dict[str, str],
) -> None:
    known = {
        "$context.requestTimeEpoch": str(POSTED_MS),
        "$context.requestId": "3f0c2a5e",
        "$context.identity.userArn": chosen.get("arn", CLIENT),
        "$input.params('Idempotency-Key')": chosen.get("key", ""),
        "$input.params('idempotency-key')": chosen.get("http2", ""),
        "$context.xrayTraceId": chosen.get("trace", EVIL),
        "$input.params('X-Request-Id')": chosen.get("upstream", EVIL),
        "$input.params('x-request-id')": "",
        "$input.body": chosen.get("body", EVIL),
    }
    form = parse_qs(rendered(message_template("credit"), known), strict_parsing=True)
    assert set(form) == {"Action", "MessageBody"}
    message = parse(form["MessageBody"][0], "credit")
    assert message.job_id == JOB_ID
    assert message.client == client_of(chosen.get("arn", CLIENT))
    assert message.body.decode() == chosen.get("body", EVIL)
    assert message.idempotency_key == (chosen.get("key") or chosen.get("http2") or None)


def test_what_the_client_names_its_request_by_is_kept_where_it_is_an_id() -> None:
    texts = {"upstream_request_id": "", "upstream_request_id_http2": "order-4711"}
    assert parse(text_of(**texts)).upstream_request_id == "order-4711"
    assert parse(text_of(upstream_request_id='"},{"')).upstream_request_id is None
    assert parse(text_of()).upstream_request_id is None, "a message of before"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[]",
        "[" * 100_000,
        json.dumps({"version": 2}),
        text_of(model="other"),
        json.dumps({"version": 1, "model": "credit"}),
        text_of(request_id="not an id"),
        text_of(request_id="x" * 200),
        text_of(posted_ms=5),
        text_of().replace('"body": "', '"body": "*'),
        "x" * 2_000_000,
    ],
)
def test_what_no_attempt_can_run_is_poison(text: str) -> None:
    with pytest.raises(PoisonError):
        parse(text, "credit")


@pytest.mark.parametrize(
    ("body", "name"),
    [({"callback": "orders"}, "orders"), ({"callback": 5}, None), ([], None), (b"{", None)],
)
def test_the_callback_is_read_from_whatever_body(body: Any, name: str | None) -> None:
    assert parse(text_of(body)).callback == name


def test_a_role_is_one_client_whatever_its_session() -> None:
    role = "arn:aws:sts::123456789012:assumed-role/Shop"
    assert client_of(f"{role}/i-0abc") == client_of(f"{role}/i-0def")
    assert client_of(CLIENT) == CLIENT


def test_an_id_tells_its_age() -> None:
    assert posted_ms_of(JOB_ID) == POSTED_MS
    for seconds, expected in ((-70, UNKNOWN), (0, WAITING), (10, WAITING), (11, UNKNOWN)):
        assert without_item(JOB_ID, POSTED_MS + seconds * 1000, 10, 100) == expected
    assert without_item(JOB_ID, POSTED_MS + 101_000, 10, 100) == GONE
    assert without_item("../x", POSTED_MS, 10, 100) == UNKNOWN
    assert job_id_of(POSTED_MS, "a/b") is None
