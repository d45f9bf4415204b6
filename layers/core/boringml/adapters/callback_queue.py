"""The queues of callbacks: those to deliver, and those that were given up."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from boringml.jobs.callback_message import CallbackMessage
from boringml.jobs.client import client_of
from boringml.serving.trace_id import header_of

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

# Dead callbacks that a reader looks at are hidden from other readers for so long.
READ_SECONDS = 60
_BATCH = 10


@dataclass(frozen=True)
class DeadCallback:
    """A callback that was given up: its text, why, and the handle that removes it."""

    text: str
    code: str
    receipt: str
    sent_at: str


class CallbackQueue:
    """Sends callbacks and puts attempts off."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def send(self, message: CallbackMessage) -> None:
        """Queue a callback. Raises BoringError `callback_malformed` or `callback_too_large`.

        Its group is its endpoint: a fair queue delivers those of quiet endpoints first when one
        takes more than its share ("Amazon SQS fair queues", SQS Developer Guide).
        """
        trace = header_of(message.trace_id)
        group = f"{client_of(message.client)}/{message.endpoint}".encode()
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=message.text(),
            MessageGroupId=hashlib.sha256(group).hexdigest()[:32],
            # Else X-Ray would link it to whichever job of its worker's batch came first.
            MessageSystemAttributes=(
                {"AWSTraceHeader": {"DataType": "String", "StringValue": trace}} if trace else {}
            ),
        )

    def put_off(self, receipt: str, seconds: int) -> None:
        """Hide a message that was received for so many seconds, at most 43,200 in all."""
        self._client.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=seconds
        )


class DeadCallbackQueue:
    """Keeps callbacks that were given up, with the code of the reason."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def bury(self, text: str, code: str) -> None:
        """Keep a callback's text as it came."""
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=text,
            MessageAttributes={"code": {"DataType": "String", "StringValue": code}},
        )

    def read(self) -> Iterator[DeadCallback]:
        """Yield each callback once, hidden from others for READ_SECONDS: release or delete it."""
        while True:
            found = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=_BATCH,
                VisibilityTimeout=READ_SECONDS,
                # Long polling asks all of the queue's servers.
                WaitTimeSeconds=1,
                MessageAttributeNames=["code"],
                MessageSystemAttributeNames=["SentTimestamp"],
            ).get("Messages", [])
            if not found:
                return
            yield from map(_dead, found)

    def release(self, dead: DeadCallback) -> None:
        """Let others see it again."""
        self._client.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=dead.receipt, VisibilityTimeout=0
        )

    def delete(self, dead: DeadCallback) -> None:
        """Forget it."""
        self._client.delete_message(QueueUrl=self._url, ReceiptHandle=dead.receipt)


def _dead(message: Any) -> DeadCallback:
    attributes = message.get("MessageAttributes", {})
    # What SQS itself moved here was received too often: the function died each time.
    code = attributes.get("code", {}).get("StringValue", "received_too_often")
    sent_at = message.get("Attributes", {}).get("SentTimestamp", "0")
    return DeadCallback(message["Body"], code, message["ReceiptHandle"], sent_at)
