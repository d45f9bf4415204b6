"""The outcomes that were counted already, in DynamoDB."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

# Longer than a dead event may wait in its queue to be sent once more.
KEPT_SECONDS = 15 * 24 * 3600


class OutcomesTable:
    """One item for each outcome of each request, which expires."""

    def __init__(
        self, client: "DynamoDBClient", name: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._name = name
        self._clock = clock

    def claim(self, outcome: str, by: str) -> bool:
        """Return whether `by` is the one to count an outcome: the first, each time it asks.

        EventBridge delivers an event once or more. `by` is the invocation: Lambda repeats one that
        failed under the same id, and then it has to be counted.
        """
        try:
            self._client.put_item(
                TableName=self._name,
                Item={
                    "outcome": {"S": outcome},
                    "claimed_by": {"S": by},
                    "expires_at": {"N": str(int(self._clock()) + KEPT_SECONDS)},
                },
                ConditionExpression="attribute_not_exists(outcome) OR claimed_by = :by",
                ExpressionAttributeValues={":by": {"S": by}},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True
