"""Tell a client how its job stands."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from boringml.adapters.jobs_table import JobsTable, Limits
from boringml.adapters.object_store import ObjectStore
from boringml.errors import BoringError
from boringml.jobs.get_job import JobReader
from boringml.jobs.states import FINAL
from boringml.serving import proxy_event
from boringml.settings import load

# Long enough to follow the answer, too short to be passed on.
URL_SECONDS = 300
RETRY_AFTER_SECONDS = 2


@dataclass(frozen=True)
class Settings:
    jobs_table: str
    results_bucket: str
    job_closes_after_seconds: int
    job_keep_seconds: int


@cache
def _reader() -> JobReader:
    settings = load(Settings, os.environ)
    wait, keep = settings.job_closes_after_seconds, settings.job_keep_seconds
    results = ObjectStore(boto3.client("s3"), settings.results_bucket)
    return JobReader(
        JobsTable(boto3.client("dynamodb"), settings.jobs_table, Limits(wait, keep)),
        lambda key: results.url(key, URL_SECONDS),
        wait_seconds=wait,
        keep_seconds=keep,
    )


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return API Gateway's answer: 200 with the job, 404 or 410."""
    request = event["requestContext"]
    request_id = request.get("requestId") or context.aws_request_id
    job_id = (event.get("pathParameters") or {}).get("job_id", "")
    try:
        body = _reader().get_job(job_id, request["identity"]["userArn"])
    except BoringError as error:
        return proxy_event.answer(error.status, error.body(), request_id)
    answer = proxy_event.answer(200, body, request_id)
    if body["status"] not in FINAL:
        answer["headers"]["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return answer
