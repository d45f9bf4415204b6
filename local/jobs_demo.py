"""Asynchronous jobs over HTTP, and their signed callbacks to a receiver that fails now and then."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from boringml.jobs.states import SUCCEEDED
from local.datasets import reviews
from local.endpoints import Command
from local.jobs import JobClient, local_job_client
from local.receiver import Behaviour, Receiver
from local.telling import Say, still
from local.up import Deployed

MODEL = "reviews"
# What the model was not trained on.
TEST_ROWS = slice(4000, 5000)
RECORDS_PER_JOB = 5
FAILED_SHARE = 0.2
PATIENCE_SECONDS = 240


@dataclass(frozen=True)
class Ledger:
    """What became of the jobs, and of the calls to the receiver."""

    posted: int
    ends: dict[str, int]
    reviews: int
    right: int
    told: int
    calls: int
    failed_calls: int
    unverified: int
    seconds: float
    # The job that each of the two posts of the same key and body names as the one that ran.
    ran: tuple[str, str]

    def broken(self) -> list[str]:
        """Return, in words, what does not add up."""
        told = []
        if self.ends != {SUCCEEDED: self.posted}:
            told.append(f"of {self.posted} jobs, ends are {self.ends}")
        if self.told != self.posted:
            told.append(f"{self.posted} jobs ended and {self.told} were told")
        if self.unverified:
            told.append(f"{self.unverified} callbacks had no valid signature")
        if len(set(self.ran)) != 1:
            told.append(f"the same Idempotency-Key and body were two jobs: {self.ran}")
        return told


def run_jobs(deployed: Deployed, say: Say) -> Ledger:
    """Post jobs of all test reviews, one of them twice; return the ledger once all are told.

    Raises TimeoutError, and RuntimeError where a job was not accepted.
    """
    client = local_job_client(deployed.outputs["ApiUrl"])
    rows = reviews(TEST_ROWS)
    texts, scores = rows["review"].tolist(), rows["score"].tolist()
    starts = range(0, len(texts), RECORDS_PER_JOB)
    parts = [slice(start, start + RECORDS_PER_JOB) for start in starts]
    begin = time.monotonic()
    with Receiver([], Behaviour(fails=FAILED_SHARE)) as receiver:
        # Each run has a receiver of its own, so an endpoint of its own.
        command = Command(deployed.local_aws, deployed.stack_name)
        endpoint, secret = command.register(receiver.url)
        receiver.secrets.append(secret)
        say(f"registered {receiver.url}, which fails {FAILED_SHARE:.0%} of its calls")
        bodies = [
            {"request": [{"review": text} for text in texts[part]], "callback": endpoint}
            for part in parts
        ]
        with still("posting jobs", say):
            ids = [_post(client, body, endpoint, number) for number, body in enumerate(bodies)]
            again = _post(client, bodies[0], endpoint, 0)
        say(f"posted {len(ids)} jobs of {RECORDS_PER_JOB} reviews, and the first of them twice")
        record = receiver.record
        with still("waiting for jobs and callbacks", say):
            answers = [client.final(job_id, PATIENCE_SECONDS) for job_id in ids]
            ran = which_ran(answers[0], client.final(again, PATIENCE_SECONDS))
            _await_told(lambda: len(record.delivered) >= len(ids))
        calls, delivered = sum(record.attempts.values()), len(record.delivered)
        return Ledger(
            posted=len(ids),
            ends=dict(Counter(answer["status"] for answer in answers)),
            reviews=len(texts),
            right=sum(_right(a, scores[p]) for a, p in zip(answers, parts, strict=True)),
            told=delivered,
            calls=calls,
            failed_calls=calls - sum(record.delivered.values()),
            unverified=record.unverified,
            seconds=time.monotonic() - begin,
            ran=ran,
        )


def which_ran(first: dict[str, Any], again: dict[str, Any]) -> tuple[str, str]:
    """Return the job that ran, as two answers to the same key and body tell it.

    Either may have: a queue does not keep the order, and the worker of the first may have died.
    """
    return str(first["job_id"]), str(again["job_id"])


def _post(client: JobClient, body: dict[str, Any], endpoint: str, number: int) -> str:
    answer = client.post(MODEL, body, {"Idempotency-Key": f"{endpoint}-{number}"})
    if answer.status != 202:
        raise RuntimeError(f"a job was not accepted: {answer.status} {answer.body}")
    return str(answer.body["job_id"])


def _right(answer: dict[str, Any], scores: list[str]) -> int:
    predictions = answer.get("result", {}).get("predictions", [])
    pairs = zip(predictions, scores, strict=False)
    return sum(predicted["prediction"] == score for predicted, score in pairs)


def _await_told(told: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not told():
        if time.monotonic() > deadline:
            raise TimeoutError("not every job was told")
        time.sleep(0.2)
