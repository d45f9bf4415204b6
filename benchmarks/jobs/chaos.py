"""Jobs while their workers are killed: a ledger whose counts must add up.

`python -m benchmarks.jobs.chaos` (make jobs-chaos) needs the local AWS with reviews live.
It posts jobs over HTTP, puts poison on the queue past the API, kills -9 processes of the worker
function at random, and then asks for every job. `Receiver` is what a callback's receiver reports.
"""

import argparse
import json
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import boto3
import psutil

from boringml.jobs.states import FINAL
from local.datasets import review_records
from local.jobs import JobClient, local_job_client

MODEL = "reviews"
POISON = ("not JSON", '{"version": 9}', '{"version": 1, "model": "other"}')
POSTERS, SECONDS_WITHOUT_PROGRESS = 8, 240


class Receiver(Protocol):
    """Who is called back: its endpoint's registered name, and what it has verified."""

    name: str

    def deliveries(self) -> Counter[str]:
        """Return how often each webhook id came with a valid signature."""


@dataclass
class Killer:
    """Kills worker processes at random, and counts how many work at once.

    A worker is a process of the local AWS whose environment names the function.
    """

    function: str
    every_seconds: float
    seed: int
    killed: int = 0
    peak: int = 0
    _over: threading.Event = field(default_factory=threading.Event)
    _known: dict[int, bool] = field(default_factory=dict)

    def run(self) -> None:
        """Look ten times a second, and kill one now and then, until `stop`."""
        draw = random.Random(self.seed)
        due = time.monotonic() + self.every_seconds
        while not self._over.wait(0.1):
            workers = self.workers()
            self.peak = max(self.peak, len(workers))
            if time.monotonic() >= due and workers:
                os.kill(draw.choice(workers), signal.SIGKILL)
                self.killed += 1
                due = time.monotonic() + draw.uniform(0.5, 1.5) * self.every_seconds

    def workers(self) -> list[int]:
        """Return the ids of the worker processes."""
        return [pid for pid in psutil.pids() if self._is_worker(pid)]

    def _is_worker(self, pid: int) -> bool:
        if pid not in self._known:
            try:
                name = psutil.Process(pid).environ().get("AWS_LAMBDA_FUNCTION_NAME")
            except (psutil.Error, OSError):
                return False
            # A process that has only begun still has its parent's environment.
            self._known[pid] = name == self.function
        return self._known[pid] and psutil.pid_exists(pid)

    def stop(self) -> None:
        """End `run`."""
        self._over.set()


def invocations_at_once(logs: Any, group: str, since_ms: int) -> int:
    """Return the most invocations that wrote into the log at once: from their lines' times.

    A line of the prediction log ends its prediction, which took `latency_ms`.
    """
    moments = []
    pages = logs.get_paginator("filter_log_events")
    for page in pages.paginate(logGroupName=group, startTime=since_ms):
        for event in page["events"]:
            try:
                line = json.loads(event["message"][event["message"].index("{") :])
            except ValueError:
                continue
            if "latency_ms" in line and line.get("pattern") == "async":
                moments.append((event["timestamp"], -1))
                moments.append((event["timestamp"] - line["latency_ms"], 1))
    most = now = 0
    for _at, step in sorted(moments):
        now += step
        most = max(most, now)
    return most


def post(
    client: JobClient, count: int, callback: str | None, progress: Callable[[int], None]
) -> list[str]:
    """Post `count` jobs of real texts; return their ids."""
    texts = review_records(slice(4000, 5000))
    done = iter(range(1, count + 1))

    def one(index: int) -> str:
        body: dict[str, Any] = {"request": texts[index % len(texts)]}
        if callback:
            body["callback"] = callback
        for attempt in range(5):
            answer = client.post(MODEL, body)
            if answer.status == 202:
                progress(next(done))
                return str(answer.body["job_id"])
            time.sleep(0.2 * 2**attempt)
        raise RuntimeError(f"a POST was answered with {answer.status}: {answer.body}")

    with ThreadPoolExecutor(POSTERS) as pool:
        return list(pool.map(one, range(count)))


def settle(table: Any, ids: list[str], sweep: Callable[[], Any]) -> Counter[str]:
    """Wait until every job is final; return how many ended how. Sweeps now and then."""
    states: dict[str, str] = {}
    last, since = -1, time.monotonic()
    while True:
        open_ids = [job_id for job_id in ids if states.get(job_id) not in FINAL]
        for start in range(0, len(open_ids), 100):
            keys = [{"pk": {"S": f"JOB#{job_id}"}} for job_id in open_ids[start : start + 100]]
            asked = {table.name: {"Keys": keys, "ConsistentRead": True}}
            for item in table.client.batch_get_item(RequestItems=asked)["Responses"][table.name]:
                states[item["job_id"]["S"]] = item["status"]["S"]
        final = sum(state in FINAL for state in states.values())
        if final == len(ids):
            return Counter(states.values())
        if final != last:
            last, since = final, time.monotonic()
            print(f"  {final:5d} of {len(ids)} are final", flush=True)
        if time.monotonic() - since > SECONDS_WITHOUT_PROGRESS:
            missing = Counter(states.get(job_id, "queued") for job_id in ids)
            raise RuntimeError(f"no progress any more: {dict(missing)}")
        sweep()
        time.sleep(2)


@dataclass(frozen=True)
class Table:
    """The table of jobs, as `settle` reads it."""

    client: Any
    name: str


def ledger(
    posted: int, ended: Counter[str], poison: int, dead: int, unreadable: int, killer: Killer
) -> list[tuple[str, Any, bool]]:
    """Return lines of what, how much and whether it adds up."""
    final = sum(ended[state] for state in FINAL)
    return [
        ("jobs posted", posted, True),
        *((f"  {state}", ended[state], True) for state in sorted(FINAL)),
        ("jobs with one final state", final, final == posted),
        ("poison sent", poison, True),
        ("poison in the dead-letter queue", unreadable, unreadable == poison),
        ("messages in the dead-letter queue", dead, dead >= poison),
        ("workers killed", killer.killed, killer.killed > 0),
    ]


def main(arguments: list[str] | None = None, receiver: Receiver | None = None) -> int:
    """Run it and print the ledger; return 0 where all adds up."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.jobs.chaos", description=__doc__)
    parser.add_argument("--jobs", type=int, default=5000)
    parser.add_argument("--poison", type=float, default=0.01, help="share of the jobs")
    parser.add_argument("--kill-every", type=float, default=2.0, help="seconds, on average")
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--report", type=Path, default=Path("benchmarks/results/jobs_chaos.json"))
    options = parser.parse_args(arguments)
    environ = os.environ
    function = environ["BORINGML_REVIEWS_FUNCTION"]
    sqs, lambda_ = boto3.client("sqs"), boto3.client("lambda")
    client = local_job_client(environ["BORINGML_API_URL"])
    table = Table(boto3.client("dynamodb"), environ["BORINGML_JOBS_TABLE"])
    found = lambda_.list_event_source_mappings(FunctionName=f"{function}:live")
    pool = found["EventSourceMappings"][0]["ScalingConfig"]["MaximumConcurrency"]
    dead_url = environ["BORINGML_REVIEWS_JOB_DEAD_QUEUE"]

    def sweep() -> Any:
        answer = lambda_.invoke(FunctionName=environ["BORINGML_SWEEP_JOBS_FUNCTION"])
        return json.loads(answer["Payload"].read())

    poison = round(options.jobs * options.poison)
    killer = Killer(function, options.kill_every, options.seed)
    begin_ms = int(time.time() * 1000)
    thread = threading.Thread(target=killer.run, daemon=True)
    thread.start()
    for index in range(poison):
        sqs.send_message(
            QueueUrl=environ["BORINGML_REVIEWS_JOB_QUEUE"], MessageBody=POISON[index % len(POISON)]
        )
    begin = time.monotonic()
    try:
        ids = post(client, options.jobs, receiver.name if receiver else None, lambda _n: None)
        print(f"  {len(ids)} jobs posted in {time.monotonic() - begin:.0f} s", flush=True)
        ended = settle(table, ids, lambda: None)
    finally:
        killer.stop()
        thread.join()
    seconds = time.monotonic() - begin
    deadline = time.monotonic() + 120
    unreadable, dead = 0, 0
    while unreadable < poison and time.monotonic() < deadline:
        time.sleep(2)
        unreadable = max(unreadable, sweep()["unreadable"])
    attributes = sqs.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["All"])["Attributes"]
    dead = sum(
        int(attributes[name])
        for name in ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    )
    group = lambda_.get_function_configuration(FunctionName=function)["LoggingConfig"]["LogGroup"]
    at_once = invocations_at_once(boto3.client("logs"), group, begin_ms)
    lines = ledger(len(ids), ended, poison, dead, unreadable, killer)
    lines += [
        ("pool of workers", pool, True),
        ("most worker processes at once", killer.peak, killer.peak <= pool),
        ("most predictions at once", at_once, at_once <= pool),
    ]
    if receiver is not None:
        came = receiver.deliveries()
        told = sum(came[f"msg_{job_id}"] > 0 for job_id in ids)
        lines.append(("callback ids that came, signed", told, told == len(ids)))
        lines.append(("deliveries in all", sum(came.values()), True))
    for what, much, holds in lines:
        print(f"{what:36} {much:>8}  {'' if holds else 'DOES NOT ADD UP'}")
    print(f"{'seconds':36} {seconds:8.0f}")
    report = {what.strip(): much for what, much, _holds in lines} | {"seconds": round(seconds)}
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(json.dumps(report, indent=2) + "\n")
    return 0 if all(holds for _what, _much, holds in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
