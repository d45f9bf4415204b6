"""Workers over the real adapters: DynamoDB's conditions and Powertools' idempotency."""

import pytest

from boringml.jobs.callback_message import parse as parse_callback
from boringml.jobs.message import parse
from boringml.jobs.run_job import TryAgainError
from boringml.jobs.sweep_jobs import Sweeper
from tests.integration.jobs.conftest import MODEL, World
from tests.unit.jobs.samples import JOB_ID, text_of
from tests.unit.jobs.test_run_job import Broken
from tests.unit.serving import tiny

BODY = {"request": tiny.RECORD, "callback": "orders"}


def test_a_job_is_stored_told_and_marked(world: World) -> None:
    world.worker().run_job(text_of(BODY), 1)
    job = world.jobs.get(JOB_ID)
    assert job is not None
    assert (job.status, job.callback, job.is_told) == ("succeeded", "orders", True)
    assert job.outcome["result"]["probability"] == pytest.approx(tiny.probability(tiny.RECORD))
    assert job.expires_s == int(world.now) + 1000
    assert [message["id"] for message in world.told()] == [f"msg_{JOB_ID}"]


def test_a_redelivery_changes_nothing(world: World) -> None:
    world.worker().run_job(text_of(BODY), 1)
    before = world.jobs.get(JOB_ID)
    world.now += 50
    world.worker(Broken(MODEL)).run_job(text_of(BODY), 2)
    assert world.jobs.get(JOB_ID) == before
    assert len(world.told()) == 1


def test_the_same_key_is_one_job_and_another_body_is_refused(world: World) -> None:
    world.worker().run_job(text_of(BODY, idempotency_key="k"), 1)
    second = world.worker(Broken(MODEL)).run_job(
        text_of(BODY, idempotency_key="k", request_id="second"), 1
    )
    assert (second.status, second.same_as) == ("succeeded", JOB_ID)
    other = {**BODY, "request": [tiny.RECORD]}
    third = world.worker().run_job(text_of(other, idempotency_key="k", request_id="third"), 1)
    assert third.outcome["error"]["code"] == "idempotency_key_reused"


def test_a_failed_attempt_frees_its_key_and_the_last_one_does_not(world: World) -> None:
    with pytest.raises(TryAgainError):
        world.worker(Broken(MODEL)).run_job(text_of(BODY), 1)
    assert world.worker().run_job(text_of(BODY), 2).status == "succeeded"


def test_while_a_killed_worker_may_still_run_its_message_waits(world: World) -> None:
    worker = world.worker()

    class Killed(BaseException):
        pass

    def killed(**_members: object) -> None:
        raise Killed

    worker.once._store.save_success = killed  # type: ignore[attr-defined]
    with pytest.raises(Killed):
        worker.run_job(text_of(BODY), 1)
    assert world.jobs.get(JOB_ID).status == "running"  # type: ignore[union-attr]
    with pytest.raises(TryAgainError, match="in_progress"):
        world.worker().run_job(text_of(BODY), 2)


def test_the_sweeper_closes_what_is_open_too_long_and_what_is_dead(world: World) -> None:
    world.jobs.begin(parse(text_of(BODY)), "orders", int(world.now * 1000))
    dead = text_of(BODY, request_id="dead")
    sweeper = Sweeper(world.jobs, world.callbacks, 1800, lambda: world.now)
    assert sweeper.sweep_jobs([dead])["worker_lost"] == 0
    world.now += 1900
    assert sweeper.sweep_jobs([dead, "not JSON"]) == {
        "worker_lost": 0,
        "message_dead": 1,
        "unreadable": 1,
    }
    world.now += 2100
    assert sweeper.sweep_jobs([])["worker_lost"] == 1
    job = world.jobs.get(JOB_ID)
    assert job is not None
    assert (job.status, job.outcome["error"]["code"]) == ("failed", "worker_lost")
    assert {message["payload"]["type"] for message in world.told()} == {"job.failed"}
    assert sweeper.sweep_jobs([])["worker_lost"] == 0
    assert world.worker().run_job(text_of(BODY), 2).status == "failed"


def test_a_callback_stays_in_the_trace_of_its_own_job(world: World) -> None:
    trace = "1-67891233-abcdef012345678912345678"
    body = {"request": tiny.RECORD, "callback": "orders"}
    world.worker().run_job(text_of(body, trace_id=trace, upstream_request_id="order-4711"), 1)
    (message,) = world.sqs.receive_message(
        QueueUrl=world.queue_url, MessageSystemAttributeNames=["AWSTraceHeader"]
    )["Messages"]
    assert message["Attributes"]["AWSTraceHeader"] == f"Root={trace}"
    told = parse_callback(message["Body"])
    assert told.origin() == {"trace_id": trace, "upstream_request_id": "order-4711"}
