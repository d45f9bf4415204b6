"""The commands that change something: release, rollback, approve."""

import json
from typing import Any

import pytest

from boringml.registry.records import Route
from tests.unit.cli.conftest import ARN, World
from tests.unit.registry.samples import package

RELEASE = f"{ARN}:release:under-way".replace("stateMachine", "execution")
WHO = "arn:aws:sts::123456789012:user/moto"


@pytest.fixture
def ready(world: World) -> World:
    """Version 1 is live, version 2 is registered, and nothing is under way."""
    registry = world.registry
    for number in (1, 2):
        registry.register_version(package(number), by="train", why="its gates passed")
    registry.take_lock("credit", holder="first", kind="release", version=1)
    registry.send_traffic(
        "credit",
        Route(version=1, function_version="11"),
        expected=Route(),
        holder="first",
        by="first",
        why="it earned it",
    )
    registry.free_lock("credit", holder="first")
    return world


def busy(world: World, script: list[Any]) -> None:
    world.registry.take_lock("credit", holder=RELEASE, kind="release", version=2)
    world.states.executions[RELEASE] = script


def test_a_release_is_started_with_who_and_why(ready: World) -> None:
    found = ready.json("release", "credit", "2", "--why", "fewer false alarms")
    (started,) = ready.states.started
    assert started["stateMachineArn"] == f"{ARN}:release"
    assert started["input"] == {
        "model": "credit", "version": 2, "why": f"fewer false alarms ({WHO})"
    }  # fmt: skip
    assert found == {
        "model": "credit",
        "version": 2,
        "execution": next(iter(ready.states.executions)),
    }


def test_new_code_is_released_with_the_live_version(ready: World) -> None:
    assert ready.json("release", "credit", "--code")["version"] == 1
    assert set(ready.states.started[0]["input"]) == {"model", "why"}


def test_new_code_without_a_live_version(world: World) -> None:
    world.registry.register_version(package(1), by="train", why="its gates passed")
    assert world.refusal("release", "credit", "--code")["code"] == "nothing_live"


def test_a_version_that_is_not_registered_is_not_released(ready: World) -> None:
    assert ready.refusal("release", "credit", "3")["code"] == "version_not_found"
    assert ready.states.started == []


def test_a_second_release_is_refused_with_who_has_the_lock(ready: World) -> None:
    busy(ready, [["SmokeCandidate"]])
    error = ready.refusal("release", "credit", "2")
    assert (error["code"], error["holder"]) == ("release_busy", RELEASE)
    assert ready.states.started == []


@pytest.mark.parametrize("script", [[("ABORTED", None, None)], None])
def test_a_dead_holder_does_not_stand_in_the_way(ready: World, script: list[Any] | None) -> None:
    busy(ready, script or [])
    if script is None:
        del ready.states.executions[RELEASE]
    ready.json("release", "credit", "2")
    assert len(ready.states.started) == 1


def test_waiting_tells_each_state_once_and_in_order(ready: World) -> None:
    ready.states.script = [
        ["OpenRelease", "PublishVersion"],
        [],
        ["SmokeCandidate"],
        {"version": 2},
    ]
    shown = ready.run("release", "credit", "2", "--wait")
    assert shown.exit_code == 0
    told = [line.split()[-1] for line in shown.stdout.splitlines() if " s  " in line]
    assert told == ["OpenRelease", "PublishVersion", "SmokeCandidate"]
    assert "version 2 of credit is live" in shown.stdout


def test_what_waits_is_told_once_with_how_far_it_is(ready: World) -> None:
    def looks(said: str) -> list[str]:
        return ["WaitForRequests", f"CompareShadow: {said}", "IsShadowPassed"]

    canary = ["StartCanary", "WaitForEvidence", "JudgeCanary", "IsStepPassed"]
    ready.states.script = [
        ["StartShadow"],
        *[looks("0 of 300 requests were compared; it gives up after 900 s")] * 50,
        looks("12 of 300 requests were compared; it gives up after 900 s"),
        [*canary, *canary[1:], *canary],
        {"version": 2},
    ]
    shown = ready.run("release", "credit", "2", "--wait").stdout
    told = [line.split(" s  ", 1)[1] for line in shown.splitlines() if " s  " in line]
    assert told == [
        "StartShadow",
        "WaitForRequests",
        "CompareShadow",
        "0 of 300 requests were compared; it gives up after 900 s",
        "IsShadowPassed",
        "12 of 300 requests were compared; it gives up after 900 s",
        *canary,
        *canary,
    ]


def test_waiting_for_scripts_gives_one_document(ready: World) -> None:
    found = ready.json("release", "credit", "2", "--wait")
    assert [state["state"] for state in found["states"]] == ["PublishVersion", "SmokeCandidate"]
    assert found["result"] == {"version": 2}


@pytest.mark.parametrize(
    ("ended", "code", "message"),
    [
        (
            ("FAILED", "PromotionFailed", "canary_harm: 12 of 100 failed: live 0"),
            "canary_harm",
            "12 of 100 failed: live 0",
        ),
        (("FAILED", "States.Runtime", "No such path."), "execution_failed", "No such path."),
        (("TIMED_OUT", None, None), "execution_timed_out", "It says no reason."),
        (("ABORTED", "RolledBack", "by ann"), "execution_aborted", "by ann"),
    ],
)
def test_a_release_that_fails_fails_the_command(
    ready: World, ended: Any, code: str, message: str
) -> None:
    ready.states.script = [["StartCanary"], ended]
    error = ready.refusal("release", "credit", "2", "--wait")
    assert (error["code"], error["ended_as"]) == (code, ended[0])
    assert message in error["message"]
    assert error["execution"] in ready.states.executions


def test_what_goes_on_after_the_timeout_is_no_failure_and_no_success(ready: World) -> None:
    ready.states.script = [["WaitForEvidence"]]
    error = ready.refusal("release", "credit", "2", "--wait", "--timeout", "0", code=4)
    assert (error["code"], error["execution"]) == (
        "still_running",
        next(iter(ready.states.executions)),
    )


def test_who_stops_following_is_told_that_it_goes_on(ready: World) -> None:
    ready.states.script = [["WaitForEvidence"], KeyboardInterrupt]
    assert ready.refusal("release", "credit", "2", "--wait", code=4)["code"] == "still_running"


def test_a_release_that_waits_for_a_person_says_so(
    ready: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready.states.script = [["AwaitApproval"]]
    start = ready.states.start_execution

    def asking(**members: Any) -> dict[str, str]:
        begun = start(**members)
        ask(ready, begun["executionArn"])
        return begun

    monkeypatch.setattr(ready.states, "start_execution", asking)
    error = ready.refusal("release", "credit", "2", "--wait", "--timeout", "0", code=4)
    assert error["code"] == "waits_for_approval"
    assert "boringml approve credit" in error["message"]


def test_a_rollback_says_who_asked_and_what_was_live(ready: World) -> None:
    ready.json("rollback", "credit", "--why", "complaints")
    (started,) = ready.states.started
    assert started["stateMachineArn"] == f"{ARN}:rollback"
    assert started["input"] == {
        "model": "credit", "by": WHO, "why": "complaints", "seen": "11"
    }  # fmt: skip


def test_a_rollback_of_a_model_without_a_function_tells_the_version_that_was_live(
    ready: World,
) -> None:
    registry = ready.registry
    registry.take_lock("credit", holder="x", kind="release", version=2)
    registry.send_traffic(
        "credit", Route(version=2), expected=registry.route("credit"), holder="x", by="x", why="x"
    )
    registry.free_lock("credit", holder="x")
    ready.json("rollback", "credit")
    assert ready.states.started[0]["input"]["seen"] == "model version 2"


def test_a_rollback_to_a_version_and_to_one_that_is_not_there(ready: World) -> None:
    ready.json("rollback", "credit", "--to", "2")
    assert ready.states.started[0]["input"]["to"] == 2
    assert ready.refusal("rollback", "credit", "--to", "3")["code"] == "version_not_found"
    assert len(ready.states.started) == 1


def test_a_rollback_does_not_wait_for_a_release(ready: World) -> None:
    busy(ready, [["WaitForEvidence"]])
    ready.states.script = [["RollBack"], {"version": 1}]
    assert ready.json("rollback", "credit", "--wait")["result"] == {"version": 1}


def test_a_rollback_that_fails(ready: World) -> None:
    ready.states.script = [
        ("FAILED", "RollbackFailed", "nothing_to_roll_back_to: Release another.")
    ]
    error = ready.refusal("rollback", "credit", "--wait")
    assert (error["code"], error["message"]) == ("nothing_to_roll_back_to", "Release another.")


def ask(world: World, release: str = RELEASE) -> None:
    world.registry.ask_approval(
        "credit", version=2, release=release, token="secret", report="shadow.json"
    )


def test_an_approval_lets_the_release_go_on_and_the_history_says_who(ready: World) -> None:
    busy(ready, [["AwaitApproval"]])
    ask(ready)
    found = ready.json("approve", "credit", "--why", "looked at the report")
    assert (found["outcome"], found["by"], found["version"]) == ("approved", WHO, 2)
    sent = json.loads(ready.states.tokens["secret"])
    assert json.loads(sent["output"])["by"] == WHO
    last = ready.registry.history("credit", limit=1)[0]
    assert (last.by, last.why) == (WHO, "looked at the report")
    assert (last.details["step"], last.details["outcome"]) == ("approval", "approved")
    assert ready.registry.approval("credit") is None


def test_a_rejection_reads_as_a_refusal_of_the_release(ready: World) -> None:
    from boringml.steps import reason_of

    busy(ready, [["AwaitApproval"]])
    ask(ready)
    assert ready.json("approve", "credit", "--reject", "--why", "too bold")["outcome"] == "rejected"
    sent = json.loads(ready.states.tokens["secret"])
    reason = reason_of(sent["error"], sent["cause"])
    assert reason == {"code": "approval_refused", "message": f"{WHO}: too bold"}


def test_nothing_waits(ready: World) -> None:
    assert ready.refusal("approve", "credit")["code"] == "approval_not_pending"


def test_what_was_answered_already_is_told_and_forgotten(ready: World) -> None:
    busy(ready, [["AwaitApproval"]])
    ask(ready)
    ready.states.tokens["secret"] = "answered"
    assert ready.refusal("approve", "credit")["code"] == "approval_not_pending"
    assert ready.registry.approval("credit") is None
    # Who was not heard did not approve.
    assert ready.registry.history("credit", limit=1)[0].details["outcome"] == "approving"


def test_a_release_that_is_over_takes_no_answer(ready: World) -> None:
    busy(ready, [("TIMED_OUT", None, None)])
    ask(ready)
    events = len(ready.registry.history("credit"))
    assert ready.refusal("approve", "credit")["code"] == "approval_not_pending"
    assert ready.states.tokens == {}
    assert len(ready.registry.history("credit")) == events
