"""The process of the local AWS."""

import os
from pathlib import Path

import pytest

from local.server import LocalAWS, LocalAWSError


def test_clients_reach_the_account_of_the_local_aws(local_aws: LocalAWS) -> None:
    assert local_aws.client("sts").get_caller_identity()["Account"] == "000000000000"


def test_clients_read_neither_profiles_nor_endpoints_of_the_caller(
    local_aws: LocalAWS, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "elsewhere")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert local_aws.client("sts").get_caller_identity()["Account"] == "000000000000"


def test_one_home_has_one_process(local_aws: LocalAWS) -> None:
    other = LocalAWS(local_aws.home)
    assert other.start() is False
    assert other.pid() == local_aws.pid()


def test_a_start_that_fails_shows_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.server.server_environment", lambda *_: {**os.environ})
    with pytest.raises(LocalAWSError, match="LOCAL_AWS_PID_FILE"):
        LocalAWS(tmp_path).start()
