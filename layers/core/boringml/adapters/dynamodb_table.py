"""One DynamoDB table in plain Python values.

Reads are consistent, queries return every page, transactions write all or nothing.
"""

import random
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

# The longest waits of all attempts add up to 6 s, half of that on average: a function that
# writes needs a timeout above it.
ATTEMPTS = 14
FIRST_PAUSE_SECONDS = 0.01
LONGEST_PAUSE_SECONDS = 0.64

# What says "try again". (TransactionInProgressException does not: botocore asks again with the
# same token, and an attempt with new values could do the work twice.)
_BUSY_ERRORS = {
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
}
_BUSY_REASONS = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
_FAILED_CONDITION = "ConditionalCheckFailed"

# Text, int, Decimal, and nothing else that a table would change on its way.
Values: TypeAlias = Mapping[str, Any]
# {"Put" | "Update" | "ConditionCheck": the members of the API's request without TableName}.
Action: TypeAlias = Mapping[str, Mapping[str, Any]]
# Name of an action whose condition failed -> the item that was there, or None.
Failures: TypeAlias = dict[str, dict[str, Any] | None]

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


def attempts(pause: Callable[[float], None] = time.sleep) -> Iterator[int]:
    """Yield 0 to ATTEMPTS - 1, with a growing, fully jittered pause before each but the first.

    With full jitter, writers that collided once do not collide again in step
    (AWS Architecture Blog, "Exponential Backoff And Jitter").
    """
    for attempt in range(ATTEMPTS):
        if attempt:
            longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**attempt)
            pause(random.uniform(0, longest))  # noqa: S311 - no secret depends on it
        yield attempt


class DynamoTable:
    """A table with the string keys `pk` and `sk`. Numbers come back as Decimal."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    def get(self, key: Values) -> dict[str, Any] | None:
        """Return an item as the last write left it, or None."""
        found = self._client.get_item(TableName=self._name, Key=_wire(key), ConsistentRead=True)
        return _plain(found["Item"]) if "Item" in found else None

    def query(
        self, partition: str, prefix: str = "", *, newest: int | None = None
    ) -> list[dict[str, Any]]:
        """Return a partition's items in the order of `sk`, those whose `sk` has the prefix.

        With `newest`, only that many from the end, and no more than those are read.
        """
        if newest is not None and newest < 1:
            return []
        condition, values = "pk = :pk", {":pk": partition}
        if prefix:
            condition, values = f"{condition} AND begins_with(sk, :sk)", {**values, ":sk": prefix}
        paginator = self._client.get_paginator("query")
        pages = paginator.paginate(
            TableName=self._name,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=_wire(values),
            ConsistentRead=True,
            ScanIndexForward=newest is None,
            PaginationConfig={} if newest is None else {"MaxItems": newest, "PageSize": newest},
        )
        found = [_plain(item) for page in pages for item in page["Items"]]
        return found if newest is None else found[::-1]

    def put(self, item: Values) -> None:
        """Write an item, whatever was there."""
        self._client.put_item(TableName=self._name, Item=_wire(item))

    def create(self, item: Values) -> dict[str, Any] | None:
        """Write an item where there is none; else return the one that is there."""
        return self._write(lambda wire: self._client.put_item(**wire), created(item)["Put"])

    def replace(
        self, item: Values, condition: str, names: Mapping[str, str], values: Values
    ) -> dict[str, Any] | None:
        """Write an item where `condition` holds for what is there; else return what is there."""
        members = {
            "Item": item,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
        return self._write(lambda wire: self._client.put_item(**wire), members)

    def update(self, members: Values) -> dict[str, Any] | None:
        """Update an item and return None.

        If the condition fails, return what is there instead; {} where there is no item.
        `members` are those of UpdateItem without TableName.
        """
        return self._write(lambda wire: self._client.update_item(**wire), members)

    def commit(self, actions: Mapping[str, Action]) -> Failures | None:
        """Write all actions or none; return None when they are written.

        Else return those whose conditions failed. They may be none: then another transaction or a
        limit was in the way, and the caller may try again.
        Raises ClientError for what trying again cannot mend.
        """
        try:
            self._client.transact_write_items(
                TransactItems=[self._transact_item(action) for action in actions.values()],
                # One token for one set of values: botocore's retry of a lost answer is the same
                # request, which DynamoDB does once. A new attempt has new values and a new token;
                # a token made of the values would let two writers with equal ones both succeed.
                ClientRequestToken=str(uuid.uuid4()),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in _BUSY_ERRORS:
                return {}
            return _failures(error, list(actions))
        return None

    def _write(self, call: Callable[[Any], Any], members: Values) -> dict[str, Any] | None:
        try:
            call(self._to_request(members))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            # The model of the error has the item, that of ClientError does not.
            response: Mapping[str, Any] = error.response
            return _plain(response.get("Item", {}))
        return None

    def _transact_item(self, action: Action) -> Any:
        return {operation: self._to_request(members) for operation, members in action.items()}

    def _to_request(self, members: Values) -> Any:
        request = {
            name: _wire(value) if name in ("Item", "Key", "ExpressionAttributeValues") else value
            for name, value in members.items()
        }
        return {
            **request,
            "TableName": self._name,
            # What stood in the way comes with the refusal: no second read, which could see later.
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }


def created(item: Values) -> Action:
    """Return the action that writes an item which nobody may have written before."""
    return {"Put": {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}


def required(key: Values) -> Action:
    """Return the action that writes nothing and fails where there is no such item."""
    return {"ConditionCheck": {"Key": key, "ConditionExpression": "attribute_exists(pk)"}}


def _failures(error: ClientError, names: list[str]) -> Failures:
    response: Mapping[str, Any] = error.response
    reasons = response.get("CancellationReasons", [])
    codes = {reason["Code"] for reason in reasons} - {"None"}
    if not codes or codes - _BUSY_REASONS - {_FAILED_CONDITION}:
        raise error
    return {
        name: _plain(reason["Item"]) if reason.get("Item") else None
        for name, reason in zip(names, reasons, strict=True)
        if reason["Code"] == _FAILED_CONDITION
    }


def _wire(values: Values) -> dict[str, Any]:
    return {name: _serialize(value) for name, value in values.items()}


def _plain(values: Values) -> dict[str, Any]:
    return {name: _deserialize(value) for name, value in values.items()}
