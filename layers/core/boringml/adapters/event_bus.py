"""Events that others may act upon, on the default EventBridge bus."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from boringml.adapters.current_trace import current_trace
from boringml.errors import BoringError

if TYPE_CHECKING:
    from mypy_boto3_events.client import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

SOURCE = "boringml"


class EventBus:
    """Publishes facts in the past tense, such as ModelPromoted.

    The bus is of the account, so each detail names the stack, and rules ask for their own.
    """

    def __init__(self, client: "EventBridgeClient", stack: str) -> None:
        self._client = client
        self._stack = stack

    def publish(self, detail_type: str, detail: Mapping[str, Any]) -> None:
        """Publish one event. Raises BoringError `event_refused` where the bus does not take it."""
        told = json.dumps({"stack": self._stack, **detail})
        entry: PutEventsRequestEntryTypeDef = {
            "Source": SOURCE,
            "DetailType": detail_type,
            "Detail": told,
        }
        if trace := current_trace():
            entry["TraceHeader"] = trace
        answer = self._client.put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            failed = answer["Entries"][0]
            refused = f"{failed.get('ErrorCode')}: {failed.get('ErrorMessage')}"
            raise BoringError("event_refused", f"{detail_type} was not published: {refused}.", 503)
