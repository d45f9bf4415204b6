"""Deliver callbacks of the queue: each message is one attempt, put off until the next one."""

import json
import os
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3

from boringml.adapters import callback_http
from boringml.adapters.callback_endpoints import CallbackEndpoints
from boringml.adapters.callback_queue import CallbackQueue, DeadCallbackQueue
from boringml.adapters.callback_secrets import CallbackSecrets
from boringml.errors import BoringError
from boringml.jobs import callback_message
from boringml.jobs.deliver_callback import (
    DEAD,
    DELIVERED,
    RETRIED,
    CallbackDeliverer,
    Outcome,
    circuit_scale,
)
from boringml.settings import load


@dataclass(frozen=True)
class Settings:
    callback_endpoints_table: str
    callback_queue_url: str
    callback_dead_queue_url: str
    callback_hour_seconds: float
    # True on the local AWS alone: http to this machine.
    callback_loopback: bool


def _now() -> datetime:
    return datetime.now(UTC)


@cache
def _adapters() -> tuple[CallbackDeliverer, CallbackQueue, DeadCallbackQueue]:
    settings = load(Settings, os.environ)
    sqs, hour = boto3.client("sqs"), settings.callback_hour_seconds
    deliverer = CallbackDeliverer(
        CallbackEndpoints(
            boto3.client("dynamodb"),
            settings.callback_endpoints_table,
            scale=circuit_scale(hour),
        ),
        CallbackSecrets(boto3.client("secretsmanager")).get,
        callback_http.resolve,
        callback_http.post,
        _now,
        loopback=settings.callback_loopback,
        hour_seconds=hour,
    )
    return (
        deliverer,
        CallbackQueue(sqs, settings.callback_queue_url),
        DeadCallbackQueue(sqs, settings.callback_dead_queue_url),
    )


def _deliver(record: Mapping[str, Any]) -> bool:
    """Return whether the message is done with: delivered, or buried."""
    deliverer, queue, dead = _adapters()
    attempt = int(record["attributes"]["ApproximateReceiveCount"])
    told: dict[str, Any] = {"attempt": attempt}
    try:
        message = callback_message.parse(record["body"])
        told |= {"id": message.id, "client": message.client, "endpoint": message.endpoint}
        told |= message.origin()
        outcome = deliverer.deliver(message, attempt)
    except BoringError as error:
        outcome = Outcome(DEAD, error.code)
    if outcome.kind == RETRIED:
        queue.put_off(record["receiptHandle"], outcome.wait_seconds)
    elif outcome.kind == DEAD:
        dead.bury(record["body"], outcome.code)
    _log(outcome, told)
    return outcome.kind != RETRIED


def _deliver_or_leave(record: Mapping[str, Any]) -> bool | None:
    """Return whether the message is done with; None where a failure of our own left it."""
    try:
        return _deliver(record)
    except Exception as error:  # noqa: BLE001 - one message must not take its batch along
        # It is left hidden for the queue's own timeout, and counts as an attempt.
        _log(Outcome("failed", "internal_error"), {"error": f"{type(error).__name__}: {error}"})
        return None


def _log(outcome: Outcome, told: Mapping[str, Any]) -> None:
    line = {
        "level": "INFO" if outcome.kind in (DELIVERED, RETRIED) else "ERROR",
        "timestamp": _now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "step": "deliver_callback",
        "outcome": outcome.kind,
        "code": outcome.code,
        "status": outcome.status,
        "wait_seconds": outcome.wait_seconds,
        **told,
        **outcome.details,
    }
    sys.stdout.write(json.dumps(line, default=str) + "\n")


def handler(event: Mapping[str, Any], _context: Any) -> dict[str, Any]:
    """Return {"batchItemFailures"}: the messages that stay in the queue for another attempt."""
    records = event["Records"]
    _adapters()
    with ThreadPoolExecutor(max_workers=len(records)) as pool:
        done = list(pool.map(_deliver_or_leave, records))
    if all(is_done is None for is_done in done):
        # Whatever it is, it is not the receivers: this way an alarm hears of it.
        raise RuntimeError("no message of the batch could be handled: see internal_error")
    left = [
        record["messageId"] for record, is_done in zip(records, done, strict=True) if not is_done
    ]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in left]}
