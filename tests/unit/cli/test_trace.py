"""`boringml trace`: one request, from its line to what came of it."""

import json
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from boringml.adapters.labels_table import LabelsTable
from boringml.adapters.object_store import ObjectStore
from boringml.monitoring.labels import Label
from boringml_cli import session
from tests.unit.cli import conftest
from tests.unit.cli.conftest import World
from tests.unit.cli.test_looking import ONE, RELEASE, SPLIT, Route, send
from tests.unit.jobs.samples import CLIENT, JOB_ID, POSTED_MS
from tests.unit.registry.samples import package

ROOT = "1-67891233-abcdef012345678912345678"


def line(version: int, function_version: str, **changes: Any) -> dict[str, Any]:
    return {
        "level": "INFO",
        "timestamp": "2026-11-24T12:30:00.250Z",
        "model": "credit",
        "model_version": str(version),
        "function_version": function_version,
        "feature_flags": [],
        "cold_start": False,
        "request_id": "r-1",
        "upstream_request_id": "order-4711",
        "trace_id": f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=1",
        "record": 0,
        "code": None,
        "requests": 1,
        "failures": 0,
        "latency_ms": 3.25,
        "features": {"int_rate": 11.5},
        "prediction": "good",
        "probability": 0.1,
        "_aws": {},
        **changes,
    }


class Logs:
    """CloudWatch Logs: events by group, two pages of them."""

    def __init__(self, **groups: list[dict[str, Any]]) -> None:
        self.groups = groups
        self.asked: list[dict[str, Any]] = []

    def filter_log_events(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        if "nextToken" not in asked:
            return {"events": [{"timestamp": 1, "message": "no JSON"}], "nextToken": "more"}
        lines = self.groups[asked["logGroupName"]]
        return {"events": [{"timestamp": 1, "message": json.dumps(told)} for told in lines]}


class Athena:
    """Athena: one answer, after a while."""

    def __init__(self, *rows: dict[str, str | None], state: str = "SUCCEEDED") -> None:
        self.rows = rows
        self.states = ["QUEUED", "RUNNING", state]
        self.sql = ""

    def start_query_execution(self, **asked: Any) -> dict[str, str]:
        assert asked["QueryExecutionContext"] == {"Database": "lake"}
        self.sql = asked["QueryString"]
        return {"QueryExecutionId": "1"}

    def get_query_execution(self, **_asked: Any) -> dict[str, Any]:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"QueryExecution": {"Status": {"State": state, "StateChangeReason": "no table"}}}

    def get_query_results(self, **_asked: Any) -> dict[str, Any]:
        names = list(self.rows[0]) if self.rows else ["at"]
        cells = [[row[name] for name in names] for row in self.rows]
        data = [{"Data": [{"VarCharValue": name} for name in names]}]
        data += [{"Data": [{} if v is None else {"VarCharValue": v} for v in row]} for row in cells]
        return {"ResultSet": {"Rows": data}}


class Functions:
    """Lambda, where live has a gigabyte on arm64."""

    meta = SimpleNamespace(region_name="us-east-1")

    def get_function_configuration(self, **asked: str) -> dict[str, Any]:
        assert asked == {"FunctionName": "predict", "Qualifier": "live"}
        return {"MemorySize": 1024, "Architectures": ["arm64"]}


class Days(Logs):
    """CloudWatch Logs, where the lines were written so many days ago."""

    def __init__(self, days: float, *lines: dict[str, Any]) -> None:
        super().__init__(predictions=list(lines))
        self.at = (time.time() - days * 86_400) * 1000

    def filter_log_events(self, **asked: Any) -> dict[str, Any]:
        found = super().filter_log_events(**asked)
        return found if asked["startTime"] <= self.at <= asked["endTime"] else {"events": []}


@pytest.fixture
def traced(shell: pytest.MonkeyPatch, world: World) -> Any:
    """A world in which version 2 has a tenth of version 1's requests, and what the logs say."""
    known = {
        **conftest.OUTPUTS,
        "CreditLogGroup": "predictions",
        "CreditFunction": "predict",
        "CallbackLogGroup": "callbacks",
        "LakeBucket": "lake",
        "LakeDatabase": "lake",
        "JobsTable": "jobs",
    }
    shell.setattr(session.Session, "found", lambda _self, name: known[name])
    for number in (1, 2):
        world.registry.register_version(package(number), by="train", why="its gates passed")
    world.registry.take_lock("credit", holder=RELEASE, kind="release", version=2)
    send(world, ONE, Route())
    send(world, SPLIT, ONE)
    boto3.client("s3").create_bucket(Bucket="lake")
    real = session.Session.client

    def given(logs: Any, athena: Any = None) -> Any:
        clients = {"logs": logs, "athena": athena, "lambda": Functions()}

        def client(self: session.Session, service: str) -> Any:
            return clients.get(service) or real(self, service)

        shell.setattr(session.Session, "client", client)
        return world

    return given


def test_each_version_that_answered_is_told_with_how_it_became_live(traced: Any) -> None:
    logs = Logs(predictions=[line(1, "11"), line(2, "12", record=1), line(3, "13")])
    found = traced(logs).json("trace", "credit", "r-1")
    assert (found["source"], found["trace_ids"], found["job"]) == ("log", [ROOT], None)
    versions = {v["model_version"]: v["became_live"] for v in found["versions"]}
    assert versions[1]["by"] == versions[2]["by"] == RELEASE
    assert versions[1]["sequence"] == versions[2]["sequence"], "the canary's share is the last move"
    assert versions[2]["why"] == "it earned it"
    assert versions[3] is None, "nobody released that"
    first = found["records"][0]
    assert (first["probability"], first["latency_ms"]) == (0.1, 3.25)
    assert first["label"] is None
    # A request, 4 ms of a gigabyte, the API, and 1,500 bytes of log.
    by_hand = 0.2e-6 + 0.004 * 0.0000133334 + 3.5e-6 + 0.5 * 1500 / 2**30
    assert first["cost_usd"] == pytest.approx(by_hand, abs=1e-9)
    assert found["records"][1]["cost_usd"] is None, "one request, paid once"
    assert not {"_aws", "requests"} & set(first)
    assert logs.asked[-1]["filterPattern"] == (
        '{ ($.request_id = "r-1") || ($.upstream_request_id = "r-1") }'
    )


def test_the_newest_day_is_read_first_and_no_further_one_than_it_takes(traced: Any) -> None:
    logs = Days(2.5, line(1, "11"))
    assert traced(logs).json("trace", "credit", "r-1")["source"] == "log"
    days = sorted({(one["startTime"], one["endTime"]) for one in logs.asked}, reverse=True)
    assert len(days) == 3, "of seven"
    for newer, older in pairwise(days):
        assert older[1] - newer[0] == 60_000, "lines may lie on both sides of where they meet"
    assert all(end - begin < 86_500_000 for begin, end in days)


def test_each_record_is_told_with_the_label_that_counts(traced: Any) -> None:
    table = LabelsTable(ObjectStore(boto3.client("s3"), "lake"))
    known = datetime(2026, 11, 25, tzinfo=UTC)
    labels = [
        Label(known, "good", False, request_id="r-1", record=1),
        Label(known + timedelta(hours=1), "bad", True, request_id="r-1", record=1),
        Label(known, "bad", True, request_id="r-2"),
    ]
    table.keep("credit", labels, "one", known + timedelta(hours=2))
    logs = Logs(predictions=[line(1, "11"), line(1, "11", record=1)])
    first, second = traced(logs).json("trace", "credit", "r-1")["records"]
    assert first["label"] is None
    assert second["label"] == {"label": "bad", "at": "2026-11-25T01:00:00+00:00"}


def test_a_time_before_a_move_knows_nothing_of_it(traced: Any) -> None:
    early = line(2, "12", timestamp="2026-11-24T12:02:30.000Z")
    (version,) = traced(Logs(predictions=[early])).json("trace", "credit", "r-1")["versions"]
    assert version["became_live"] is not None
    early = line(2, "12", timestamp="2026-11-24T12:01:30.000Z")
    (version,) = traced(Logs(predictions=[early])).json("trace", "credit", "r-1")["versions"]
    assert version["became_live"] is None


def test_where_the_log_is_over_the_lake_tells_the_same(traced: Any) -> None:
    told = line(1, "11")
    row: dict[str, str | None] = {
        name: value
        for name, value in told.items()
        if isinstance(value, str) and name not in ("level", "model", "timestamp")
    }
    row |= {
        "at": "2026-11-24 12:30:00.250",
        "record": "0",
        "code": None,
        "cold_start": "false",
        "latency_ms": "3.25",
        "probability": "0.1",
        "features": '{"int_rate":11.5}',
        "feature_flags": "[]",
    }
    athena = Athena(row)
    found = traced(Logs(predictions=[]), athena).json("trace", "credit", "r-1")
    logged = traced(Logs(predictions=[told])).json("trace", "credit", "r-1")
    assert found.pop("source") == "lake"
    logged.pop("source")
    logged["records"][0].pop("code")
    assert found == logged
    assert "model = 'credit'" in athena.sql
    assert "request_id = 'r-1'" in athena.sql


def test_a_job_is_told_with_its_states_and_its_callbacks(traced: Any) -> None:
    attempts = [
        {
            "step": "deliver_callback",
            "outcome": "retried",
            "code": "callback_refused",
            "attempt": 1,
        },
        {"step": "deliver_callback", "outcome": "delivered", "code": "", "attempt": 2},
    ]
    made = line(1, "11", request_id=JOB_ID, trace_id=ROOT, attempt=1, queue_ms=9)
    logs = Logs(predictions=[made], callbacks=attempts)
    world = traced(logs)
    boto3.client("dynamodb").create_table(
        TableName="jobs",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    item: dict[str, Any] = {
        "pk": {"S": f"JOB#{JOB_ID}"},
        "job_id": {"S": JOB_ID},
        "model": {"S": "credit"},
        "client": {"S": CLIENT},
        "status": {"S": "succeeded"},
        "posted_ms": {"N": str(POSTED_MS)},
        "outcome": {"S": '{"result": {"prediction": "good"}, "model_version": 1}'},
        "callback": {"S": "orders"},
        "is_told": {"BOOL": True},
        "expires_at": {"N": "1"},
    }
    boto3.client("dynamodb").put_item(TableName="jobs", Item=item)
    found = world.json("trace", "credit", JOB_ID)
    assert (found["job"]["status"], found["job"]["is_told"]) == ("succeeded", True)
    assert [attempt["outcome"] for attempt in found["callbacks"]] == ["retried", "delivered"]
    assert found["trace_ids"] == [ROOT]
    assert logs.asked[0]["startTime"] == POSTED_MS - 60_000, "an id tells when to begin"
    shown = world.run("trace", "credit", JOB_ID).stdout
    assert all(word in shown for word in ("succeeded", "delivered", ROOT, "it earned it"))


def test_what_nobody_knows_is_refused(traced: Any) -> None:
    world = traced(Logs(predictions=[]), Athena())
    assert world.refusal("trace", "credit", "r-2")["code"] == "request_not_found"
    assert world.refusal("trace", "churn", "r-1")["code"] == "model_not_found"


@pytest.mark.parametrize("given", ["x' OR 1=1", 'a"', "a*", "x" * 161])
def test_what_is_no_id_is_asked_of_nobody(traced: Any, given: str) -> None:
    world = traced(Logs(predictions=[]))
    error = world.refusal("trace", "credit", given)
    assert error["code"] == "id_malformed"
    assert error["message"].count(given) == 1


def test_a_model_that_batches_alone_ask_has_no_requests(world: World) -> None:
    churn = package(1, model="churn")
    world.registry.register_version(churn, by="train", why="its gates passed")
    error = world.refusal("trace", "churn", "r-1")
    assert error["code"] == "function_not_found"
    assert error["message"].startswith("churn answers batches only")


def test_a_query_that_fails_is_told_with_its_reason(traced: Any) -> None:
    world = traced(Logs(predictions=[]), Athena(state="FAILED"))
    assert world.refusal("trace", "credit", "r-1") == {
        "code": "query_failed",
        "message": "Athena could not answer: no table",
    }
