"""Callback endpoints and their circuits, in a table of their own.

pk is CLIENT#<client>; sk is ENDPOINT#<name>, and CIRCUIT#<name> for what deliveries write.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from boringml.adapters.dynamodb_table import DynamoTable
from boringml.errors import BoringError
from boringml.jobs import callback_circuit
from boringml.jobs.callback_circuit import Circuit
from boringml.jobs.callback_endpoint import Endpoint, check_name, not_found
from boringml.jobs.client import client_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

_ENDPOINT, _CIRCUIT = "ENDPOINT#", "CIRCUIT#"


class CallbackEndpoints:
    """Registers and finds endpoints. A client is an ARN; a role's sessions are one client.

    `scale` shortens the pauses of circuits on the local AWS.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        scale: float = 1.0,
    ) -> None:
        self._client = client
        self._name = table
        self._table = DynamoTable(client, table)
        self._clock = clock
        self._scale = scale

    def get(self, client_id: str, name: str) -> Endpoint | None:
        """Return an endpoint of a client, or None."""
        found = self._table.get(_key(client_id, _ENDPOINT, name))
        return _endpoint(found) if found else None

    def add(self, client_id: str, name: str, url: str, secret_arn: str) -> Endpoint:
        """Return a new, enabled endpoint.

        Raises BoringError `callback_name_invalid`, or `callback_exists` for a name in use.
        """
        check_name(name)
        item = {
            **_key(client_id, _ENDPOINT, name),
            "url": url,
            "secret_arn": secret_arn,
            "enabled": True,
            "created_at": self._clock().isoformat(),
        }
        if self._table.create(item) is not None:
            told = f"{client_of(client_id)} has an endpoint {name!r}: choose another name."
            raise BoringError("callback_exists", told, 409)
        return _endpoint(item)

    def list(self) -> list[Endpoint]:
        """Return all endpoints, by client and name. Reads the whole table: for operators."""
        pages = self._client.get_paginator("scan").paginate(TableName=self._name)
        keys = sorted(
            (item["pk"]["S"], item["sk"]["S"])
            for page in pages
            for item in page["Items"]
            if item["sk"]["S"].startswith(_ENDPOINT)
        )
        found = (self._table.get({"pk": pk, "sk": sk}) for pk, sk in keys)
        return [_endpoint(item) for item in found if item]

    def enable(self, client_id: str, name: str) -> Endpoint:
        """Return the endpoint, enabled, its circuit closed. Raises `callback_not_found`."""
        endpoint = self._set(client_id, name, enabled=True, reason=None)
        self.succeeded(endpoint)
        return endpoint

    def disable(self, client_id: str, name: str, reason: str) -> Endpoint:
        """Return the endpoint, disabled for a reason. Raises `callback_not_found`."""
        return self._set(client_id, name, enabled=False, reason=reason)

    def circuit(self, endpoint: Endpoint) -> Circuit:
        """Return an endpoint's circuit; one that nothing failed in is closed."""
        found = self._table.get(_key(endpoint.client, _CIRCUIT, endpoint.name)) or {}
        until = found.get("open_until")
        return Circuit(
            int(found.get("failures", 0)), datetime.fromisoformat(until) if until else None
        )

    def claim_probe(self, endpoint: Endpoint, seen: Circuit, now: datetime) -> bool:
        """Return whether this caller makes the one call that an open circuit lets through."""
        if seen.open_until is None:
            return True
        until = now + timedelta(seconds=callback_circuit.PROBE_SECONDS)
        found = self._table.update(
            {
                "Key": _key(endpoint.client, _CIRCUIT, endpoint.name),
                "UpdateExpression": "SET open_until = :until",
                "ConditionExpression": "open_until = :seen",
                "ExpressionAttributeValues": {
                    ":until": until.isoformat(),
                    ":seen": seen.open_until.isoformat(),
                },
            }
        )
        return found is None

    def succeeded(self, endpoint: Endpoint) -> None:
        """Close the circuit; nothing is written where it is closed and clean."""
        if self.circuit(endpoint) != Circuit():
            self._table.put(_key(endpoint.client, _CIRCUIT, endpoint.name))

    def failed(self, endpoint: Endpoint, now: datetime) -> None:
        """Count a failed call, and open the circuit where that is due."""
        key = _key(endpoint.client, _CIRCUIT, endpoint.name)
        # Counted by the table: calls fail at once, and each must count.
        counted = self._client.update_item(
            TableName=self._name,
            Key={name: {"S": value} for name, value in key.items()},
            UpdateExpression="ADD failures :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
            ReturnValues="UPDATED_NEW",
        )
        failures = int(Decimal(counted["Attributes"]["failures"]["N"]))
        pause = callback_circuit.pause(failures, scale=self._scale)
        if pause is None:
            return
        self._table.update(
            {
                "Key": key,
                "UpdateExpression": "SET open_until = :until",
                "ExpressionAttributeValues": {":until": (now + pause).isoformat()},
            }
        )

    def _set(self, client_id: str, name: str, *, enabled: bool, reason: str | None) -> Endpoint:
        at = None if enabled else self._clock().isoformat()
        found = self._table.update(
            {
                "Key": _key(client_id, _ENDPOINT, name),
                "UpdateExpression": "SET enabled = :enabled, reason = :reason, disabled_at = :at",
                "ConditionExpression": "attribute_exists(pk)",
                "ExpressionAttributeValues": {":enabled": enabled, ":reason": reason, ":at": at},
            }
        )
        endpoint = self.get(client_id, name)
        if found is not None or endpoint is None:
            raise not_found(client_of(client_id), name)
        return endpoint


def _key(client_id: str, kind: str, name: str) -> dict[str, str]:
    return {"pk": f"CLIENT#{client_of(client_id)}", "sk": f"{kind}{name}"}


def _endpoint(item: dict[str, Any]) -> Endpoint:
    at = item.get("disabled_at")
    return Endpoint(
        client=item["pk"].removeprefix("CLIENT#"),
        name=item["sk"].removeprefix(_ENDPOINT),
        url=item["url"],
        secret_arn=item["secret_arn"],
        enabled=bool(item["enabled"]),
        created_at=datetime.fromisoformat(item["created_at"]),
        reason=item.get("reason"),
        disabled_at=datetime.fromisoformat(at) if at else None,
    )
