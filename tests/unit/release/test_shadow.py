"""A release in shadow, call by call, over a log, a bucket and two versions in memory."""

import json
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from boringml.adapters.prediction_log_reader import LogPage
from boringml.errors import BoringError
from boringml.release import shadow as shadow_module
from boringml.release.replay import Rebuilder
from boringml.release.shadow import Shadow, compare_shadow
from boringml.release.shadow_judge import ShadowPlan
from tests.unit.release.test_divergence import PLAN
from tests.unit.release.test_replay import BASELINE, DOCUMENT, LINE

START = 1767225600.0
SHADOW = Shadow(
    "credit", 2, "11", "10", "release-1", ShadowPlan(**{**PLAN, "samples": 60, "share": 1.0}), START
)
FOLDER = "releases/credit/release-1/"


class Log:
    """Lines in pages; the last token of a page that is not full is None."""

    def __init__(self, count: int = 0, size: int = 1000) -> None:
        self.lines: list[tuple[int, dict[str, Any]]] = []
        self.size, self.reads = size, 0
        self.busy = False
        self.add(count)

    def add(self, count: int, **fields: Any) -> None:
        for _ in range(count):
            number = len(self.lines)
            line = {**LINE, "request_id": f"r-{number}", **fields}
            self.lines.append((int(START * 1000) + number, line))

    def page(self, since_ms: int, token: str | None = None) -> LogPage:
        self.reads += 1
        if self.busy:
            raise BoringError("log_busy", "Busy.", 429)
        left = [entry for entry in self.lines if entry[0] >= since_ms][int(token or 0) :]
        more = str(int(token or 0) + self.size) if len(left) > self.size else None
        return LogPage(tuple(left[: self.size]), more)


class Store(dict[str, bytes]):
    refuses = ""

    def read(self, key: str) -> bytes:
        if key not in self:
            raise BoringError("object_missing", key, 404)
        return self[key]

    def write(self, key: str, content: bytes) -> None:
        if self.refuses and key.endswith(self.refuses):
            raise BoringError("bucket_refused", key, 500)
        self[key] = content


class Function:
    """Both versions answer alike, until one is made to do otherwise."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, dict[str, Any]] = {}
        self.room = 10**9

    def invoke(self, version: str, event: Any) -> dict[str, Any]:
        if len(self.asked) >= self.room:
            raise BoringError("function_throttled", "No room.", 429)
        self.asked.append((version, event))
        told = self.answers.get(version, {"prediction": "good", "probability": 0.05})
        status = told.get("status", 200)
        return {"statusCode": status, "body": json.dumps(told)}


class World:
    def __init__(self, **log: Any) -> None:
        self.log, self.store, self.function = Log(**log), Store(), Function()
        self.now = START + 10

    def call(self, shadow: Shadow = SHADOW, **clocks: Any) -> dict[str, Any]:
        return compare_shadow(
            shadow,
            Rebuilder(DOCUMENT, BASELINE),
            BASELINE,
            self.log,
            self.function.invoke,
            self.store,
            now=lambda: self.now,
            **clocks,
        )

    @property
    def pairs(self) -> list[dict[str, Any]]:
        return json.loads(self.store[FOLDER + "shadow-pairs.json"])["pairs"]


def test_a_good_candidate_passes_with_a_report_and_a_drawing() -> None:
    world = World(count=80)
    outcome = world.call()
    assert (outcome["decision"], outcome["code"], outcome["samples"]) == ("pass", None, 60)
    assert outcome["report"] == FOLDER + "shadow.json"
    report = json.loads(world.store[outcome["report"]])
    assert report["verdict"]["decision"] == "pass"
    assert report["not_compared"]["sensitive_fields"] == {"addr_state": "NY", "annual_inc": 65e3}
    drawing = ElementTree.fromstring(world.store[FOLDER + "shadow.svg"])
    assert sum(e.tag.endswith("circle") for e in drawing.iter()) == 60 + 1


def test_both_are_asked_the_same_and_take_turns_at_being_first() -> None:
    world = World(count=4)
    world.call()
    asked = world.function.asked[2:]
    versions = [version for version, _ in asked]
    assert versions == ["10", "11", "11", "10", "10", "11", "11", "10"]
    for (_, first), (_, second) in zip(asked[::2], asked[1::2], strict=True):
        assert first == second
    assert asked[0][1]["requestContext"] == {"requestId": "r-0-shadow", "stage": "shadow"}
    assert json.loads(asked[0][1]["body"])["annual_inc"] == 65e3


def test_a_start_is_not_measured() -> None:
    starts = {"10": 3.0, "11": 5.0}
    world = World(count=2)
    moment = 0.0
    invoke = world.function.invoke

    def starting(version: str, event: Any) -> Any:
        nonlocal moment
        moment += starts.pop(version, 0.01)
        return invoke(version, event)

    world.function.invoke = starting  # type: ignore[method-assign]
    world.call(clock=lambda: moment)
    assert {round(p[s]["latency_ms"]) for p in world.pairs for s in ("live", "candidate")} == {10}


def test_a_call_ends_in_time_however_slow_the_candidate_is() -> None:
    world = World(count=80)
    moment = 0.0
    invoke = world.function.invoke

    def slow(version: str, event: Any) -> Any:
        nonlocal moment
        moment += 5.0
        return invoke(version, event)

    world.function.invoke = slow  # type: ignore[method-assign]
    assert world.call(clock=lambda: moment)["samples"] == 2
    assert moment < 45


def test_no_request_is_counted_twice_however_often_its_line_is_read() -> None:
    world = World(count=20)
    assert world.call()["samples"] == 20
    assert world.call()["samples"] == 20
    world.log.lines.extend(world.log.lines[:20])
    world.log.add(5)
    assert world.call()["samples"] == 25
    assert len({pair["id"] for pair in world.pairs}) == len(world.pairs) == 25


def test_a_call_that_was_lost_before_it_was_stored_is_done_again() -> None:
    world = World(count=80)
    world.store.refuses = "shadow-pairs.json"
    with pytest.raises(BoringError):
        world.call()
    world.store.refuses = ""
    assert world.call()["samples"] == 60


def test_a_verdict_once_given_is_given_again() -> None:
    world = World(count=20)
    world.now = START + 1800
    first = world.call()
    assert first["code"] == "shadow_without_traffic"
    world.log.add(100)
    asked = len(world.function.asked)
    assert world.call() == first
    assert len(world.function.asked) == asked


def test_without_lines_nothing_is_asked_and_the_time_runs_out() -> None:
    world = World()
    assert world.call() | {"reasons": []} == {
        "decision": "continue",
        "code": None,
        "samples": 0,
        "reasons": [],
        "report": None,
    }
    world.now = START + 1800
    assert world.call()["code"] == "shadow_without_traffic"
    assert world.function.asked == []


def test_what_shadow_and_others_asked_is_not_asked_again() -> None:
    world = World()
    world.log.add(5, stage="shadow")
    world.log.add(5, stage="smoke")
    world.log.add(5, function_version="11")
    world.log.add(5, features=None)
    assert world.call()["samples"] == 0


def test_only_the_share_is_mirrored() -> None:
    world = World(count=1000)
    plan = replace(SHADOW.plan, share=0.05, samples=1000)
    samples = world.call(replace(SHADOW, plan=plan))["samples"]
    assert 25 < samples < 85


def test_a_call_is_bounded_and_the_next_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadow_module, "MAX_REPLAYS", 7)
    monkeypatch.setattr(shadow_module, "MAX_PAGES", 3)
    world = World(count=40, size=4)
    samples = [world.call()["samples"] for _ in range(6)]
    assert samples == [7, 14, 21, 28, 35, 40]
    assert world.log.reads <= 6 * 3
    world.log.add(1)
    # What may have come late is read again first, in as many calls as its pages take.
    assert 41 in [world.call()["samples"] for _ in range(5)]


def test_pages_without_a_request_are_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadow_module, "MAX_PAGES", 2)
    world = World(size=5)
    world.log.add(30, stage="smoke")
    world.log.add(3)
    assert [world.call()["samples"] for _ in range(4)] == [0, 0, 0, 3]


def test_a_line_that_comes_late_is_still_seen() -> None:
    world = World(count=3)
    world.call()
    world.log.lines.insert(1, (int(START * 1000), {**LINE, "request_id": "late"}))
    assert world.call()["samples"] == 4


def test_what_has_no_room_is_no_failure_and_is_asked_later() -> None:
    world = World(count=80)
    world.function.room = 42
    outcome = world.call()
    assert (outcome["decision"], outcome["samples"]) == ("continue", 20)
    world.function.room = 10**9
    assert world.call()["decision"] == "pass"


def test_a_busy_log_is_waited_for() -> None:
    world = World(count=80)
    world.log.busy = True
    assert world.call()["decision"] == "continue"
    world.log.busy = False
    assert world.call()["decision"] == "pass"


def test_a_bad_candidate_is_refused_with_its_code_and_numbers() -> None:
    world = World(count=80)
    world.function.answers["11"] = {"status": 500, "error": {"code": "internal_error"}}
    outcome = world.call()
    assert (outcome["decision"], outcome["code"]) == ("fail", "shadow_failed")
    assert "(internal_error 60)" in outcome["reasons"][0]
    assert ElementTree.fromstring(world.store[FOLDER + "shadow.svg"]) is not None


def test_what_is_stored_has_no_sensitive_field() -> None:
    world = World(count=80)
    world.call()
    assert set(world.pairs[0]["features"]) == {"int_rate", "sub_grade", "term"}
    assert "annual_inc" not in world.store[FOLDER + "shadow-pairs.json"].decode()
