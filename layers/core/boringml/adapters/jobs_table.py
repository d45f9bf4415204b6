"""Jobs in their DynamoDB table: every write is held to the rules of boringml.jobs.states."""

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from boringml.adapters.dynamodb_table import DynamoTable
from boringml.jobs.job import Job
from boringml.jobs.message import JobMessage
from boringml.jobs.states import FINAL, QUEUED, RUNNING, predecessors

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

# The index of open jobs: one partition would take 1,000 writes a second.
OPEN_INDEX = "open"
OPEN_SHARDS = 8


@dataclass(frozen=True)
class Limits:
    """Seconds: a job is open for `closes_after` from its POST, and kept for `keep` from its end."""

    closes_after: int
    keep: int


class JobsTable:
    """The jobs of all models. The table's only key is `pk`."""

    def __init__(self, client: "DynamoDBClient", name: str, limits: Limits) -> None:
        self._client = client
        self._name = name
        self._table = DynamoTable(client, name)
        self._limits = limits

    def get(self, job_id: str) -> Job | None:
        """Return a job, or None where nothing is written of it."""
        item = self._table.get(_key(job_id))
        return _job(item) if item else None

    def begin(self, message: JobMessage, callback: str | None, now_ms: int) -> Job | None:
        """Make a job running and return None; return the job that is final already."""
        return self._move(
            message,
            RUNNING,
            {"started_ms": now_ms, "callback": callback},
        )

    def release(self, message: JobMessage) -> Job | None:
        """Make a job queued again, for its next attempt; return the job that is final already."""
        return self._move(message, QUEUED, {})

    def finish(
        self,
        message: JobMessage,
        status: str,
        outcome: Mapping[str, Any],
        now_ms: int,
        *,
        callback: str | None = None,
        same_as: str | None = None,
    ) -> Job:
        """Give a job its final state, if it has none; return the job with the one that it has."""
        values = {
            "finished_ms": now_ms,
            "outcome": json.dumps(dict(outcome)),
            "callback": callback,
            "same_as": same_as,
        }
        there = self._move(message, status, values)
        found = there or self.get(message.job_id)
        if found is None:
            raise LookupError(f"{message.job_id} was deleted while it was written")
        return found

    def close(self, job: Job, outcome: Mapping[str, Any], status: str, now_ms: int) -> Job:
        """Give a job that is open its final state; return the job with the one that it has."""
        values = {
            "job_id": job.job_id,
            "model": job.model,
            "client": job.client,
            "posted_ms": job.posted_ms,
            "finished_ms": now_ms,
            "outcome": json.dumps(dict(outcome)),
        }
        there = self._write(job.job_id, status, values, now_ms // 1000 + self._limits.keep)
        return there or self.get(job.job_id) or job

    def mark_told(self, job_id: str) -> None:
        """Write that the end of a job was told."""
        self._table.update(
            {
                "Key": _key(job_id),
                "UpdateExpression": "SET is_told = :true",
                "ConditionExpression": "attribute_exists(pk)",
                "ExpressionAttributeValues": {":true": True},
            }
        )

    def open_since(self, now_ms: int) -> Iterator[Job]:
        """Yield the open jobs that no worker may run any more: `closes_after` is past."""
        pages = self._client.get_paginator("query")
        for shard in range(OPEN_SHARDS):
            for page in pages.paginate(
                TableName=self._name,
                IndexName=OPEN_INDEX,
                KeyConditionExpression="open_shard = :shard AND closes_ms < :now",
                ExpressionAttributeValues={
                    ":shard": {"N": str(shard)},
                    ":now": {"N": str(now_ms)},
                },
            ):
                for item in page["Items"]:
                    # The index may lag behind, and lacks most attributes.
                    found = self.get(item["job_id"]["S"])
                    if found and not found.is_final:
                        yield found

    def _move(self, message: JobMessage, status: str, values: Mapping[str, Any]) -> Job | None:
        posted = {
            "job_id": message.job_id,
            "model": message.model,
            "client": message.client,
            "posted_ms": message.posted_ms,
            # For who tells of its end: the sweeper has no message.
            "trace_id": message.trace_id,
            "upstream_request_id": message.upstream_request_id,
        }
        closes_ms = message.posted_ms + self._limits.closes_after * 1000
        keep_until = values.get("finished_ms", closes_ms) // 1000 + self._limits.keep
        if status not in FINAL:
            shard = zlib.crc32(message.job_id.encode()) % OPEN_SHARDS
            posted |= {"open_shard": shard, "closes_ms": closes_ms}
        return self._write(message.job_id, status, {**posted, **values}, keep_until)

    def _write(
        self, job_id: str, status: str, values: Mapping[str, Any], expires_s: int
    ) -> Job | None:
        """Write a state and return None where it may follow; else return the job as it is."""
        known = {name: value for name, value in values.items() if value is not None}
        known |= {"status": status, "expires_at": expires_s}
        before = {f":before{index}": state for index, state in enumerate(predecessors(status))}
        follows = f"#status IN ({', '.join(before)})"
        sets = ", ".join(f"#{name} = :{name}" for name in known)
        names = {f"#{name}": name for name in known}
        removes = " REMOVE open_shard, closes_ms" if status in FINAL else ""
        there = self._table.update(
            {
                "Key": _key(job_id),
                "UpdateExpression": f"SET {sets}{removes}",
                "ConditionExpression": f"attribute_not_exists(pk) OR {follows}",
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": {
                    **before,
                    **{f":{name}": value for name, value in known.items()},
                },
            }
        )
        return _job(there) if there else None


def _key(job_id: str) -> dict[str, str]:
    return {"pk": f"JOB#{job_id}"}


def _job(item: Mapping[str, Any]) -> Job:
    return Job(
        job_id=item["job_id"],
        model=item["model"],
        client=item["client"],
        status=item["status"],
        posted_ms=int(item["posted_ms"]),
        started_ms=_whole(item.get("started_ms")),
        finished_ms=_whole(item.get("finished_ms")),
        outcome=json.loads(item.get("outcome", "{}")),
        callback=item.get("callback"),
        is_told=bool(item.get("is_told", False)),
        same_as=item.get("same_as"),
        expires_s=int(item["expires_at"]),
        trace_id=item.get("trace_id"),
        upstream_request_id=item.get("upstream_request_id"),
    )


def _whole(value: Decimal | None) -> int | None:
    return None if value is None else int(value)
