"""A local AWS that says it has stopped has."""

import subprocess
import sys
from pathlib import Path

import pytest

from local import server
from local.paths import ROOT
from local.server import LocalAWS, members

# It holds the lock as local.aws does, has a function, and needs a while for its state.
SERVER = """
import fcntl, os, signal, subprocess, sys, time
lock = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(lock, fcntl.LOCK_EX)
function = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
signal.signal(signal.SIGTERM, lambda *_: (time.sleep(float(sys.argv[2])), os._exit(0)))
os.write(lock, str(os.getpid()).encode())
print("ready", flush=True)
time.sleep(60)
"""


def started(home: Path, writes_for: float) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(home / "pid"), str(writes_for)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_it_has_stopped_when_its_functions_are_gone(tmp_path: Path) -> None:
    process = started(tmp_path, 0)
    assert len(members(process.pid)) == 2
    assert LocalAWS(tmp_path).stop() is True
    assert members(process.pid) == []
    process.wait()
    assert LocalAWS(tmp_path).stop() is False


def test_what_takes_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "SAY_SECONDS", 0.1)
    process = started(tmp_path, 0.5)
    said: list[str] = []
    assert LocalAWS(tmp_path).stop(said.append) is True
    assert said[0].startswith("writes its state, ")
    process.wait()


def test_a_function_that_does_not_end_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = started(tmp_path, 0)
    monkeypatch.setattr(server, "STOP_SECONDS", 0.5)
    monkeypatch.setattr(server, "members", lambda _group: [4711])
    with pytest.raises(server.LocalAWSError, match=r"functions .* do not end: \[4711\]"):
        LocalAWS(tmp_path).stop()
    process.wait()


def test_without_an_environment_there_is_nothing_to_stop(tmp_path: Path) -> None:
    done = subprocess.run(
        ["make", "down", f"BIN={tmp_path}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "make setup" in done.stdout
