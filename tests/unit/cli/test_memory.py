"""`boringml memory`: a size from what Lambda reported, or why there is none."""

import json
import re
import time
from typing import Any

import pytest

from boringml_cli import session
from boringml_cli.failures import StackUnknownError
from tests.unit.cli.conftest import World
from tests.unit.governance.test_memory_size import LINE
from tests.unit.registry.samples import package

DAY_MS = 86_400_000


class Functions:
    """Lambda: one function's configuration."""

    class meta:  # noqa: N801 - botocore's name
        region_name = "us-east-1"

    def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        assert FunctionName == "predict"
        return {"Architectures": ["arm64"], "LoggingConfig": {"LogGroup": "predictions"}}


class Logs:
    """CloudWatch Logs: the lines of a day, evenly, those of requests among them; 400 a page."""

    def __init__(self, *lines: dict[str, Any]) -> None:
        begin, step = time.time() * 1000 - DAY_MS + 60_000, (DAY_MS - 120_000) / (len(lines) or 1)
        self.lines = [(int(begin + i * step), line) for i, line in enumerate(lines)]
        self.asked: list[dict[str, Any]] = []

    def filter_log_events(self, **asked: Any) -> dict[str, Any]:
        assert asked["logGroupName"] == "predictions"
        self.asked.append(asked)
        lines = [
            (at, line)
            for at, line in self.lines
            if line.get("type") == "platform.report"
            and asked["startTime"] <= at <= asked["endTime"]
        ]
        begin = int(asked.get("nextToken", 0))
        end = begin + min(400, asked["limit"])
        events = [{"timestamp": at, "message": json.dumps(line)} for at, line in lines[begin:end]]
        return {"events": events, **({"nextToken": str(end)} if end < len(lines) else {})}


def report(**metrics: float) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(LINE))
    del found["record"]["metrics"]["initDurationMs"]
    found["record"]["metrics"].update(metrics)
    return found


@pytest.fixture
def sized(shell: pytest.MonkeyPatch, world: World) -> Any:
    world.registry.register_version(package(1), by="train", why="its gates passed")
    real = session.Session.client
    found = session.Session.found

    def outputs(self: session.Session, name: str) -> str:
        return "predict" if name == "CreditFunction" else found(self, name)

    shell.setattr(session.Session, "found", outputs)

    def given(*lines: dict[str, Any]) -> World:
        clients = {"logs": Logs(*lines), "lambda": Functions()}

        def client(self: session.Session, service: str) -> Any:
            return clients.get(service) or real(self, service)

        shell.setattr(session.Session, "client", client)
        return world

    return given


def test_a_size_is_told_with_its_reason_and_what_it_saves(sized: Any) -> None:
    lines = [report(memorySizeMB=3008, durationMs=0.9)] * 200
    found = sized(*lines, {"record": 0}).json("memory", "credit")
    assert (found["invocations"], found["starts"], found["used_mb"]) == (200, 0, 148)
    assert found["now"]["memory_mb"] == 3008
    assert found["better"]["memory_mb"] < 1769
    assert found["saving"] > 0.05
    assert "148 MB of 3008 MB" in found["why"]
    told = sized(*lines).run("memory", "credit")
    assert f"to {found['better']['memory_mb']}" in told.stdout


def test_of_many_invocations_a_sample_of_all_hours_is_read(sized: Any) -> None:
    # Each hour has 1,250, and the last hours take longer: they must be among them.
    lines = [report(durationMs=2 if i < 20 * 1250 else 200) for i in range(24 * 1250)]
    world = sized(*lines)
    found = world.json("memory", "credit")
    assert found["is_sample"]
    assert 23_000 <= found["invocations"] <= 24_000
    assert found["now"]["p95_ms"] > 100
    assert "A sample: 1,000 invocations at most" in world.run("memory", "credit").stdout


def test_of_few_invocations_each_is_read_once(sized: Any) -> None:
    world = sized(*[report()] * 2000)
    found = world.json("memory", "credit")
    assert (found["invocations"], found["is_sample"]) == (2000, False)
    assert "A sample" not in world.run("memory", "credit").stdout


def test_what_a_size_saves_or_costs_is_told_in_words(sized: Any) -> None:
    less = [report(memorySizeMB=3008, durationMs=0.9)] * 200
    assert "; it saves 7.7 % of Lambda's cost." in sized(*less).run("memory", "credit").stdout
    more = [report(memorySizeMB=512, maxMemoryUsedMB=500, durationMs=0.4)] * 200
    told = sized(*more).run("memory", "credit")
    assert re.search(r"; it costs [\d.]+ % more\. Deploy", told.stdout)
    same = [report(memorySizeMB=512, durationMs=4.0)] * 200
    told = sized(*same).run("memory", "credit", "--p95-ms", "3")
    assert "; it costs the same. Deploy" in told.stdout


def test_a_size_that_is_right_is_left(sized: Any) -> None:
    assert "Leave it." in sized(*[report()] * 200).run("memory", "credit").stdout


def test_where_lambda_reports_nothing_the_reason_is_told(sized: Any) -> None:
    error = sized({"record": 0}).refusal("memory", "credit")
    assert error["code"] == "reports_missing"
    assert "was it asked at all?" in error["message"]


def test_a_few_invocations_are_no_evidence(sized: Any) -> None:
    assert sized(*[report()] * 20).refusal("memory", "credit")["code"] == "too_few"


def test_a_model_that_batches_alone_ask_has_no_function(sized: Any, shell: Any) -> None:
    world = sized()

    def unknown(_self: Any, name: str) -> str:
        raise StackUnknownError(f"no output {name}")

    registry = world.registry
    shell.setattr(session.Session, "registry", registry)
    shell.setattr(session.Session, "found", unknown)
    assert world.refusal("memory", "credit")["code"] == "function_not_found"
