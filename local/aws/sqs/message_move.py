"""Redrive: moving messages from a dead-letter queue back to where they came from.

AWS moves all messages of a dead-letter queue to the queue that they came from, or to a named one,
at up to a given rate; each is a new message there, with a new id, time and receive count
(StartMessageMoveTask, ListMessageMoveTasks, CancelMessageMoveTask).
MiniStack 1.5.33 knows none of it. Here a task moves all that is visible at once, so it is completed
before it is answered and there is none to cancel; a rate is taken and changes nothing.
Seams: sqs._HANDLERS, _queue_by_arn, _queues_lock, _queues.
"""

import json
import time
import uuid
from typing import Any

from ministack.services import sqs

from local.aws.seams import seam

# "ListMessageMoveTasks": at most 10.
KEPT = 10
_tasks: dict[str, list[dict[str, Any]]] = {}


def install() -> None:
    """Answer the calls of redrive."""
    handlers = seam(sqs, "_HANDLERS")
    for name in ("_queue_by_arn", "_queues_lock", "_queues", "_Err"):
        seam(sqs, name)
    if "StartMessageMoveTask" in handlers:
        raise RuntimeError("MiniStack knows StartMessageMoveTask: remove this extension")
    handlers["StartMessageMoveTask"] = start
    handlers["ListMessageMoveTasks"] = listed


def start(data: dict[str, Any], _url: str) -> dict[str, Any]:
    """Move what is visible, and return the task's handle."""
    source_arn = str(data.get("SourceArn"))
    source = sqs._queue_by_arn(source_arn)
    if source is None:
        raise sqs._Err("ResourceNotFoundException", "The resource does not exist.", 404)
    feeders = [
        queue for queue in list(sqs._queues._data.values()) if _dead_letters_of(queue) == source_arn
    ]
    if not feeders:
        told = "Source queue must be configured as a Dead Letter Queue."
        raise sqs._Err("InvalidParameterValue", told, 400)
    named = data.get("DestinationArn")
    target = sqs._queue_by_arn(str(named)) if named else None
    if named and target is None:
        raise sqs._Err("ResourceNotFoundException", "The resource does not exist.", 404)
    now = time.time()
    kept, moved = [], 0
    with sqs._queues_lock:
        for message in source["messages"]:
            to = target or _origin(message)
            if message["visible_at"] > now or to is None:
                kept.append(message)
                continue
            fresh = {
                **message,
                "id": str(uuid.uuid4()),
                "sent_at": now,
                "enqueued_at": now,
                "visible_at": now,
                "receive_count": 0,
                "receipt_handle": None,
                "first_receive_at": None,
                "sys": {
                    name: value
                    for name, value in message.get("sys", {}).items()
                    if name != "DeadLetterQueueSourceArn"
                },
            }
            to["messages"].append(fresh)
            moved += 1
        source["messages"] = kept
    sqs.esm_wake.set()
    task = {
        "TaskHandle": uuid.uuid4().hex,
        "Status": "COMPLETED",
        "SourceArn": source_arn,
        "ApproximateNumberOfMessagesMoved": moved,
        "ApproximateNumberOfMessagesToMove": moved,
        "StartedTimestamp": int(now * 1000),
        **({"DestinationArn": named} if named else {}),
    }
    _tasks[source_arn] = [task, *_tasks.get(source_arn, [])][:KEPT]
    return {"TaskHandle": task["TaskHandle"]}


def listed(data: dict[str, Any], _url: str) -> dict[str, Any]:
    """Return the newest tasks of a dead-letter queue."""
    most = int(data.get("MaxResults") or 1)
    # A handle is given for running tasks alone.
    return {
        "Results": [
            {name: value for name, value in task.items() if name != "TaskHandle"}
            for task in _tasks.get(str(data.get("SourceArn")), [])[:most]
        ]
    }


def _dead_letters_of(queue: dict[str, Any]) -> str | None:
    policy = json.loads(queue["attributes"].get("RedrivePolicy") or "{}")
    found: str | None = policy.get("deadLetterTargetArn") if isinstance(policy, dict) else None
    return found


def _origin(message: dict[str, Any]) -> dict[str, Any] | None:
    """Return the queue that a message came from; None where it was sent to the dead ones."""
    arn = message.get("sys", {}).get("DeadLetterQueueSourceArn")
    return sqs._queue_by_arn(arn) if arn else None
