"""Jobs over HTTP, on the deployed application with a model from real data."""

import json
import os
import signal
import threading
import time
import urllib.request
import uuid
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
    with jobs.receiver() as (name, receiver):
        body = {"request": RECORDS[1], "callback": name}
        first, second = (
            jobs.client.post("reviews", body, {"Idempotency-Key": "order-1"}).body["job_id"]
            for _ in range(2)
        )
        assert first != second
        answers = [jobs.client.final(job_id) for job_id in (first, second)]
        assert answers[0]["job_id"] == answers[1]["job_id"]
        assert answers[0]["result"] == answers[1]["result"]
        told = jobs.told(receiver, answers[0]["job_id"])
        assert told["type"] == "job.succeeded"
        assert told["data"]["result"] == answers[0]["result"]
        # Whoever ended last has been told of, so an end of the other would have come.
        last = jobs.client.post("reviews", body).body["job_id"]
        jobs.told(receiver, last)
        ids = {f"msg_{job_id}" for job_id in (answers[0]["job_id"], last)}
        assert set(receiver.record.attempts) == ids
        assert receiver.record.unverified == 0


def test_the_same_key_with_another_body_is_refused(jobs: JobsStack) -> None:
    key = {"Idempotency-Key": "order-2"}
    first = jobs.client.post("reviews", {"request": RECORDS[2]}, key).body["job_id"]
    assert jobs.client.final(first)["status"] == "succeeded"
    with jobs.receiver() as (name, receiver):
        body = {"request": RECORDS[3], "callback": name}
        other = jobs.client.post("reviews", body, key).body["job_id"]
        found = jobs.client.final(other)
        assert (found["status"], found["error"]["code"]) == ("refused", "idempotency_key_reused")
        assert jobs.told(receiver, other)["type"] == "job.refused"


def test_a_callback_that_the_client_has_not_registered_is_refused(jobs: JobsStack) -> None:
    body = {"request": RECORDS[5], "callback": "nobody"}
    found = jobs.client.final(jobs.client.post("reviews", body).body["job_id"])
    assert (found["status"], found["error"]["code"]) == ("refused", "callback_unknown")
    assert found["error"]["field"] == "$.callback"


def test_a_large_result_is_fetched_by_a_url_that_needs_no_signature_of_its_own(
    jobs: JobsStack,
) -> None:
    body = {"request": RECORDS[:20]}
    job_id = jobs.client.post("reviews", body).body["job_id"]
    found = jobs.client.final(job_id)
    small = found["result"]["predictions"]
    assert len(small) == 20
    # As much as a result of a larger model would be: what is kept in S3 is told by its key.
    key = f"results/{job_id}/large.json"
    content = json.dumps({"predictions": small * 50}).encode()
    jobs.aws.client("s3").put_object(
        Bucket=jobs.stack.resource("ResultsBucket"), Key=key, Body=content
    )
    outcome = json.dumps({"model_version": 1, "result_key": key})
    jobs.aws.client("dynamodb").update_item(
        TableName=jobs.outputs["JobsTable"],
        Key={"pk": {"S": f"JOB#{job_id}"}},
        UpdateExpression="SET outcome = :outcome",
        ExpressionAttributeValues={":outcome": {"S": outcome}},
    )
    answer = jobs.client.get(job_id).body
    assert "result" not in answer
    with urllib.request.urlopen(answer["result_url"], timeout=30) as got:
        assert got.read() == content


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


def test_a_job_whose_worker_is_killed_succeeds_once(jobs: JobsStack) -> None:
    killer = jobs.killer
    with jobs.receiver() as (name, receiver):
        lists = [RECORDS[start : start + 20] for start in (0, 20)] * 60
        ids = [
            jobs.client.post("reviews", {"request": part, "callback": name}).body["job_id"]
            for part in lists
        ]
        table = jobs.aws.client("dynamodb")

        def running() -> bool:
            found = table.scan(
                TableName=jobs.outputs["JobsTable"],
                FilterExpression="#s = :running",
                ExpressionAttributeNames={"#s": "status"},
                ExpressionAttributeValues={":running": {"S": "running"}},
                ConsistentRead=True,
            )
            return bool(found["Items"])

        jobs.stack.until(running, "a job runs", 120)
        victims = killer.workers()
        for victim in victims:
            os.kill(victim, signal.SIGKILL)
        assert victims
        ended = {jobs.client.final(job_id, 400)["status"] for job_id in ids}
        assert ended == {"succeeded"}
        for job_id in ids:
            assert jobs.told(receiver, job_id)["type"] == "job.succeeded"
        assert set(receiver.record.attempts) == {f"msg_{job_id}" for job_id in ids}
        assert receiver.record.unverified == 0
    assert set(attempts(jobs, ids)) > {1}, "some had to be run again"


def test_no_more_workers_run_than_the_mapping_says(jobs: JobsStack) -> None:
    killer = jobs.killer
    watcher = threading.Thread(target=killer.watch, daemon=True)
    watcher.start()
    ids = [jobs.client.post("reviews", {"request": RECORDS[:20]}).body["job_id"] for _ in range(80)]
    assert {jobs.client.final(job_id, 300)["status"] for job_id in ids} == {"succeeded"}
    killer.stop()
    watcher.join()
    assert 2 <= killer.peak <= 5


def test_what_is_dead_goes_back_to_the_queue_by_command(jobs: JobsStack) -> None:
    sqs, lambda_ = jobs.aws.client("sqs"), jobs.aws.client("lambda")
    queue, before = jobs.outputs["ReviewsJobQueue"], jobs.count("ReviewsJobDeadQueue")
    function = jobs.outputs["ReviewsFunction"]
    (mapping,) = lambda_.list_event_source_mappings(FunctionName=f"{function}:live")[
        "EventSourceMappings"
    ]
    jobs.stack.until(lambda: jobs.count("ReviewsJobQueue") == 0, "the queue is empty", 180)
    lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        job_id = jobs.client.post("reviews", {"request": RECORDS[6]}).body["job_id"]

        def taken_until_it_is_dead() -> bool:
            sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0)
            return jobs.count("ReviewsJobDeadQueue") > before

        jobs.stack.until(taken_until_it_is_dead, "its message is dead")
    finally:
        lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
    assert jobs.client.get(job_id).body["status"] == "queued"
    # A sweep hides for a minute what it looks at.
    jobs.stack.until(
        lambda: jobs.command.run("jobs", "redrive", "reviews")["messages"] > 0, "it is moved", 120
    )
    assert jobs.client.final(job_id)["status"] == "succeeded"
    shown = jobs.command.run("jobs", "show", job_id)
    assert (shown["status"], shown["model"]) == ("succeeded", "reviews")


def attempts(jobs: JobsStack, ids: list[str]) -> list[int]:
    """Return the number of the attempt that ended each job, from the prediction log."""
    function = jobs.aws.client("lambda").get_function_configuration(
        FunctionName=jobs.outputs["ReviewsFunction"]
    )
    pages = jobs.aws.client("logs").get_paginator("filter_log_events")
    found = []
    for page in pages.paginate(logGroupName=function["LoggingConfig"]["LogGroup"]):
        for event in page["events"]:
            text = event["message"]
            if '"latency_ms"' in text and any(job_id in text for job_id in ids):
                found.append(json.loads(text[text.index("{") :])["attempt"])
    return found


def test_a_job_is_followed_from_its_post_to_its_callback(jobs: JobsStack) -> None:
    trace, upstream = f"1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}", "order-4711"
    headers = {"X-Amzn-Trace-Id": f"Root={trace}", "X-Request-Id": upstream}
    with jobs.receiver() as (name, receiver):
        posted = jobs.client.post("reviews", {"request": RECORDS[0], "callback": name}, headers)
        job_id = posted.body["job_id"]
        jobs.told(receiver, job_id)
    found: dict[str, Any] = {}

    def is_told() -> bool:
        found.update(jobs.command.run("trace", "reviews", job_id))
        outcomes = [attempt["outcome"] for attempt in found["callbacks"]]
        return outcomes[-1:] == ["delivered"]

    jobs.stack.until(is_told, "the delivery is in the log")
    assert (found["source"], found["job"]["status"]) == ("log", "succeeded")
    (record,) = found["records"]
    assert (record["trace_id"], record["upstream_request_id"]) == (trace, upstream)
    assert record["request_id"] == job_id
    assert {attempt["trace_id"] for attempt in found["callbacks"]} == {trace}
    assert found["versions"][0]["became_live"]["step"] == "promote"
