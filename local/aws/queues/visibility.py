"""How long a message can be hidden.

On AWS ChangeMessageVisibility takes 0 to 43,200 s, and refuses what would hide a message for more
than 12 h in all since it was received ("ChangeMessageVisibility", SQS API Reference). It says so as
InvalidParameterValue.
MiniStack 1.5.33 takes any number.
Seams: sqs._HANDLERS; _collect_msgs; _Err, _get_q.
"""

import time
from typing import Any

from ministack.services import sqs

from local.aws.seams import seam

LIMIT = 43_200
OPERATION = "ChangeMessageVisibility"


def install() -> None:
    """Refuse to hide messages for longer than AWS does."""
    handlers = seam(sqs, "_HANDLERS")
    change = seam(handlers, OPERATION)
    collect = seam(sqs, "_collect_msgs")
    for name in ("_Err", "_get_q"):
        seam(sqs, name)

    def collect_with_time(queue: dict[str, Any], *limits: Any) -> Any:
        received = collect(queue, *limits)
        for message in received:
            message["received_at"] = time.time()
        return received

    def change_within_limit(data: dict[str, Any], url: str) -> Any:
        seconds = int(data.get("VisibilityTimeout", -1))
        if not 0 <= seconds <= LIMIT:
            raise _refused(f"Value {seconds} for parameter VisibilityTimeout is invalid.")
        queue = sqs._get_q(data.get("QueueUrl", url), f"sqs:{OPERATION}")
        for message in queue["messages"]:
            if message["receipt_handle"] == data.get("ReceiptHandle"):
                hidden = time.time() - message.get("received_at", time.time())
                if hidden + seconds > LIMIT:
                    raise _refused(
                        "Total VisibilityTimeout for the message is beyond the limit "
                        f"[{LIMIT} seconds]"
                    )
        return change(data, url)

    sqs._collect_msgs = collect_with_time
    handlers[OPERATION] = change_within_limit


def _refused(message: str) -> Exception:
    error: Exception = sqs._Err("InvalidParameterValue", message)
    return error
