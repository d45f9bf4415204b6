"""A change of the registry: its items and its event, all or nothing, in the order of a model."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from boringml.adapters.dynamodb_table import Action, DynamoTable, Failures, attempts, created
from boringml.adapters.registry_releases import RegistryReleases
from boringml.adapters.registry_runs import Clock
from boringml.registry import items, refusals, transitions
from boringml.registry.records import HistoryEvent, ModelState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


def utc_now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


class RegistryChanges(RegistryReleases):
    """The part of the registry that writes history: every change passes through it.

    `client` is a boto3 DynamoDB client, `clock` returns an aware datetime, `pause` waits a number
    of seconds before an attempt that collided with another writer.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        clock: Clock = utc_now,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(DynamoTable(client, table), clock)
        self._pause = pause

    def _states(self, model: str) -> Iterator[ModelState]:
        """Yield the model's counters, read again for each attempt at a change."""
        transitions.check_model(model)
        for _ in attempts(self._pause):
            yield items.state_of(self._table.get(items.state_key(model)))

    def _record(
        self, model: str, event_after: Callable[[ModelState], HistoryEvent]
    ) -> HistoryEvent:
        for state in self._states(model):
            event = event_after(state)
            if self._change(state, event) is None:
                return event
        raise refusals.registry_busy(model)

    def _change(self, state: ModelState, event: HistoryEvent, **actions: Action) -> Failures | None:
        """Write `actions`, the event and the new counters, unless another change came between."""
        counters = _count(event.model, state, transitions.after(state, event))
        recorded = created(items.event_item(event))
        return self._table.commit({**actions, "event": recorded, "state": counters})


def held(model: str, holder: str) -> Action:
    """Return the action that writes nothing, and fails where the lock is not the holder's."""
    return {
        "ConditionCheck": {
            "Key": items.lock_key(model),
            "ConditionExpression": "#holder = :holder",
            "ExpressionAttributeNames": {"#holder": "holder"},
            "ExpressionAttributeValues": {":holder": holder},
        }
    }


def _count(model: str, before: ModelState, now: ModelState) -> Action:
    """Write the counters, if they are still those that the change was made from."""
    put: dict[str, Any] = {"Item": items.state_item(model, now)}
    if before.last_event == 0:
        return created(put["Item"])
    put["ConditionExpression"] = "last_event = :before"
    put["ExpressionAttributeValues"] = {":before": before.last_event}
    return {"Put": put}
