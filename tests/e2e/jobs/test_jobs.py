"""Jobs over HTTP, on the deployed application with a model from real data."""

import json
from typing import Any

from local.datasets import review_records
from local.jobs import local_job_client
from tests.e2e.jobs.conftest import JobsStack

RECORDS = review_records(slice(4000, 4040))


def test_a_job_gives_what_the_model_predicts(jobs: JobsStack) -> None:
    accepted = jobs.client.post("reviews", {"request": RECORDS[:20]})
    assert accepted.status == 202
    job_id = accepted.body["job_id"]
    assert accepted.location == jobs.client.get(job_id).url
    found = jobs.client.final(job_id)
    assert (found["status"], found["model_version"]) == ("succeeded", 1)
    asked = jobs.aws.client("lambda").invoke(
        FunctionName=jobs.outputs["ReviewsFunction"],
        Qualifier="live",
        Payload=json.dumps(
            {
                "headers": {"Content-Type": "application/json"},
                "body": json.dumps(RECORDS[:20]),
                "requestContext": {"requestId": "smoke", "stage": "smoke"},
            }
        ),
    )
    told = json.loads(json.loads(asked["Payload"].read())["body"])
    assert found["result"]["predictions"] == told["predictions"]


def test_one_record_gives_one_prediction(jobs: JobsStack) -> None:
    job_id = jobs.client.post("reviews", {"request": RECORDS[0]}).body["job_id"]
    assert set(jobs.client.final(job_id)["result"]) == {"prediction", "probability"}


def test_the_same_key_and_body_are_one_job_and_one_callback(jobs: JobsStack) -> None:
    jobs.callbacks()
    body = {"request": RECORDS[1], "callback": "orders"}
    first, second = (
        jobs.client.post("reviews", body, {"Idempotency-Key": "order-1"}).body["job_id"]
        for _ in range(2)
    )
    assert first != second
    answers = [jobs.client.final(job_id) for job_id in (first, second)]
    assert answers[0]["job_id"] == answers[1]["job_id"]
    assert answers[0]["result"] == answers[1]["result"]
    told = jobs.callbacks()
    assert [message["id"] for message in told] == [f"msg_{answers[0]['job_id']}"]
    assert told[0]["endpoint"] == "orders"
    assert told[0]["payload"]["type"] == "job.succeeded"
    assert told[0]["payload"]["data"]["result"] == answers[0]["result"]


def test_the_same_key_with_another_body_is_refused(jobs: JobsStack) -> None:
    key = {"Idempotency-Key": "order-2"}
    first = jobs.client.post("reviews", {"request": RECORDS[2]}, key).body["job_id"]
    assert jobs.client.final(first)["status"] == "succeeded"
    other = jobs.client.post("reviews", {"request": RECORDS[3], "callback": "orders"}, key)
    found = jobs.client.final(other.body["job_id"])
    assert (found["status"], found["error"]["code"]) == ("refused", "idempotency_key_reused")
    assert jobs.callbacks()[-1]["payload"]["type"] == "job.refused"


def test_the_edge_refuses_what_breaks_the_contract(jobs: JobsStack) -> None:
    for bad in ({}, {"request": {"review": 5}}, {"request": RECORDS[0], "url": "http://x"}):
        answer = jobs.client.post("reviews", bad)
        assert (answer.status, answer.body["error"]["code"]) == (400, "malformed_body")
    assert jobs.client.post("nobody", {"request": {}}).status == 404


def test_what_only_a_worker_can_tell_makes_the_job_refused(jobs: JobsStack) -> None:
    # API Gateway drops maxItems from models.
    job_id = jobs.client.post("reviews", {"request": RECORDS[:21]}).body["job_id"]
    found = jobs.client.final(job_id)
    assert (found["status"], found["error"]["code"]) == ("refused", "list_too_long")
    assert found["error"]["field"] == "$.request"


def test_a_job_is_nobody_elses(jobs: JobsStack) -> None:
    job_id = jobs.client.post("reviews", {"request": RECORDS[4]}).body["job_id"]
    jobs.client.final(job_id)
    iam = jobs.aws.client("iam")
    iam.create_user(UserName="other")
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}],
    }
    iam.put_user_policy(UserName="other", PolicyName="all", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName="other")["AccessKey"]
    other = local_job_client(jobs.outputs["ApiUrl"], key["AccessKeyId"], key["SecretAccessKey"])
    answer = other.get(job_id)
    assert (answer.status, answer.body["error"]["code"]) == (404, "job_not_found")


def test_headers_and_bodies_of_a_hostile_client_stay_what_they_are(jobs: JobsStack) -> None:
    hostile: Any = {"review": 'great","client":"arn:aws:iam::1:user/victim"}} &MessageBody=x \' \\'}
    key = '","client":"arn:aws:iam::1:user/victim","x":"&Action=PurgeQueue%22\\'
    answer = jobs.client.post("reviews", {"request": hostile}, {"Idempotency-Key": key})
    assert answer.status == 202
    found = jobs.client.final(answer.body["job_id"])
    assert found["status"] == "succeeded", "its own client finds it"
    trailing = json.dumps({"request": RECORDS[0]}).encode() + b',"client":"victim"}'
    assert jobs.client.post("reviews", trailing).status == 400


def test_poison_blocks_nobody_and_ends_in_the_dead_letter_queue(jobs: JobsStack) -> None:
    before = jobs.count("ReviewsJobDeadQueue")
    poison = ["not JSON", json.dumps({"version": 9}), json.dumps({"version": 1, "model": "other"})]
    for body in poison:
        jobs.send(body)
    posted = [jobs.client.post("reviews", {"request": record}) for record in RECORDS[:10]]
    assert {jobs.client.final(answer.body["job_id"])["status"] for answer in posted} == {
        "succeeded"
    }
    jobs.stack.until(
        lambda: jobs.count("ReviewsJobDeadQueue") == before + len(poison), "poison is dead", 180
    )
    assert jobs.count("ReviewsJobQueue") == 0
    assert jobs.sweep()["unreadable"] >= len(poison)
    assert jobs.count("ReviewsJobDeadQueue") == before + len(poison), "a sweep leaves them"
