"""The commands that only look: status, history, at, diff, shadow."""

import json
from typing import Any

import boto3
import pytest

from boringml.package import layout
from boringml.registry.records import Canary, Route
from tests.unit.cli.conftest import ARN, BUCKET, STACK, World
from tests.unit.registry.samples import package
from tests.unit.serving import tiny

RELEASE = f"{ARN}:release:credit-1".replace("stateMachine", "execution")
ROLLBACK = f"{ARN}:rollback:credit-2".replace("stateMachine", "execution")
ONE = Route(version=1, function_version="11")
SPLIT = Route(
    version=1,
    function_version="11",
    canary=Canary(version=2, function_version="12", weight=0.1),
)


def send(world: World, to: Route, expected: Route) -> None:
    world.registry.send_traffic(
        "credit", to, expected=expected, holder=RELEASE, by=RELEASE, why="it earned it"
    )
    world.clock.move(minutes=1)
    world.registry.record_applied(world.registry.decision("credit"), by=RELEASE)
    world.clock.move(minutes=1)


@pytest.fixture
def canary(world: World) -> World:
    """Version 1 is live, version 2 in its canary."""
    for number in (1, 2):
        world.registry.register_version(package(number), by="train", why="its gates passed")
    world.registry.take_lock("credit", holder=RELEASE, kind="release", version=2)
    send(world, ONE, Route())
    world.registry.record_step(
        "credit", step="shadow", outcome="passed", version=2, by=RELEASE, why="300 samples"
    )
    send(world, SPLIT, ONE)
    return world


def test_a_stack_without_models(world: World) -> None:
    assert world.json("status") == {"stack": STACK, "models": []}
    assert "no model yet" in world.run("status").stdout


def test_the_status_of_a_canary(canary: World) -> None:
    (model,) = canary.json("status")["models"]
    assert model["live"] == {"version": 1, "function_version": "11"}
    assert model["canary"] == {"version": 2, "function_version": "12", "weight": 0.1}
    assert model["lock"]["holder"] == RELEASE
    assert model["lock"]["taken_at"] == "2026-11-24T12:00:00+00:00"
    assert (model["step"]["step"], model["step"]["outcome"]) == ("shadow", "passed")
    assert (model["last_release"]["version"], model["last_release"]["outcome"]) == (1, "promoted")
    assert model["waits_for_approval"] is None
    shown = canary.run("status").stdout
    assert "2 at 10 %" in shown
    assert "credit-1" in shown


def test_a_token_is_never_shown(canary: World) -> None:
    asked = {"version": 2, "release": RELEASE, "token": "secret", "report": None}
    canary.registry.ask_approval("credit", **asked)
    result = canary.run("status", "--json")
    (model,) = json.loads(result.stdout)["models"]
    assert model["waits_for_approval"]["release"] == RELEASE
    assert "secret" not in result.output


def test_a_question_that_its_release_left_behind_is_none(canary: World) -> None:
    asked = {"version": 2, "release": "another", "token": "secret", "report": None}
    canary.registry.ask_approval("credit", **asked)
    assert canary.json("status")["models"][0]["waits_for_approval"] is None


def refuse_rollback(world: World, to: int | None) -> None:
    why = "nothing_to_roll_back_to: Nothing was live before version 1."
    world.registry.record_step(
        "credit", step="end", outcome="abandoned", version=to, by=ROLLBACK, why=why
    )


@pytest.mark.parametrize(
    ("to", "words"), [(None, "rollback refused"), (2, "rollback to version 2 refused")]
)
def test_a_rollback_that_was_refused_is_no_release(
    canary: World, to: int | None, words: str
) -> None:
    before = canary.json("status")
    refuse_rollback(canary, to)
    assert canary.json("status") == before, "nor is it a step of the one under way"
    shown = canary.run("history", "credit").stdout
    assert words in shown
    assert "abandoned" not in shown


def test_a_release_of_new_code_that_was_abandoned_has_no_version(canary: World) -> None:
    canary.registry.record_step(
        "credit", step="end", outcome="abandoned", version=None, by=RELEASE, why="smoke_failed: no"
    )
    assert "new code abandoned" in squeezed(canary.run("status", "credit").stdout)
    assert "end of new code: abandoned" in canary.run("history", "credit").stdout


def test_the_last_training_is_told_with_why_it_failed(canary: World) -> None:
    assert canary.json("status")["models"][0]["last_training"] is None
    canary.registry.claim_run("credit", "lake/one.csv", execution_arn="arn:train:1")
    assert "under way since" in squeezed(canary.run("status", "credit").stdout)
    reason = {"code": "quality_gate_failed", "message": "roc_auc 0.7016 against live 0.7273"}
    canary.registry.finish_run("credit", "lake/one.csv", status="failed", reason=reason)
    (model,) = canary.json("status", "credit")["models"]
    assert (model["last_training"]["status"], model["last_training"]["reason"]) == (
        "failed",
        reason,
    )
    assert "failed:" in canary.run("status").stdout
    shown = squeezed(canary.run("status", "credit").stdout)
    for words in ("quality_gate_failed", "roc_auc 0.7016 against live 0.7273", "arn:train:1"):
        assert words in shown
    canary.clock.move(minutes=1)
    canary.registry.claim_run("credit", "lake/two.csv", execution_arn="arn:train:2")
    canary.registry.finish_run("credit", "lake/two.csv", status="succeeded", version=2)
    assert "version 2 registered" in squeezed(canary.run("status", "credit").stdout)
    assert canary.refusal("status", "nobody")["code"] == "model_not_found"


def squeezed(shown: str) -> str:
    """Return a table's text without its lines."""
    return " ".join(shown.replace("│", " ").split())


def test_the_history_is_whole_or_its_newest_part(canary: World) -> None:
    events = canary.json("history", "credit")["events"]
    assert [event["sequence"] for event in events] == [1, 2, 3, 4, 5, 6, 7]
    assert {"kind", "at", "by", "why", "from_version", "to_version", "details"} <= set(events[0])
    newest = canary.json("history", "credit", "--limit", "2")["events"]
    assert [event["sequence"] for event in newest] == [6, 7]
    assert canary.json("history", "credit", "--limit", "2")["earlier"] == 5
    assert (
        "5 earlier: --limit 7 shows all" in canary.run("history", "credit", "--limit", "2").stdout
    )
    assert "earlier" not in canary.run("history", "credit").stdout


def test_the_history_in_words(canary: World) -> None:
    shown = canary.run("history", "credit").stdout
    for words in (
        "version 2 registered",
        "live - -> 1",
        "shadow of version 2: passed",
        "live shares: 1 + 2 at 10 %",
        "live in Lambda: 1 + 2 at 10 %",
    ):
        assert words in shown


@pytest.mark.parametrize(
    ("time", "served", "moving"),
    [
        ("2026-11-24 11:59Z", {}, None),
        ("2026-11-24T12:00:30Z", {}, {1: 1.0}),
        ("2026-11-24T12:01:30Z", {1: 1.0}, None),
        ("2026-11-24T13:01:30+01:00", {1: 1.0}, None),
        ("2026-11-24T12:03:00Z", {1: 0.9, 2: 0.1}, None),
    ],
)
def test_what_served_at_a_time(
    canary: World, time: str, served: dict[int, float], moving: dict[int, float] | None
) -> None:
    found = canary.json("at", "credit", time)
    assert {row["version"]: row["share"] for row in found["served"]} == served
    told = found["moving_to"]
    assert (told and {row["version"]: row["share"] for row in told}) == moving
    assert all(row["package_digest"].startswith("sha256:") for row in found["served"])


def test_what_served_in_words(canary: World) -> None:
    shown = canary.run("at", "credit", "2026-11-24T12:03:00Z").stdout
    assert "90 %" in shown
    assert "no version was released" in canary.run("at", "credit", "2026-11-23T00Z").stdout


def store(world: World, number: int, parameters: dict[str, Any], auc: float) -> None:
    """Register a package whose files lie in S3."""
    files, digest = tiny.described(
        parameters=parameters, metrics={"roc_auc": auc}, rows=1000 * number
    )
    made = package(number, package_digest=digest, cost_usd=0.25 * number)
    prefix = made.package_uri.removeprefix(f"s3://{BUCKET}/")
    for name, content in files.items():
        boto3.client("s3").put_object(Bucket=BUCKET, Key=prefix + name, Body=content)
    world.registry.register_version(made, by="train", why="its gates passed")


@pytest.fixture
def two(world: World) -> World:
    store(world, 1, {"depth": 2}, 0.7)
    store(world, 2, {"depth": 3, "rate": 0.1}, 0.75)
    return world


def test_the_difference_of_two_versions(two: World) -> None:
    found = two.json("diff", "credit", "1", "2")
    assert found["parameters"]["depth"] == {"before": 2, "after": 3, "difference": 1}
    assert found["parameters"]["rate"] == {"before": None, "after": 0.1}
    assert found["metrics"]["roc_auc"]["difference"] == pytest.approx(0.05)
    assert found["data"]["rows"]["difference"] == 1000
    assert found["cost_usd"]["difference"] == pytest.approx(0.25)
    assert found["contract"]["breaks"] == found["contract"]["breaks_back"] == []
    shown = two.run("diff", "credit", "1", "2").stdout
    assert "parameters.depth" in shown
    assert "compatible" in shown


def test_a_package_that_was_changed_is_not_compared(two: World) -> None:
    key = f"packages/credit/job-2/{layout.EVALUATION}"
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"{}")
    assert two.refusal("diff", "credit", "1", "2")["code"] == "digest_mismatch"


def test_a_version_that_is_not_there(two: World) -> None:
    assert two.refusal("diff", "credit", "1", "3")["code"] == "version_not_found"


def test_the_last_shadow(two: World) -> None:
    assert two.refusal("shadow", "credit")["code"] == "shadow_not_found"
    s3 = boto3.client("s3")
    segments = [{"segment": f"grade {n}", "share": n / 100} for n in range(20)]
    report = {
        "verdict": {"decision": "pass", "reasons": ["one", "two"]},
        "summary": {"samples": 300, "segments": segments},
    }
    s3.put_object(
        Bucket=BUCKET, Key="releases/credit/a/shadow.json", Body=json.dumps(report).encode()
    )
    s3.put_object(Bucket=BUCKET, Key="releases/credit/a/shadow-pairs.json", Body=b"[]")
    s3.put_object(Bucket=BUCKET, Key="releases/credit-v2/b/shadow.json", Body=b"{}")
    found = two.json("shadow", "credit")
    assert found == {
        "model": "credit",
        "report_uri": f"s3://{BUCKET}/releases/credit/a/shadow.json",
        "report": report,
    }
    shown = two.run("shadow", "credit").stdout
    for words in ("summary.samples", "two", "grade 11", "0.11", "8 more"):
        assert words in shown
    assert "grade 12" not in shown
