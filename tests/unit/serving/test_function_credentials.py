"""Whose role the function reads with, in its environment or beside a snapshot."""

import json

import pytest

from boringml.adapters import function_credentials
from boringml.adapters.function_credentials import credentials_of
from boringml.adapters.s3_signature import Credentials
from boringml.errors import BoringError
from tests.unit.serving.wire import Wire, answer

SNAPSTART = {
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9001/v1/credentials",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN": "a-token",
}
GIVEN = {"AccessKeyId": "a", "SecretAccessKey": "s", "Token": "t", "Expiration": "2026-01-01"}


def provider(monkeypatch: pytest.MonkeyPatch, *answers: bytes | OSError) -> Wire:
    wire = Wire(*answers)

    monkeypatch.setattr(function_credentials, "_connect", lambda host: wire.connect("http", host))
    return wire


@pytest.mark.parametrize("token", ["", "t"])
def test_keys_in_the_environment_are_used(token: str) -> None:
    environ = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s"}
    if token:
        environ["AWS_SESSION_TOKEN"] = token
    assert credentials_of({**SNAPSTART, **environ}) == Credentials("a", "s", token)


def test_a_snapshot_is_made_with_the_credentials_of_its_provider(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wire = provider(monkeypatch, answer(200, json.dumps(GIVEN).encode()))
    assert credentials_of(SNAPSTART) == Credentials("a", "s", "t")
    assert wire.places == [("http", "127.0.0.1:9001")]
    assert wire.sent[0].startswith(b"GET /v1/credentials ")
    assert b"Authorization: a-token\r\n" in wire.sent[0]
    assert wire.open == 0


@pytest.mark.parametrize(
    "uri", ["", "https://127.0.0.1/", "http://192.0.2.1/", "http://127.0.0.1.example.com/", "x"]
)
def test_the_token_never_leaves_the_machine(monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    wire = provider(monkeypatch)
    with pytest.raises(BoringError) as caught:
        credentials_of({**SNAPSTART, "AWS_CONTAINER_CREDENTIALS_FULL_URI": uri})
    assert (caught.value.code, wire.places) == ("credentials_missing", [])


@pytest.mark.parametrize(
    "given",
    [ConnectionRefusedError("no"), answer(200, b"{}"), answer(500, b"?"), b""],
    ids=["no provider", "no keys", "no JSON", "closed"],
)
def test_a_provider_that_gives_none_is_told(
    monkeypatch: pytest.MonkeyPatch, given: bytes | OSError
) -> None:
    provider(monkeypatch, given)
    with pytest.raises(BoringError) as caught:
        credentials_of(SNAPSTART)
    assert caught.value.code == "credentials_missing"
