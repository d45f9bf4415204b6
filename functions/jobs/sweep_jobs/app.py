"""Close the jobs that no worker will run any more, and tell their clients."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from boringml.adapters.callback_queue import CallbackQueue
from boringml.adapters.job_queue import JobQueue
from boringml.adapters.jobs_table import JobsTable, Limits
from boringml.jobs.sweep_jobs import Sweeper
from boringml.settings import load
from boringml.steps import run_step

# Of one dead-letter queue, at each sweep; the next one sees others.
MOST_DEAD = 1_000
# How long a dead message is out of sight of a redrive, that none is seen twice in one sweep.
PEEK_SECONDS = 60


@dataclass(frozen=True)
class Settings:
    jobs_table: str
    callback_queue: str
    # A JSON object: model to the URL of its dead-letter queue.
    dead_job_queues: str
    job_closes_after_seconds: int
    job_keep_seconds: int
    redrive_seconds: int


@cache
def _adapters() -> tuple[Sweeper, list[JobQueue]]:
    settings = load(Settings, os.environ)
    sqs = boto3.client("sqs")
    limits = Limits(settings.job_closes_after_seconds, settings.job_keep_seconds)
    sweeper = Sweeper(
        JobsTable(boto3.client("dynamodb"), settings.jobs_table, limits),
        CallbackQueue(sqs, settings.callback_queue),
        settings.redrive_seconds,
    )
    return sweeper, [JobQueue(sqs, url) for url in json.loads(settings.dead_job_queues).values()]


def _sweep_jobs(_event: Mapping[str, Any]) -> dict[str, Any]:
    sweeper, queues = _adapters()

    def dead() -> Iterator[str]:
        for queue in queues:
            yield from queue.peek(PEEK_SECONDS, MOST_DEAD)

    return sweeper.sweep_jobs(dead())


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return how many jobs were closed, of which kind. Runs on a schedule."""
    return run_step("sweep_jobs", _sweep_jobs, event, context.aws_request_id)
