"""What the callback queue carries."""

import json
from pathlib import Path
from typing import Any

import pytest

from boringml.errors import BoringError
from boringml.jobs.callback_endpoint import check_name
from boringml.jobs.callback_message import MAX_BODY_BYTES, CallbackMessage, parse
from boringml.jobs.client import client_of

EVENT = json.loads((Path(__file__).parents[3] / "events/jobs/deliver_callback.json").read_text())
GIVEN = json.loads(EVENT["Records"][0]["body"])


def code(**changed: Any) -> str:
    with pytest.raises(BoringError) as refused:
        parse(json.dumps({**GIVEN, **changed}))
    return refused.value.code


def test_the_sample_is_a_callback() -> None:
    assert parse(EVENT["Records"][0]["body"]) == CallbackMessage(**GIVEN)
    assert parse(CallbackMessage(**GIVEN).text()) == CallbackMessage(**GIVEN)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"id": 1}'])
def test_what_is_no_callback_is_refused(text: str) -> None:
    with pytest.raises(BoringError, match="callback_malformed"):
        parse(text)


@pytest.mark.parametrize("message_id", ["a.b", "", "a b", "x" * 129, 7, None, "é"])
def test_an_id_that_could_be_misread_in_a_signature_is_refused(message_id: Any) -> None:
    assert code(id=message_id) == "callback_malformed"


def test_a_body_above_20_kb_is_refused_before_it_is_queued() -> None:
    payload = {"type": "job.succeeded", "data": "x" * (MAX_BODY_BYTES - 35)}
    assert CallbackMessage(**{**GIVEN, "payload": payload}).text()
    payload["data"] += "x" * 100
    with pytest.raises(BoringError, match="callback_too_large"):
        CallbackMessage(**{**GIVEN, "payload": payload}).text()


def test_sessions_of_a_role_are_one_client() -> None:
    session = "arn:aws:sts::123456789012:assumed-role/shop/i-0abc"
    assert client_of(session) == "arn:aws:iam::123456789012:role/shop"
    assert client_of(client_of(session)) == client_of(session)
    assert client_of("arn:aws:iam::123456789012:user/ann") == "arn:aws:iam::123456789012:user/ann"


@pytest.mark.parametrize("name", ["", "A", "1a", "a/b", "a" * 65, "ä", "a\n"])
def test_a_name_that_could_leave_its_place_is_refused(name: str) -> None:
    with pytest.raises(BoringError, match="callback_name_invalid"):
        check_name(name)
