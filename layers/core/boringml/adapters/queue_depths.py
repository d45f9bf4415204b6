"""How many messages wait in queues."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from boringml.monitoring.page.document import Count

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient


class QueueDepths:
    """Counts, about right as SQS says, of messages that nobody took yet."""

    def __init__(self, client: "SQSClient", queues: Mapping[str, str]) -> None:
        """`queues` is {name: URL}."""
        self._client = client
        self._queues = queues

    def counts(self) -> tuple[Count, ...]:
        """Return the count of each queue."""
        return tuple(Count(name, self._depth(url)) for name, url in self._queues.items())

    def _depth(self, url: str) -> int:
        answer = self._client.get_queue_attributes(
            QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])
