"""A queue of job messages: visibility of what is in hand, and what its dead-letter queue holds."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

# "SendMessageBatch, ReceiveMessage, ...": ten a call.
_CALL = 10


class JobQueue:
    """One SQS queue, by its URL."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def hide(self, receipts: Sequence[str], seconds: int) -> None:
        """Keep received messages invisible for so long from now on.

        One that is not there any more, or visible again, is passed by: its receipt is worth
        nothing.
        """
        for start in range(0, len(receipts), _CALL):
            self._client.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
                    for index, receipt in enumerate(receipts[start : start + _CALL])
                ],
            )

    def count(self) -> int:
        """Return about how many messages may be received now."""
        name: QueueAttributeNameType = "ApproximateNumberOfMessages"
        found = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=[name])
        return int(found["Attributes"][name])

    def redrive(self) -> str:
        """Move the messages of this dead-letter queue back to where they came from.

        Returns the task's handle; SQS moves them by itself, at its own rate.
        """
        found = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        started = self._client.start_message_move_task(SourceArn=found["Attributes"]["QueueArn"])
        return started["TaskHandle"]

    def peek(self, seconds: int, most: int) -> Iterator[str]:
        """Yield the bodies of up to `most` messages, which stay on the queue.

        Each is invisible for `seconds` meanwhile, so that none is seen twice.
        """
        seen = 0
        while seen < most:
            found = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=min(_CALL, most - seen),
                VisibilityTimeout=seconds,
            ).get("Messages", [])
            if not found:
                return
            for message in found:
                yield message["Body"]
            seen += len(found)
