"""A demonstration is not silent for long, cuts nothing in silence, and fails in one line."""

import io
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from local import demo
from local.following import follow
from local.server import LocalAWS
from local.telling import shortened, still


def test_work_that_lasts_is_said_to_go_on() -> None:
    said: list[str] = []
    twice = threading.Event()

    def say(line: str) -> None:
        said.append(line)
        if len(said) == 2:
            twice.set()

    with still("deploying", say, every=0.01):
        assert twice.wait(10)
    assert said[0] == "  still deploying: 0 s"
    count = len(said)
    assert not threading.Event().wait(0.05)
    assert len(said) == count


class Execution:
    """An execution that waits between two looks, over at its third."""

    def __init__(self) -> None:
        self.looks = 0

    def describe_execution(self, **_arguments: Any) -> dict[str, Any]:
        self.looks += 1
        return {"status": "RUNNING" if self.looks < 3 else "SUCCEEDED", "output": "{}"}

    def get_paginator(self, _name: str) -> "Execution":
        return self

    def paginate(self, **_arguments: Any) -> list[dict[str, Any]]:
        events = [("TaskStateEntered", "StartCanary"), ("WaitStateEntered", "GiveItTime")]
        return [
            {
                "events": [
                    {
                        "id": number,
                        "type": kind,
                        "timestamp": datetime.now(UTC),
                        "stateEnteredEventDetails": {"name": name},
                    }
                    for number, (kind, name) in enumerate(events)
                ]
            }
        ]


def test_a_state_that_lasts_is_said_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.following.EVERY_SECONDS", 0.0)
    said: list[str] = []
    follow(Execution(), "arn", said.append)
    assert said[0].endswith("StartCanary")
    assert said[1:] == ["           still StartCanary: 0 s"] * 2


@pytest.mark.parametrize(("text", "told"), [("abcdef", "abcdef"), ("abcdefg", "abc...")])
def test_what_is_cut_says_so(text: str, told: str) -> None:
    assert shortened(text, 6) == told


def test_a_demo_that_fails_says_so_in_one_line_and_keeps_the_stack_trace(tmp_path: Path) -> None:
    log = tmp_path / "demo-failure.log"
    try:
        demo._hold(False, "a test of it")
    except RuntimeError as error:
        line = demo.told_failure(error, LocalAWS(tmp_path), log)
    assert line.startswith("demo: does not hold: a test of it (stack trace: ")
    assert str(log) in line
    assert str(tmp_path / "ministack.log") in line
    assert "\n" not in line
    assert "make down" not in line, "nothing runs there"
    assert "Traceback" in log.read_text()
    assert "DemoFailedError" in log.read_text()


def test_a_demo_that_fails_says_that_the_local_aws_still_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalAWS, "pid", lambda _self: 1)
    line = demo.told_failure(KeyError("x"), LocalAWS(tmp_path), tmp_path / "log")
    assert line.startswith("demo: KeyError: 'x' (")
    assert line.endswith("the local AWS still runs: `make down` stops it")


def test_main_ends_with_that_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_console: Console) -> None:
        raise TimeoutError("not every job was told")

    monkeypatch.setattr(demo, "run", fails)
    monkeypatch.setattr(demo, "FAILURE", tmp_path / "log")
    with pytest.raises(SystemExit) as ended:
        demo.main()
    assert str(ended.value).startswith("demo: TimeoutError: not every job was told")


def test_a_long_line_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    url = "s3://" + "a" * 100
    monkeypatch.setattr(
        demo,
        "up",
        lambda say: say(f"uploaded {url}") or (_ for _ in ()).throw(RuntimeError("enough")),
    )
    with pytest.raises(RuntimeError, match="enough"):
        demo.run(Console(file=written, width=80))
    assert f"uploaded {url}\n" in written.getvalue()
