from datetime import timedelta
from typing import Any

import pytest

from boringml.adapters.registry_table import RegistryTable
from boringml.errors import BoringError

A, B = (f"arn:aws:states:us-east-1:000000000000:execution:train:{x}" for x in "ab")


def test_one_execution_gets_the_run_of_a_trigger(registry: RegistryTable, clock: Any) -> None:
    claim = registry.claim_run("credit", "s3:data/credit/a.csv:1", execution_arn=A)
    assert (claim.status, claim.claimed_at, claim.execution_arn) == ("open", clock.now, A)
    with pytest.raises(BoringError) as refusal:
        registry.claim_run("credit", "s3:data/credit/a.csv:1", execution_arn=B)
    assert (refusal.value.code, refusal.value.status) == ("run_already_claimed", 409)
    assert refusal.value.details == {"holder": A, "run_status": "open"}
    assert registry.claim_run("credit", "another", execution_arn=B).execution_arn == B
    assert registry.claim_run("churn", "another", execution_arn=A).execution_arn == A


def test_an_execution_may_claim_its_run_again(registry: RegistryTable, clock: Any) -> None:
    first = registry.claim_run("credit", "t", execution_arn=A)
    clock.move(minutes=5)
    assert registry.claim_run("credit", "t", execution_arn=A) == first
    registry.finish_run("credit", "t", status="failed", reason={"code": "x", "message": "y"})
    again = registry.claim_run("credit", "t", execution_arn=A)
    assert (again.status, again.reason) == ("failed", {"code": "x", "message": "y"})
    with pytest.raises(BoringError) as refusal:
        registry.claim_run("credit", "t", execution_arn=B)
    assert refusal.value.details == {"holder": A, "run_status": "failed"}


def test_the_first_end_of_a_run_stands(registry: RegistryTable, clock: Any) -> None:
    registry.claim_run("credit", "t", execution_arn=A)
    end = clock.move(minutes=5)
    registry.finish_run("credit", "t", status="succeeded", version=3)
    clock.move(minutes=5)
    registry.finish_run("credit", "t", status="succeeded", version=4)
    with pytest.raises(BoringError) as refusal:
        registry.finish_run("credit", "t", status="failed", reason="the sweep came late")
    assert (refusal.value.code, refusal.value.status) == ("run_already_finished", 409)
    assert refusal.value.details == {"run_status": "succeeded"}
    claim = registry.claim_run("credit", "t", execution_arn=A)
    assert (claim.status, claim.version, claim.finished_at) == ("succeeded", 3, end)
    assert claim.reason is None


def test_a_run_that_nobody_claimed_cannot_end(registry: RegistryTable) -> None:
    with pytest.raises(BoringError) as refusal:
        registry.finish_run("credit", "t", status="failed")
    assert (refusal.value.code, refusal.value.status) == ("run_not_found", 404)
    assert registry.open_runs("credit", older_than=registry._clock()) == []


@pytest.mark.parametrize("status", ["open", "", "Failed", "a b"])
def test_a_run_ends_with_a_word_that_is_not_open(registry: RegistryTable, status: str) -> None:
    registry.claim_run("credit", "t", execution_arn=A)
    with pytest.raises(BoringError) as refusal:
        registry.finish_run("credit", "t", status=status)
    assert refusal.value.code == "run_status_invalid"


def test_the_sweep_sees_old_open_runs_of_every_model(registry: RegistryTable, clock: Any) -> None:
    registry.claim_run("credit", "old", execution_arn=A)
    registry.claim_run("churn", "old", execution_arn=A)
    registry.claim_run("credit", "ended", execution_arn=A)
    registry.finish_run("credit", "ended", status="failed")
    clock.move(hours=2)
    registry.claim_run("credit", "new", execution_arn=B)
    an_hour_ago = clock.now - timedelta(hours=1)
    runs = registry.open_runs(older_than=an_hour_ago)
    assert [(run.model, run.trigger_id) for run in runs] == [("churn", "old"), ("credit", "old")]
    assert [run.model for run in registry.open_runs("credit", older_than=an_hour_ago)] == ["credit"]


@pytest.mark.parametrize("trigger", ["", "x" * 1001, "ü" * 501])
def test_a_trigger_id_fits_a_key(registry: RegistryTable, trigger: str) -> None:
    with pytest.raises(BoringError) as refusal:
        registry.claim_run("credit", trigger, execution_arn=A)
    assert refusal.value.code == "trigger_id_invalid"
    assert registry.claim_run("credit", "x" * 1000, execution_arn=A).status == "open"


def test_the_newest_run_is_the_one_claimed_last(registry: RegistryTable, clock: Any) -> None:
    assert registry.newest_run("credit") is None
    for trigger in ("z", "a"):
        clock.move(minutes=1)
        registry.claim_run("credit", trigger, execution_arn=A)
    registry.finish_run("credit", "z", status="succeeded")
    newest = registry.newest_run("credit")
    assert newest is not None
    assert (newest.trigger_id, newest.claimed_at) == ("a", clock.now)
