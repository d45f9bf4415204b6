"""Releases and rollbacks on the local AWS: by effect, and killed half-way."""

import json
import os
import random
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from boringml.adapters.executions import Executions
from boringml.adapters.registry_table import RegistryTable
from boringml.errors import BoringError
from boringml.registry.history import served_at
from boringml.registry.records import Canary, Route
from boringml.release.opening import take_lock
from boringml.release.traffic import Mover, follow, send
from local.bad_versions import THROWS, WRONG, register_bad_version
from local.datasets import write_credit
from local.paths import ROOT
from tests.e2e.conftest import Deploy, Stack

pytestmark = pytest.mark.local_aws


@pytest.fixture(scope="module")
def two(live: Stack, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, int]:
    """Two good versions, the first of which is live; the second is the first, registered again."""
    first = live.registry.alias("credit", "live")
    assert first is not None
    second = len(live.registry.versions("credit")) + 1
    data = write_credit(tmp_path_factory.mktemp("data") / "more.csv", slice(8000))
    live.ended(live.upload(data))

    def is_over() -> bool:
        """Whichever way: on a busy machine a canary may see too few requests."""
        return any(
            event.to_version == second and event.details.get("step") in ("end", "promote")
            for event in live.registry.history("credit")
        )

    with live.traffic():
        live.until(is_over, "the release of the second version is over", 600)
    return first, second


@pytest.fixture
def at_first(live: Stack, two: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Both versions, with the first one live and nothing under way."""
    live.put_live(two[0])
    yield two
    try:
        live.until(lambda: live.registry.lock("credit") is None, "nothing is under way", 120)
    finally:
        # Whoever left it behind has failed; the others begin without it.
        left = live.registry.lock("credit")
        if left is not None:
            live.registry.free_lock("credit", holder=left.holder)


def release(live: Stack, version: int, name: str) -> str:
    name = f"{name}-{random.randrange(10**9)}"
    event = {"model": "credit", "version": version, "why": "a test"}
    return live.start("ReleaseStateMachine", name, json.dumps(event))


def roll_back(live: Stack, **given: Any) -> str:
    name = f"rollback-{random.randrange(10**9)}"
    event = {"model": "credit", "by": "person", "why": "a test", **given}
    return live.start("RollbackStateMachine", name, json.dumps(event))


def test_a_weight_of_a_tenth_is_a_tenth_of_the_requests(
    live: Stack, at_first: tuple[int, int]
) -> None:
    first, second = at_first
    route = live.registry.route("credit")
    published = live.put_live(second)
    live.registry.take_lock("credit", holder="test", kind="release", version=second)
    canary = Canary(version=second, function_version=published, weight=0.1)
    to = Route(version=first, function_version=route.function_version, canary=canary)
    mover = Mover("test", "test")
    send(live.registry, live.function, "credit", to, mover=mover, why="a test")
    try:
        with live.traffic() as traffic:
            live.until(lambda: len(traffic.sent) >= 2000, "2,000 requests", 120)
    finally:
        done = Route(version=first, function_version=route.function_version)
        send(live.registry, live.function, "credit", done, mover=mover, why="a test")
        live.registry.free_lock("credit", holder="test")
    share = sum(item.version == second for item in traffic.sent) / len(traffic.sent)
    print(f"of {len(traffic.sent)} requests, the candidate served {share:.1%}")
    # Four standard errors of 2,000 requests.
    assert 0.073 <= share <= 0.127
    assert traffic.failed() == []


def cleared_up(live: Stack, execution: str) -> bool:
    """Return whether the history says how an execution ended."""
    return any(
        event.details.get("step") in ("end", "promote")
        for event in live.registry.history("credit")
        if event.by == execution
    )


PROOF = pytest.mark.proof
STATES = [
    "OpenRelease",
    "PublishVersion",
    pytest.param("SmokeCandidate", marks=PROOF),
    "WaitForRequests",
    pytest.param("CompareShadow", marks=PROOF),
    pytest.param("StartCanary", marks=PROOF),
    "WaitForEvidence",
    pytest.param("JudgeCanary", marks=PROOF),
    pytest.param("PromoteVersion", marks=PROOF),
]


@pytest.mark.parametrize("state", STATES)
def test_a_release_that_is_stopped_in_any_state_ends_on_live_with_a_free_lock(
    live: Stack, at_first: tuple[int, int], state: str
) -> None:
    first, second = at_first
    states = live.local_aws.client("stepfunctions")
    # Promoting takes a blink, and is done before a test could stop it: here it is kept waiting.
    kept = ["PromoteVersionFunction"] if state == "PromoteVersion" else []
    with live.traffic() as traffic:
        with live.throttled(kept):
            execution = release(live, second, f"stopped-{state}")
            live.until(lambda: state in live.entered(execution), state, 300)
            states.stop_execution(executionArn=execution, error="Test", cause="stopped by a test")
        # A step that was under way when it was stopped still runs to its own end.
        live.until(lambda: cleared_up(live, execution), "it is cleared up")
        live.until(lambda: live.registry.lock("credit") is None, "the lock is free")
    follow(live.registry, live.function, "credit", by="test")
    route = live.registry.route("credit")
    assert route.canary is None
    # A promotion that was decided is completed.
    assert route.version == first or (state == "PromoteVersion" and route.version == second)
    assert live.agrees()
    assert traffic.failed() == []


@contextmanager
def environment(live: Stack, function: str, **changes: str) -> Iterator[None]:
    """Change what a function of the stack reads from its environment, for a while."""
    client = live.local_aws.client("lambda")
    name = live.resource(function)
    before = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    client.update_function_configuration(
        FunctionName=name, Environment={"Variables": {**before, **changes}}
    )
    try:
        yield
    finally:
        client.update_function_configuration(FunctionName=name, Environment={"Variables": before})


def without_writes_to_the_registry(live: Stack, function: str) -> AbstractContextManager[None]:
    """Let the role of a function of the stack write nothing to the registry, for a while."""
    writes = ["PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"]
    return live.denied(f"{function}Role", [f"dynamodb:{write}" for write in writes])


def test_a_judge_that_crashes_puts_traffic_back(live: Stack, at_first: tuple[int, int]) -> None:
    first, second = at_first
    with environment(live, "JudgeCanaryFunction", METRICS_NAMESPACE=""), live.traffic() as traffic:
        execution = release(live, second, "judge-crashes")
        assert "settings_missing" in live.failure(execution)
    assert told_its_end(live, execution)
    route = live.registry.route("credit")
    assert (route.version, route.canary) == (first, None)
    assert live.registry.lock("credit") is None
    assert live.agrees()
    assert traffic.failed() == []


def told_its_end(live: Stack, execution: str) -> bool:
    """Return whether the history says that an execution was abandoned, and why."""
    return any(
        event.by == execution and event.details.get("step") == "end" and event.why
        for event in live.registry.history("credit")
    )


@pytest.mark.parametrize(
    "function",
    [
        "OpenReleaseFunction",
        "PublishVersionFunction",
        pytest.param("SmokeCandidateFunction", marks=PROOF),
        pytest.param("CompareShadowFunction", marks=PROOF),
        "StartCanaryFunction",
        pytest.param("JudgeCanaryFunction", marks=PROOF),
        pytest.param("PromoteVersionFunction", marks=PROOF),
    ],
)
def test_a_release_whose_write_to_the_registry_is_refused_ends_on_live_with_a_free_lock(
    live: Stack, at_first: tuple[int, int], function: str
) -> None:
    first, second = at_first
    with without_writes_to_the_registry(live, function), live.traffic() as traffic:
        execution = release(live, second, f"refused-{function}")
        assert "AccessDenied" in live.failure(execution)
    assert told_its_end(live, execution)
    route = live.registry.route("credit")
    assert (route.version, route.canary) == (first, None)
    assert live.registry.lock("credit") is None
    assert live.agrees()
    assert traffic.failed() == []


@PROOF
def test_where_even_the_way_back_is_refused_recovery_puts_traffic_back(
    live: Stack, at_first: tuple[int, int]
) -> None:
    first, second = at_first
    recover = live.resource("RecoverReleaseFunction")
    with live.traffic() as traffic:
        with (
            without_writes_to_the_registry(live, "JudgeCanaryFunction"),
            without_writes_to_the_registry(live, "AbandonCandidateFunction"),
            without_writes_to_the_registry(live, "RecoverReleaseFunction"),
        ):
            assert "could not be taken back" in live.failure(release(live, second, "no-way-back"))
            assert live.registry.route("credit").canary is not None
        # The sweep of every quarter of an hour, or the event's next delivery, finds it.
        live.local_aws.client("lambda").invoke(FunctionName=recover, Payload=b"{}")
    route = live.registry.route("credit")
    assert (route.version, route.canary) == (first, None)
    assert live.registry.lock("credit") is None
    assert live.agrees()
    assert traffic.failed() == []


def test_a_person_approves_once_before_any_live_request_goes_to_the_candidate(
    live: Stack, at_first: tuple[int, int]
) -> None:
    first, second = at_first
    command = [str(ROOT / ".venv" / "bin" / "boringml"), "--stack", "e2e-one", "approve", "credit"]
    environ = {**os.environ, **live.local_aws.environ()}
    with environment(live, "OpenReleaseFunction", APPROVAL="true"), live.traffic() as traffic:
        execution = release(live, second, "approved")
        live.until(lambda: live.registry.approval("credit") is not None, "it is asked", 120)
        assert live.registry.route("credit").canary is None
        answers = [
            subprocess.run([*command, "--why", "looks good"], env=environ, check=False).returncode
            for _ in range(2)
        ]
        live.until(lambda: "StartCanary" in live.entered(execution), "a canary", 30)
        live.output(roll_back(live))
    assert answers == [0, 1]
    assert live.registry.route("credit").version == first
    assert traffic.failed() == []


def test_a_rollback_during_a_canary_takes_it_off_and_the_release_moves_nothing_more(
    live: Stack, at_first: tuple[int, int]
) -> None:
    first, second = at_first
    with live.traffic() as traffic:
        execution = release(live, second, "lock-lost")
        live.until(lambda: "JudgeCanary" in live.entered(execution), "a canary", 120)
        live.output(roll_back(live))
        with pytest.raises(AssertionError):
            live.until(lambda: live.registry.route("credit").canary is not None, "a canary", 3)
    assert live.registry.route("credit").version == first
    assert live.agrees()
    assert live.registry.lock("credit") is None
    assert traffic.failed() == []


def test_the_judge_stops_a_version_that_throws_and_only_its_share_failed(
    live: Stack, at_first: tuple[int, int]
) -> None:
    first, _ = at_first
    good = live.registry.version("credit", first)
    bad = register_bad_version(live.local_aws.client("s3"), live.registry, good, THROWS)
    with live.traffic() as traffic:
        assert "canary_harm" in live.failure(release(live, bad, "throws"))
    assert live.registry.route("credit").version == first
    assert live.agrees()
    assert 0 < len(traffic.failed()) < 100


def test_rolling_back_twice_goes_back_twice_and_then_is_refused(
    live: Stack, at_first: tuple[int, int]
) -> None:
    first, second = at_first
    before = live.registry.route("credit")
    seen = live.put_live(second)
    done = live.output(roll_back(live, seen=seen))
    assert (done["version"], done["from"]) == (first, second)
    assert live.registry.route("credit") == before
    assert live.agrees()
    assert "live_changed" in live.failure(roll_back(live, seen=seen))
    assert "version_never_live" in live.failure(roll_back(live, to=10_000))
    assert live.output(roll_back(live, to=second))["version"] == second
    assert live.agrees()


def test_a_version_whose_package_is_gone_is_not_rolled_back_to(
    live: Stack, at_first: tuple[int, int]
) -> None:
    first, second = at_first
    s3 = live.local_aws.client("s3")
    gone = register_bad_version(s3, live.registry, live.registry.version("credit", first), THROWS)
    live.put_live(gone)
    live.put_live(second)
    version = live.registry.version("credit", gone)
    bucket, _, prefix = version.package_uri.removeprefix("s3://").partition("/")
    s3.delete_object(Bucket=bucket, Key=f"{prefix}manifest.json")
    assert "object_missing" in live.failure(roll_back(live))
    assert live.registry.route("credit").version == second
    assert live.registry.lock("credit") is None


def without_its_package(live: Stack, good: int) -> int:
    """Register a version which no function can start with."""
    s3 = live.local_aws.client("s3")
    gone = register_bad_version(s3, live.registry, live.registry.version("credit", good), WRONG)
    uri = live.registry.version("credit", gone).package_uri
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    s3.delete_object(Bucket=bucket, Key=f"{prefix}manifest.json")
    return gone


def throwing(live: Stack, good: int) -> int:
    """Register a version that answers one request in eight with 500."""
    s3 = live.local_aws.client("s3")
    return register_bad_version(s3, live.registry, live.registry.version("credit", good), THROWS)


def alarm_state(live: Stack) -> str:
    """Return the state of the alarm that takes promotions back."""
    alarms = live.local_aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    # Its name is that of the nested stack, then its own.
    ours = [alarm for alarm in alarms if "CreditOnline" in alarm["AlarmName"]]
    (found,) = [alarm for alarm in ours if "LiveFailuresAlarm" in alarm["AlarmName"]]
    return str(found["StateValue"])


@pytest.mark.parametrize("made", [without_its_package, pytest.param(throwing, marks=PROOF)])
def test_an_alarm_takes_back_what_fails_live_requests_after_its_promotion(
    live: Stack, at_first: tuple[int, int], made: Callable[[Stack, int], int]
) -> None:
    first, _ = at_first
    live.until(lambda: alarm_state(live) == "OK", "the alarm is over", 120)
    with live.traffic() as traffic:
        live.until(lambda: len(traffic.sent) >= 100, "requests")
        bad = made(live, first)
        live.put_live(bad)
        live.await_live(first, 120)
        live.until(lambda: live.registry.lock("credit") is None, "the lock is free")
        restored = datetime.now(UTC)
        live.until(lambda: traffic.sent[-1].sent_at > restored, "requests")
    assert live.agrees()
    assert len(traffic.failed()) >= 5
    assert [item for item in traffic.failed() if item.sent_at > restored] == []
    moved = [event for event in live.registry.history("credit") if event.alias == "live"]
    assert "alarm" in [event.by for event in moved[-2:]]


def test_new_code_goes_the_same_road_and_a_deployment_moves_no_traffic(
    live: Stack, at_first: tuple[int, int], deploy: Deploy
) -> None:
    _first, second = at_first
    client = live.local_aws.client("lambda")
    name = live.function.name
    with live.traffic() as traffic:
        execution = release(live, second, "during-a-deployment")
        live.until(lambda: "JudgeCanary" in live.entered(execution), "a canary", 120)
        before = live.function.routing("live")
        client.update_function_configuration(FunctionName=name, MemorySize=1536)
        deploy("e2e-one", GitCommit=f"deployed-{random.randrange(10**9)}")
        after = live.function.routing("live")
        if "PromoteVersion" not in live.entered(execution):
            # The release itself may have come to its next step, which has another weight.
            assert before.function_version == after.function_version
            assert before.weights.keys() == after.weights.keys()
        live.output(execution)
        # The event of the deployment started a release of the new code with the live version.
        live.until(
            lambda: live.function.code("live")["memory"] == 1536, "the new code is live", 600
        )
    assert live.registry.route("credit").version == second
    assert traffic.failed() == []
    client.update_function_configuration(FunctionName=name, MemorySize=1024)


def test_sixteen_promotions_and_rollbacks_at_once_leave_two_stories_that_agree(
    live: Stack, at_first: tuple[int, int]
) -> None:
    first, second = at_first
    routes = [live.registry.route("credit")]
    live.put_live(second)
    routes.append(live.registry.route("credit"))
    before = len(live.registry.history("credit"))
    active: set[str] = set()
    start = threading.Barrier(16)

    class Holders(Executions):
        """Movers are no executions, and rollbacks are."""

        def running(self, holder: str) -> bool:
            return holder in active or super().running(holder)

    holders = Holders(live.local_aws.client("stepfunctions"))

    def promote(number: int) -> str:
        """Do what a release does at its end, from a process of its own; half die with the lock."""
        registry = RegistryTable(live.local_aws.client("dynamodb"), live.outputs["RegistryTable"])
        # An ARN, as rollbacks ask whether its execution is under way.
        machine = live.outputs["ReleaseStateMachine"]
        holder = f"{machine.replace(':stateMachine:', ':execution:')}:mover-{number}"
        active.add(holder)
        start.wait()
        try:
            for _ in range(200):
                try:
                    take_lock(registry, holders, "credit", "release", None, holder)
                    break
                except BoringError as busy:
                    if busy.code not in ("release_busy", "registry_busy"):
                        raise
            else:
                return "never had the lock"
            to = routes[number % 2]
            try:
                decided = send(
                    registry, live.function, "credit", to, mover=Mover(holder, holder), why="a test"
                )
            except BoringError as lost:
                # A rollback took the lock over: whoever lost it moves nothing.
                if lost.code not in ("release_lock_lost", "alias_moved", "registry_busy"):
                    raise
                return lost.code
            if number % 4:
                registry.free_lock("credit", holder=holder)
        finally:
            active.discard(holder)
        return "moved" if decided.by == holder else "was there"

    def go_back(number: int) -> str:
        start.wait()
        execution = roll_back(live, to=(first, second)[number % 2])
        live.ended(execution)
        states = live.local_aws.client("stepfunctions")
        return str(states.describe_execution(executionArn=execution)["status"])

    with ThreadPoolExecutor(16) as pool:
        turns = [pool.submit(promote if n % 2 else go_back, n // 2) for n in range(16)]
        ends = [turn.result() for turn in turns]
    print(f"ends: {ends}")
    assert "moved" in ends
    assert "SUCCEEDED" in ends
    lock = live.registry.lock("credit")
    if lock is not None:
        live.registry.free_lock("credit", holder=lock.holder)
    follow(live.registry, live.function, "credit", by="test")
    assert live.agrees()
    history = live.registry.history("credit")
    assert [event.sequence for event in history] == list(range(1, len(history) + 1))
    moves = [e for e in history[before:] if e.kind == "alias_moved" and e.alias == "live"]
    assert len(moves) >= ends.count("moved") + ends.count("SUCCEEDED")
    assert all(a.to_version == b.from_version for a, b in pairwise(moves))


def test_what_the_history_says_of_a_moment_is_what_requests_of_that_moment_reported(
    live: Stack, at_first: tuple[int, int]
) -> None:
    group = live.function.log_group("live")
    history = live.registry.history("credit")
    lines: list[tuple[datetime, int]] = []
    logs = live.local_aws.client("logs")
    begin, end = int(history[0].at.timestamp()), int(datetime.now(UTC).timestamp())
    for second in range(begin, end, 20):
        # A window at a time: one answer has 10,000 lines at most.
        window = {"startTime": second * 1000, "endTime": (second + 20) * 1000 - 1}
        for event in logs.filter_log_events(logGroupName=group, **window)["events"]:
            if '"stage":"v1"' in event["message"] and '"code":null' in event["message"]:
                line = json.loads(event["message"])
                at = datetime.fromisoformat(line["timestamp"]).astimezone(UTC)
                lines.append((at, int(line["model_version"])))
    sampled = random.Random(20261124).sample(lines, min(1000, len(lines)))
    wrong = [
        (at, version) for at, version in sampled if not served_at(history, at).may_answer(version)
    ]
    print(f"{len(sampled)} of {len(lines)} requests asked for, {len(wrong)} answered otherwise")
    assert len(sampled) == 1000
    assert wrong == []
