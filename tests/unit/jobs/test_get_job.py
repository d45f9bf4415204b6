"""What a client is told of its job, and nobody else."""

from typing import Any

import pytest

from boringml.errors import BoringError
from boringml.jobs.get_job import JobReader
from boringml.jobs.message import parse
from tests.unit.jobs.samples import CLIENT, JOB_ID, POSTED_MS, Jobs, text_of

NOW_S = POSTED_MS / 1000


def reader(jobs: Jobs, now: float = NOW_S) -> JobReader:
    return JobReader(jobs, lambda key: f"https://signed/{key}", 10, 100, lambda: now)


def refusal(call: Any) -> tuple[str, int]:
    with pytest.raises(BoringError) as refused:
        call()
    return refused.value.code, refused.value.status


def test_before_a_worker_saw_it_a_job_is_queued_as_long_as_it_may_be() -> None:
    assert reader(Jobs(), NOW_S + 10).get_job(JOB_ID, CLIENT)["status"] == "queued"
    late = reader(Jobs(), NOW_S + 11)
    assert refusal(lambda: late.get_job(JOB_ID, CLIENT)) == ("job_not_found", 404)


def test_an_expired_job_says_so() -> None:
    late = reader(Jobs(), NOW_S + 101)
    assert refusal(lambda: late.get_job(JOB_ID, CLIENT)) == ("job_gone", 410)
    jobs = Jobs()
    jobs.finish(parse(text_of()), "succeeded", {}, POSTED_MS)
    stale = reader(jobs, NOW_S + 999)
    assert refusal(lambda: stale.get_job(JOB_ID, CLIENT)) == ("job_gone", 410)


def test_only_the_client_that_posted_a_job_sees_it() -> None:
    jobs = Jobs()
    jobs.finish(parse(text_of()), "succeeded", {"result": {"prediction": "x"}}, POSTED_MS)
    assert reader(jobs).get_job(JOB_ID, CLIENT)["result"] == {"prediction": "x"}
    other = "arn:aws:iam::123456789012:user/other"
    assert refusal(lambda: reader(jobs).get_job(JOB_ID, other)) == ("job_not_found", 404)


def test_a_large_result_is_a_url() -> None:
    jobs = Jobs()
    jobs.finish(parse(text_of()), "succeeded", {"result_key": "results/x"}, POSTED_MS)
    found = reader(jobs).get_job(JOB_ID, CLIENT)
    assert found["result_url"] == "https://signed/results/x"
    assert "result_key" not in found


def test_a_repeated_job_answers_as_the_first() -> None:
    jobs = Jobs()
    first = jobs.finish(parse(text_of()), "succeeded", {"result": {"a": 1}}, POSTED_MS)
    second = parse(text_of(request_id="second"))
    jobs.finish(second, "succeeded", {}, POSTED_MS, same_as=first.job_id)
    found = reader(jobs).get_job(second.job_id, CLIENT)
    assert (found["job_id"], found["result"]) == (first.job_id, {"a": 1})


@pytest.mark.parametrize("job_id", ["", "x", "1-2", "../../etc", "9" * 13 + "-" + "a" * 200])
def test_what_is_no_id_is_not_found(job_id: str) -> None:
    assert refusal(lambda: reader(Jobs()).get_job(job_id, CLIENT)) == ("job_not_found", 404)
