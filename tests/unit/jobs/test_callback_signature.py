"""Signatures, as the official package verifies them."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from boringml.errors import BoringError
from boringml.jobs.callback_signature import SigningSecrets, headers, new_secret, parse

BODY = '{"type":"job.succeeded","data":{"text":"größer"}}'.encode()


def verifies(secret: str, signed: object, body: bytes = BODY) -> bool:
    try:
        Webhook(secret).verify(body, dict(signed), json_parse=False)  # type: ignore[call-overload]
    except WebhookVerificationError:
        return False
    return True


@given(st.binary(max_size=300).map(lambda raw: base64.b64encode(raw)))
def test_the_official_package_verifies_any_body(body: bytes) -> None:
    secret = new_secret()
    signed = headers("msg_1", body, datetime.now(UTC), SigningSecrets(secret))
    assert verifies(secret, signed, body)
    assert not verifies(secret, signed, body + b" ")
    assert not verifies(secret, {**signed, "webhook-id": "msg_2"}, body)
    assert not verifies(new_secret(), signed, body)


def test_while_a_secret_rotates_both_verify_and_afterwards_the_new_one_alone() -> None:
    old, new, now = new_secret(), new_secret(), datetime.now(UTC)
    rotated = SigningSecrets(old).rotated(new, now - timedelta(minutes=1), timedelta(minutes=2))
    during = headers("msg_1", BODY, now, rotated)
    assert len(during["webhook-signature"].split(" ")) == 2
    assert verifies(old, during)
    assert verifies(new, during)
    after = headers("msg_1", BODY, now + timedelta(minutes=2), rotated)
    assert verifies(new, after)
    assert not verifies(old, after)


def test_each_attempt_has_a_time_of_its_own_and_the_same_id() -> None:
    secrets, now = SigningSecrets(new_secret()), datetime.now(UTC)
    first, second = (
        headers("msg_1", BODY, at, secrets) for at in (now, now + timedelta(seconds=5))
    )
    assert first["webhook-id"] == second["webhook-id"]
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 5
    assert first["webhook-signature"] != second["webhook-signature"]


def test_a_secret_has_what_the_specification_asks_for() -> None:
    secret = new_secret()
    assert secret.startswith("whsec_")
    assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"))) <= 64
    assert secret != new_secret()


def test_stored_secrets_come_back_and_are_not_in_their_text_form() -> None:
    secrets = SigningSecrets(new_secret()).rotated(new_secret(), datetime.now(UTC))
    assert parse(secrets.text()) == secrets
    assert "whsec_" not in repr(secrets)


@pytest.mark.parametrize(
    "text", ["", "null", "{}", '{"current": "whsec_%%%", "previous": null, "previous_until": null}']
)
def test_a_secret_that_is_no_secret_is_refused_without_being_told(text: str) -> None:
    with pytest.raises(BoringError) as refused:
        parse(text)
    assert refused.value.code == "callback_secret_unreadable"
    assert refused.value.__suppress_context__
    assert "%%%" not in str(refused.value)
