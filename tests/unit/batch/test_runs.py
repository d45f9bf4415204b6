"""An input is scored once, and a run ends once: the rules, with a record in memory."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from boringml.batch.finish import abandon_run, end_each, is_lost, publish_run
from boringml.batch.open_batch import HeldRun, Opened, open_batch
from boringml.batch.request import manifest_of, request_of
from boringml.batch.run import FAILED, OPEN, SCORED, BatchRun, InputFile, run_id
from boringml.errors import BoringError

NOW = datetime(2026, 11, 24, tzinfo=UTC)


class Version:
    number, package_uri, package_digest = 3, "s3://p/c/", "sha256:1"


class Record:
    """The record of runs, in memory."""

    def __init__(self) -> None:
        self.held: HeldRun | None = None

    def get(self, model: str, run_id: str) -> HeldRun | None:
        return self.held

    def take(self, run: BatchRun, execution_arn: str, after: HeldRun | None) -> HeldRun:
        assert after == self.held
        self.held = HeldRun(run=run, execution_arn=execution_arn, status=OPEN, opened_at=NOW)
        return self.held

    def finish(
        self, run: BatchRun, status: str, *, summary: Any = None, reason: Any = None
    ) -> HeldRun:
        assert self.held
        if self.held.status == OPEN and self.held.run.attempt == run.attempt:
            self.held = replace(self.held, status=status, summary=summary, reason=reason)
        return self.held

    def mark_told(self, run: BatchRun) -> None:
        assert self.held
        self.held = replace(self.held, told=True)


class Tables:
    def __init__(self) -> None:
        self.shown: list[str] = []

    def show(self, run: BatchRun) -> None:
        self.shown.append(run.label)

    def hide(self, run: BatchRun) -> None:
        self.shown.remove(run.label)


def opened(record: Record, execution: str = "one", running: bool = True) -> Opened:
    return open_batch(
        record, "churn", "abc", execution_arn=execution, running=lambda _arn: running,
        pin=lambda: Version(), engine="map", now=NOW,  # type: ignore[arg-type,return-value]
    )  # fmt: skip


def test_a_run_is_opened_once_and_again_by_the_same_execution() -> None:
    record = Record()
    first = opened(record)
    assert (first.action, first.held.run.version, first.held.run.attempt) == ("score", 3, 1)
    assert opened(record) == Opened("score", first.held)


def test_another_execution_leaves_a_running_one_alone() -> None:
    record = Record()
    opened(record)
    assert opened(record, "two").action == "ignore"


@pytest.mark.parametrize("status", [OPEN, FAILED])
def test_a_broken_run_starts_again_under_a_name_of_its_own(status: str) -> None:
    record = Record()
    first = opened(record).held
    record.held = replace(first, status=status)
    again = opened(record, "two", running=False)
    assert (again.action, again.held.run.attempt, again.replaced) == ("score", 2, first.run)
    assert not set(again.held.run.folders) & set(first.run.folders)


def test_a_scored_run_is_shown_and_then_answers() -> None:
    record, tables, told = Record(), Tables(), list[Any]()
    run = opened(record).held.run
    record.finish(run, SCORED, summary={"rows_in": 1})
    assert opened(record, "two").action == "publish"
    assert record.held
    written: list[Any] = []
    publish_run(
        record.held, record, tables, lambda run, summary: written.append((run, summary)),
        lambda kind, detail: told.append((kind, detail)),
    )  # fmt: skip
    assert opened(record, "three").action == "answer"
    assert written == [(run, {"rows_in": 1})]
    assert (tables.shown, told) == ([run.label], [("BatchScored", {"rows_in": 1})])


def test_a_failed_attempt_leaves_nothing_before_it_is_told() -> None:
    record, done = Record(), list[str]()
    run = opened(record).held.run
    status = abandon_run(
        run, {"code": "x", "message": "y"}, record, lambda _run: done.append("cleared"),
        lambda kind, _detail: done.append(kind),
    )  # fmt: skip
    assert (status, done) == (FAILED, ["cleared", "BatchFailed"])


def test_a_failed_run_is_lost_until_it_was_cleared_and_told() -> None:
    record, done = Record(), list[str]()
    run = opened(record).held.run
    reason = {"code": "x", "message": "y"}

    def refuse(_run: BatchRun) -> None:
        raise BoringError("delete_failed", "S3 is slow.", 503)

    with pytest.raises(BoringError):
        abandon_run(run, reason, record, refuse, lambda kind, _detail: done.append(kind))
    assert record.held
    assert record.held.status == FAILED
    assert is_lost(record.held, lambda _arn: False)
    assert done == []
    abandon_run(
        run, reason, record, lambda _run: done.append("cleared"),
        lambda kind, _detail: done.append(kind),
    )  # fmt: skip
    assert done == ["cleared", "BatchFailed"]
    assert not is_lost(record.held, lambda _arn: False)


def test_one_run_that_cannot_be_ended_stops_no_other() -> None:
    record = Record()
    first = opened(record).held
    second = replace(first, run=replace(first.run, run_id="def"))
    ended: list[str] = []

    def end(held: HeldRun) -> None:
        if held is first:
            raise BoringError("glue_denied", "No.", 403)
        ended.append(held.run.run_id)

    with pytest.raises(BoringError, match="glue_denied"):
        end_each([first, second], end)
    assert ended == ["def"]


@pytest.mark.parametrize(
    "manifest", [{"files": ["batch/churn/incoming/a.csv"]}, {"prefix": "batch/churn/incoming/"}]
)
def test_what_is_a_run_already_is_no_part_of_another(manifest: dict[str, Any]) -> None:
    with pytest.raises(BoringError, match="key_unsafe"):
        manifest_of("churn", json.dumps(manifest).encode())
    with pytest.raises(BoringError, match="key_unsafe"):
        request_of({"model": "churn", "prefix": "batch/churn/incoming/"})


def test_a_scored_run_is_never_abandoned() -> None:
    record, done = Record(), list[str]()
    run = opened(record).held.run
    record.finish(run, SCORED, summary={})
    reason = {"code": "x", "message": "y"}
    assert (
        abandon_run(run, reason, record, lambda _r: done.append("cleared"), lambda *_: None)
        == SCORED
    )
    assert done == []


def test_an_attempt_that_was_replaced_ends_without_touching_the_next() -> None:
    record, done = Record(), list[str]()
    first = opened(record).held.run
    opened(record, "two", running=False)
    abandon_run(
        first, {"code": "x", "message": "y"}, record, lambda _r: done.append("c"), lambda *_: None
    )
    assert (record.held and record.held.status, done) == (OPEN, [])


def test_an_input_is_itself_in_any_order_and_another_by_its_version_or_occasion() -> None:
    one, two = InputFile("a", "1", "e", 1), InputFile("b", "1", "e", 1)
    same = run_id("churn", "lake", [one, two])
    assert run_id("churn", "lake", [two, one]) == same
    others = {
        run_id("churn", "lake", [replace(one, version_id="2"), two]),
        run_id("churn", "other", [one, two]),
        run_id("churn", "lake", [one, two], "tonight"),
    }
    assert len(others | {same}) == 4


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"model": "churn"}, "input_missing"),
        ({"key": "batch/churn/a.csv"}, "model_missing"),
        ({"model": "churn", "key": "batch/credit/a.csv"}, "key_unsafe"),
        ({"model": "churn", "key": "batch/churn/../credit/a.csv"}, "key_unsafe"),
        ({"model": "churn", "key": "batch/churn/runs/x/a.csv"}, "key_unsafe"),
        ({"model": "churn", "prefix": "batch/churn/nightly"}, "key_unsafe"),
        ({"model": "churn", "prefix": "batch/churn/n/", "engine": "x"}, "engine_unknown"),
    ],
)
def test_what_is_no_request_is_refused(given: dict[str, Any], code: str) -> None:
    with pytest.raises(BoringError) as refused:
        request_of(given)
    assert refused.value.code == code


@pytest.mark.parametrize("name", ["_SUCCESS", ".part", "folder/"])
def test_markers_of_tools_are_no_input(name: str) -> None:
    detail = {"object": {"key": f"batch/churn/incoming/{name}"}}
    assert request_of({"detail-type": "Object Created", "detail": detail}) is None


@pytest.mark.parametrize(
    "content",
    [
        b"no json",
        b"[]",
        b'{"files": []}',
        b'{"files": ["batch/churn/a", "batch/churn/a"]}',
        b'{"x": 1}',
    ],
)
def test_what_is_no_manifest_is_refused(content: bytes) -> None:
    with pytest.raises(BoringError) as refused:
        manifest_of("churn", content)
    assert refused.value.code == "manifest_invalid"
