"""What a client is told of a job, in a form that the queue of callbacks carries."""

from dataclasses import replace

import pytest

from boringml.jobs.callback_message import parse
from boringml.jobs.job import Job
from boringml.jobs.states import SUCCEEDED
from boringml.jobs.telling import callback_message
from tests.unit.jobs.samples import CLIENT, JOB_ID, POSTED_MS

TRACE = "1-67891233-abcdef012345678912345678"


def finished(job_id: str) -> Job:
    return Job(
        job_id=job_id,
        model="reviews",
        client=CLIENT,
        status=SUCCEEDED,
        posted_ms=POSTED_MS,
        started_ms=POSTED_MS,
        finished_ms=POSTED_MS,
        outcome={"result": {"prediction": "great", "probability": 0.9}},
        callback="orders",
        is_told=False,
        same_as=None,
        expires_s=POSTED_MS // 1000 + 999,
    )


@pytest.mark.parametrize("job_id", [JOB_ID, f"{POSTED_MS}-x.y=z", f"{POSTED_MS}-{'a' * 128}"])
def test_a_callback_of_any_job_is_taken_by_the_queue_with_one_id(job_id: str) -> None:
    told = parse(callback_message(finished(job_id)).text())
    assert told == parse(callback_message(finished(job_id)).text())
    assert told.payload["data"]["job_id"] == job_id


def test_jobs_have_callbacks_of_their_own() -> None:
    ids = [f"{POSTED_MS}-x.y", f"{POSTED_MS}-x=y", JOB_ID]
    assert len({callback_message(finished(job_id)).id for job_id in ids}) == 3


def test_a_callback_says_of_which_request_and_trace_it_comes() -> None:
    job = replace(finished(JOB_ID), trace_id=TRACE, upstream_request_id="order-4711")
    told = parse(callback_message(job).text())
    assert told.origin() == {"trace_id": TRACE, "upstream_request_id": "order-4711"}
    assert "order-4711" not in told.body().decode(), "that is not the receiver's"
    assert callback_message(finished(JOB_ID)).origin() == {}
