"""Queues under threads.

On AWS a message that was sent is in the queue, whoever receives or deletes others at that moment.
MiniStack 1.5.33 answers requests on one thread and lets event source mappings receive and delete on
others, and only these take the lock. Who deletes builds a new list of what stays and puts it in
place of the old one: where a client and a mapping do so at once on one queue, messages that were
sent in between are gone, and deleted ones come back.
Seams: sqs._queues_lock, _HANDLERS, _expire_retained, _dlq_sweep, _collect_msgs, _refresh_counts.
"""

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any

from ministack.services import sqs

from local.aws.seams import seam

# ReceiveMessage waits for messages between its steps, so its steps are locked, and not itself.
STEPS = ("_expire_retained", "_dlq_sweep", "_collect_msgs", "_refresh_counts")


def install() -> None:
    """Take the lock for all that reads or changes a queue's messages."""
    seam(sqs, "_queues_lock")
    # Steps run inside locked operations, too.
    sqs._queues_lock = threading.RLock()
    for name in STEPS:
        setattr(sqs, name, _locked(seam(sqs, name)))
    handlers = seam(sqs, "_HANDLERS")
    for action, operation in list(handlers.items()):
        if not inspect.iscoroutinefunction(operation):
            handlers[action] = _locked(operation)


def _locked(operation: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(operation)
    def locked(*args: Any, **options: Any) -> Any:
        with sqs._queues_lock:
            return operation(*args, **options)

    return locked
