"""Jobs while their workers are killed: a ledger whose counts must add up.

`python -m benchmarks.jobs.chaos` (make jobs-chaos) trains and releases reviews on the local AWS
where it is not live. It registers a receiver of callbacks that fails a share of the calls, posts
jobs over HTTP, puts poison on the queue past the API, kills -9 processes of the worker function at
random, and then asks for every job and every callback.
"""

import argparse
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.jobs.killer import Killer
from boringml.adapters.job_queue import JobQueue
from boringml.adapters.registry_table import RegistryTable
from boringml.jobs.message import PoisonError, parse
from boringml.jobs.states import FINAL
from local.datasets import review_records, write_reviews
from local.endpoints import Command
from local.jobs import JobClient, local_job_client
from local.receiver import Behaviour, Receiver, Record
from local.training_demo import ensure_live
from local.up import Deployed, up

MODEL = "reviews"
POISON = ("not JSON", '{"version": 9}', '{"version": 1, "model": "other"}')
POSTERS, SECONDS_WITHOUT_PROGRESS = 8, 400
FAILED_SHARE = 0.2


@dataclass(frozen=True)
class Predictions:
    """What the prediction log tells: the most at once, and jobs that an attempt did not end."""

    at_once: int
    repeated: int


def predictions(logs: Any, group: str, since_ms: int) -> Predictions:
    """Read the prediction log. A line ends its prediction, which took `latency_ms`."""
    moments, repeated = [], set()
    for page in logs.get_paginator("filter_log_events").paginate(
        logGroupName=group, startTime=since_ms
    ):
        for event in page["events"]:
            try:
                line = json.loads(event["message"][event["message"].index("{") :])
            except ValueError:
                continue
            # What a release asks a version itself is no job, and has no attempt.
            if "latency_ms" in line and line.get("attempt"):
                ended = datetime.fromisoformat(line["timestamp"]).timestamp() * 1000
                moments.append((ended, -1))
                moments.append((ended - line["latency_ms"], 1))
                if line["attempt"] > 1:
                    repeated.add(line["request_id"])
    most = now = 0
    for _at, step in sorted(moments):
        now += step
        most = max(most, now)
    return Predictions(most, len(repeated))


def post(client: JobClient, count: int, callback: str | None) -> list[str]:
    """Post `count` jobs of real texts; return their ids."""
    texts = review_records(slice(4000, 5000))

    def one(index: int) -> str:
        body: dict[str, Any] = {"request": texts[index % len(texts)]}
        if callback is not None:
            body["callback"] = callback
        for attempt in range(5):
            answer = client.post(MODEL, body)
            if answer.status == 202:
                return str(answer.body["job_id"])
            time.sleep(0.2 * 2**attempt)
        raise RuntimeError(f"a POST was answered with {answer.status}: {answer.body}")

    with ThreadPoolExecutor(POSTERS) as pool:
        return list(pool.map(one, range(count)))


@dataclass(frozen=True)
class Table:
    """The table of jobs."""

    client: Any
    name: str

    def states(self, ids: list[str]) -> dict[str, str]:
        """Return the status of each job that a worker saw."""
        found = {}
        for start in range(0, len(ids), 100):
            keys = [{"pk": {"S": f"JOB#{job_id}"}} for job_id in ids[start : start + 100]]
            asked = {self.name: {"Keys": keys, "ConsistentRead": True}}
            for item in self.client.batch_get_item(RequestItems=asked)["Responses"][self.name]:
                found[item["job_id"]["S"]] = item["status"]["S"]
        return found


def await_all(what: str, count: int, done: Callable[[], int]) -> None:
    """Wait until `done` counts so many. Raises TimeoutError where it stays the same for long."""
    last, since = -1, time.monotonic()
    while (now := done()) < count:
        if now != last:
            last, since = now, time.monotonic()
            print(f"  {now:5d} of {count} {what}", flush=True)
        if time.monotonic() - since > SECONDS_WITHOUT_PROGRESS:
            raise TimeoutError(f"only {now} of {count} {what}")
        time.sleep(2)


def settle(table: Table, ids: list[str]) -> dict[str, str]:
    """Wait until every job is final; return the first final state that each was seen in."""
    ended: dict[str, str] = {}

    def final() -> int:
        there = table.states([job_id for job_id in ids if job_id not in ended])
        ended.update({job_id: state for job_id, state in there.items() if state in FINAL})
        return len(ended)

    await_all("jobs are final", len(ids), final)
    return ended


def job_lines(
    ids: list[str], ended: dict[str, str], now: dict[str, str]
) -> list[tuple[str, int, bool]]:
    """Return what became of jobs: what, how many, whether it adds up."""
    counts = Counter(ended.values())
    changed = sum(now[job_id] != state for job_id, state in ended.items())
    distinct = len(set(ids))
    return [
        ("jobs posted", len(ids), True),
        ("ids of jobs", distinct, distinct == len(ids)),
        *((f"  {state}", counts[state], True) for state in sorted(FINAL)),
        ("jobs with one final state", len(ended), len(ended) == distinct),
        ("final states that changed", changed, changed == 0),
    ]


def callback_lines(record: Record, ended: dict[str, str]) -> list[tuple[str, int, bool]]:
    """Return what the receiver saw."""
    expected = {f"msg_{job_id}": f"job.{state}" for job_id, state in ended.items()}
    delivered = sum(message_id in record.delivered for message_id in expected)
    calls, taken = sum(record.attempts.values()), sum(record.delivered.values())
    other = sum(
        record.bodies[message_id]["type"] != kind
        for message_id, kind in expected.items()
        if message_id in record.bodies
    )
    strange = len(set(record.attempts) - set(expected))
    return [
        ("callback ids delivered", delivered, delivered == len(expected)),
        ("calls, signature valid", calls, True),
        ("calls, signature not valid", record.unverified, record.unverified == 0),
        ("calls that the receiver failed", calls - taken, calls > taken),
        ("delivered more than once", taken - len(record.delivered), True),
        ("callbacks that told another state", other, other == 0),
        ("callbacks of no job", strange, strange == 0),
    ]


def dead_messages(sqs: Any, url: str) -> tuple[int, set[str]]:
    """Return how many dead messages are poison, and the jobs that the others name."""
    queue = JobQueue(sqs, url)
    # A sweep hides for a minute what it looks at.
    await_all("dead messages are seen", waiting(sqs, url), queue.count)
    poison, named = 0, set()
    for text in queue.peek(seconds=60, most=10_000):
        try:
            named.add(parse(text).job_id)
        except PoisonError:
            poison += 1
    return poison, named


def waiting(sqs: Any, url: str) -> int:
    """Return how many messages a queue holds, visible or not."""
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return int(found["ApproximateNumberOfMessages"]) + int(
        found["ApproximateNumberOfMessagesNotVisible"]
    )


def reviews_live() -> Deployed:
    """Return the application on the local AWS with a version of reviews live."""
    deployed = up()
    dynamodb, table = deployed.local_aws.client("dynamodb"), deployed.outputs["RegistryTable"]
    registry = RegistryTable(dynamodb, table)
    ensure_live(deployed, registry, MODEL, lambda path: write_reviews(path, slice(4000)), print)
    return deployed


def main(arguments: list[str] | None = None) -> int:
    """Run it and print the ledger; return 0 where all adds up."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.jobs.chaos", description=__doc__)
    parser.add_argument("--jobs", type=int, default=5000)
    parser.add_argument("--poison", type=float, default=0.01, help="share of the jobs")
    parser.add_argument("--kill-every", type=float, default=5.0, help="seconds, on average")
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--report", type=Path, default=Path("benchmarks/results/jobs_chaos.json"))
    options = parser.parse_args(arguments)
    deployed = reviews_live()
    outputs, aws = deployed.outputs, deployed.local_aws.client
    function = outputs["ReviewsFunction"]
    sqs, lambda_, logs = aws("sqs"), aws("lambda"), aws("logs")
    table = Table(aws("dynamodb"), outputs["JobsTable"])
    found = lambda_.list_event_source_mappings(FunctionName=f"{function}:live")
    pool = found["EventSourceMappings"][0]["ScalingConfig"]["MaximumConcurrency"]
    dead_url, queue_url = outputs["ReviewsJobDeadQueue"], outputs["ReviewsJobQueue"]
    dead_before = waiting(sqs, dead_url)
    poison_before, _ = dead_messages(sqs, dead_url)
    poison = round(options.jobs * options.poison)
    killer = Killer(function, options.kill_every, options.seed)
    command = Command(deployed.local_aws, deployed.stack_name)
    with Receiver([], Behaviour(fails=FAILED_SHARE)) as receiver:
        name, secret = command.register(receiver.url)
        receiver.secrets.append(secret)
        begin, begin_ms = time.monotonic(), int(time.time() * 1000)
        thread = threading.Thread(target=killer.run, daemon=True)
        thread.start()
        try:
            for index in range(poison):
                sqs.send_message(QueueUrl=queue_url, MessageBody=POISON[index % len(POISON)])
            client = local_job_client(outputs["ApiUrl"])
            ids = post(client, options.jobs, name)
            print(f"  {len(ids)} jobs posted in {time.monotonic() - begin:.0f} s", flush=True)
            ended = settle(table, ids)
        finally:
            killer.stop()
            thread.join()
        jobs_seconds = time.monotonic() - begin
        await_all("callbacks came", len(ids), lambda: len(receiver.record.delivered))
        seconds = time.monotonic() - begin
        await_all("poison is dead", poison, lambda: waiting(sqs, dead_url) - dead_before)
        # A callback that comes again comes at once, or after the queue's own timeout.
        lines = job_lines(ids, ended, table.states(ids))
        lines += callback_lines(receiver.record, ended)
    poison_dead, named = dead_messages(sqs, dead_url)
    poison_dead -= poison_before
    dead_jobs = named & set(ids)
    told = sum(ended[job_id] in FINAL for job_id in dead_jobs)
    left = waiting(sqs, queue_url)
    group = lambda_.get_function_configuration(FunctionName=function)["LoggingConfig"]["LogGroup"]
    log = predictions(logs, group, begin_ms)
    lines += [
        ("poison sent", poison, True),
        ("poison in the dead-letter queue", poison_dead, poison_dead == poison),
        ("jobs whose message no worker survived", len(dead_jobs), told == len(dead_jobs)),
        ("messages left in the queue", left, left == 0),
        ("workers killed", killer.killed, killer.killed > 0),
        ("jobs that took another attempt", log.repeated, True),
        ("pool of workers", pool, True),
        ("most worker processes at once", killer.peak, killer.peak <= pool),
        ("most predictions at once", log.at_once, log.at_once <= pool),
        ("seconds until the last job ended", round(jobs_seconds), True),
        ("seconds until the last was told", round(seconds), True),
    ]
    for what, much, holds in lines:
        print(f"{what:38} {much:>8}  {'' if holds else 'DOES NOT ADD UP'}")
    report = {what.strip(): much for what, much, _holds in lines}
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(json.dumps(report, indent=2) + "\n")
    return 0 if all(holds for _what, _much, holds in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
