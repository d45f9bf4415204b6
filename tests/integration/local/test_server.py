"""The process of the local AWS."""

import os
import subprocess
from pathlib import Path

import pytest

from local.paths import MINISTACK_PYTHON, ROOT
from local.server import LocalAWS, LocalAWSError
from local.settings import server_environment


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


def start_with(tmp_path: Path, change: str) -> str:
    """Return what a server says that starts after `change`, a statement on MiniStack."""
    code = f"import runpy\n{change}\nrunpy.run_module('local.aws', run_name='__main__')\n"
    done = subprocess.run(
        [MINISTACK_PYTHON, "-c", code],
        cwd=ROOT,
        env=server_environment(tmp_path, 0),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    return done.stderr


def test_a_seam_that_is_gone_stops_the_start_by_its_name(tmp_path: Path) -> None:
    said = start_with(tmp_path, "from ministack.services import lambda_svc; del lambda_svc._invoke")
    assert "SeamMissingError: MiniStack 1.5.33 has no ministack.services.lambda_svc._invoke" in said


def test_another_ministack_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    said = start_with(tmp_path, "from local.aws import seams; seams.MINISTACK_VERSION = '1.5.34'")
    assert "was written for MiniStack 1.5.34, installed is 1.5.33" in said
