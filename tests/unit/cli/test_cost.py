"""`boringml cost`: the newest looks, and a look now."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from boringml.adapters.monitoring_reports import MonitoringReports
from boringml.adapters.object_store import ObjectStore
from boringml.monitoring.report import Report
from boringml_cli import session
from tests.unit.cli import conftest
from tests.unit.cli.conftest import World
from tests.unit.monitoring.test_measure_cost import SERVING, batch, version
from tests.unit.monitoring.test_measure_cost import World as Looks
from tests.unit.registry.samples import package


class Functions:
    """Lambda with one function."""

    def __init__(self, answer: Any, error: str | None = None) -> None:
        self.answer, self.error = answer, error
        self.asked: list[dict[str, Any]] = []

    def invoke(self, FunctionName: str, Payload: str) -> dict[str, Any]:  # noqa: N803
        assert FunctionName == "measure"
        self.asked.append(json.loads(Payload))
        found: dict[str, Any] = {"Payload": io.BytesIO(json.dumps(self.answer).encode())}
        return found | ({"FunctionError": self.error} if self.error else {})


@pytest.fixture
def lake(shell: pytest.MonkeyPatch, world: World) -> MonitoringReports:
    known = {**conftest.OUTPUTS, "LakeBucket": "lake", "MeasureCostFunction": "measure"}
    shell.setattr(session.Session, "found", lambda _self, name: known[name])
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="lake")
    world.registry.register_version(package(1), by="train", why="its gates passed")
    return MonitoringReports(ObjectStore(s3, "lake"))


def look(**options: Any) -> Report:
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    moved = {end - timedelta(hours=1): next(iter(SERVING.hours.values()))}
    serving = type(SERVING)(SERVING.machine, moved, SERVING.fixed)
    return Looks([version(2, 3)], [batch(1)]).look(serving=serving, end=end, **options)


def test_the_newest_look_is_shown_by_part(world: World, lake: MonitoringReports) -> None:
    report = look()
    lake.put(report)
    found = world.json("cost", "credit")
    assert found == {"stack": conftest.STACK, "models": [json.loads(json.dumps(report.document()))]}
    shown = world.run("cost", "credit").stdout
    for words in ("0.01752", "GB-s", "2024-07-01 (old)", "spot_saving", "the last 24 hours"):
        assert words in shown
    assert "0.0035" in shown  # the API's part of 1,000 predictions
    assert "0.001" in world.run("cost").stdout  # of 1,000 batch rows


def test_a_month_says_what_it_assumes_and_an_hour_to_come_is_no_time_yet(
    world: World, lake: MonitoringReports
) -> None:
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    lake.put(look())
    shown = world.run("cost").stdout
    assert "month of credit: the last 24 hours, times 30" in shown
    assert "and since" not in shown
    moved = {end: next(iter(SERVING.hours.values()))}
    serving = type(SERVING)(SERVING.machine, moved, SERVING.fixed)
    coming = end + timedelta(hours=1)
    lake.put(Looks([version(2, 3)], []).look(serving=serving, end=coming))
    shown = world.run("cost").stdout
    assert f"{end:%Y-%m-%d %H:%M:%SZ} and since" in shown
    assert f"{coming:%Y-%m-%d %H:%M:%SZ}" not in shown


def test_a_model_that_nobody_looked_at(world: World, lake: MonitoringReports) -> None:
    assert world.json("cost")["models"] == []
    assert "no look yet" in world.run("cost").stdout
    assert world.refusal("cost", "nothing")["code"] == "model_not_found"


def test_a_look_without_prices_says_so(world: World, lake: MonitoringReports) -> None:
    lake.put(look(region="eu-west-1"))
    assert "There is no price of Lambda on arm64" in world.run("cost", "credit").stdout


@pytest.mark.usefixtures("lake")
def test_a_look_now_is_one_up_to_the_end_of_this_hour(
    world: World, shell: pytest.MonkeyPatch
) -> None:
    functions = Functions({"looks": {"credit": "fine"}})
    before = session.Session.client
    shell.setattr(
        session.Session,
        "client",
        lambda self, name: functions if name == "lambda" else before(self, name),
    )
    world.json("cost", "credit", "--now")
    (asked,) = functions.asked
    assert asked["models"] == ["credit"]
    left = datetime.fromisoformat(asked["end"]) - datetime.now(UTC)
    assert timedelta() < left <= timedelta(hours=1)
    functions.error, functions.answer = "Unhandled", {"errorMessage": "metrics_incomplete: ask"}
    assert "metrics_incomplete" in world.refusal("cost", "--now")["message"]
