"""Records as items of the table, and back: keys, times as text, numbers as Decimal.

An item here is a plain mapping; the adapter puts it into DynamoDB's wire format.
Metrics and reasons are stored as JSON text: exact for every float (a DynamoDB number has 38
digits and a narrower range), ints stay ints, and nothing needs to filter by them. Money is a
number, so that an export can be summed.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from boringml.registry.records import (
    Approval,
    Canary,
    Decision,
    HistoryEvent,
    ModelState,
    ModelVersion,
    ReleaseLock,
    Route,
    RunClaim,
)

Item: TypeAlias = Mapping[str, Any]
Key: TypeAlias = dict[str, str]

DIRECTORY = "MODELS"
VERSION, EVENT, RUN = "VERSION#", "EVENT#", "RUN#"


def partition(model: str) -> str:
    """The partition key of everything that belongs to a model."""
    return f"MODEL#{model}"


def state_key(model: str) -> Key:
    """The counters: the item that every change passes through, so that changes queue up."""
    return {"pk": partition(model), "sk": "META"}


def version_key(model: str, number: int) -> Key:
    """Zero-padded, so that a query returns versions in their order."""
    return {"pk": partition(model), "sk": f"{VERSION}{number:06d}"}


def package_key(model: str, digest: str) -> Key:
    """Which version a package became: what makes registering it again harmless."""
    return {"pk": partition(model), "sk": f"PACKAGE#{digest}"}


def alias_key(model: str, alias: str) -> Key:
    """The last move of an alias."""
    return {"pk": partition(model), "sk": f"ALIAS#{alias}"}


def event_key(model: str, sequence: int) -> Key:
    """Zero-padded, so that a query returns the history in its order."""
    return {"pk": partition(model), "sk": f"{EVENT}{sequence:09d}"}


def run_key(model: str, trigger_id: str) -> Key:
    """The claim of one trigger."""
    return {"pk": partition(model), "sk": f"{RUN}{trigger_id}"}


def lock_key(model: str) -> Key:
    """Who may move a model's traffic. Without `holder` it is free."""
    return {"pk": partition(model), "sk": "LOCK#release"}


def approval_key(model: str) -> Key:
    """The release that waits for a person. Without `token` none does."""
    return {"pk": partition(model), "sk": "APPROVAL#release"}


def directory_key(model: str) -> Key:
    """One small partition names all models: nothing ever scans the table."""
    return {"pk": DIRECTORY, "sk": model}


def to_text(at: datetime) -> str:
    """Return UTC with microseconds, of one width: text order is time order."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_text(text: str) -> datetime:
    """Return what `to_text` was given, in UTC."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


def state_of(item: Item | None) -> ModelState:
    """Return the counters of a model; those of a new one where there is no item."""
    if not item:
        return ModelState()
    return ModelState(**_members(ModelState, item))


def state_item(model: str, state: ModelState) -> dict[str, Any]:
    """Return the item of a model's counters."""
    return state_key(model) | _attributes(state)


def version_item(version: ModelVersion) -> dict[str, Any]:
    """Return the item of a version."""
    return version_key(version.model, version.number) | _attributes(version)


def version_of(item: Item) -> ModelVersion:
    """Return the version of an item."""
    return ModelVersion(**_members(ModelVersion, item))


def event_item(event: HistoryEvent) -> dict[str, Any]:
    """Return the item of a history event."""
    return event_key(event.model, event.sequence) | _attributes(event)


def event_of(item: Item) -> HistoryEvent:
    """Return the history event of an item."""
    members = _members(HistoryEvent, item)
    return HistoryEvent(**{**members, "details": members["details"] or {}})


def alias_item(event: HistoryEvent) -> dict[str, Any]:
    """Return the item of an alias: its last move. `to_version` is absent where it has no target."""
    return alias_key(event.model, str(event.alias)) | _attributes(event)


def target_of(item: Item | None) -> int | None:
    """Return the version that an alias points at."""
    return int(item["to_version"]) if item and "to_version" in item else None


def route_details(route: Route) -> dict[str, Any]:
    """Return how an event says where an alias sends requests, beside its `to_version`."""
    canary = asdict(route.canary) if route.canary else None
    return {"function_version": route.function_version, "canary": canary}


def route_of(event: HistoryEvent) -> Route:
    """Return where an alias sends requests after an event that moved or split it."""
    canary = event.details.get("canary")
    return Route(
        version=event.to_version,
        function_version=event.details.get("function_version"),
        canary=Canary(**canary) if canary else None,
    )


def decision_of(item: Item | None) -> Decision:
    """Return what was decided last of where live sends its requests."""
    event = event_of(item) if item else None
    return Decision(
        route=route_of(event) if event else Route(),
        event=event,
        applied=bool(item and item.get("applied")),
    )


def applied_item(decided: HistoryEvent) -> dict[str, Any]:
    """Return the item of alias live once Lambda does as `decided` says. The next move takes the
    mark away."""
    return alias_item(decided) | {"applied": True}


def lock_of(item: Item | None) -> ReleaseLock | None:
    """Return who holds a lock, or None where nobody does."""
    return ReleaseLock(**_members(ReleaseLock, item)) if item and "holder" in item else None


def lock_item(lock: ReleaseLock) -> dict[str, Any]:
    """Return the item of a lock that is held."""
    return lock_key(lock.model) | _attributes(lock)


def approval_of(item: Item | None) -> Approval | None:
    """Return the release that waits for a person, or None."""
    return Approval(**_members(Approval, item)) if item and "token" in item else None


def approval_item(approval: Approval) -> dict[str, Any]:
    """Return the item of a release that waits."""
    return approval_key(approval.model) | _attributes(approval)


def run_item(claim: RunClaim) -> dict[str, Any]:
    """Return the item of a claim."""
    return run_key(claim.model, claim.trigger_id) | _attributes(claim)


def run_of(item: Item) -> RunClaim:
    """Return the claim of an item."""
    return RunClaim(**_members(RunClaim, item))


_JSON = {"details", "metrics", "reason"}
_MONEY = {"cost_usd"}
_TIMES = {
    "asked_at",
    "at",
    "claimed_at",
    "finished_at",
    "last_at",
    "registered_at",
    "taken_at",
}


def to_attribute(name: str, value: Any) -> Any:
    """Return a member of a record as the table holds it. Absent members are not stored."""
    if name in _JSON:
        return json.dumps(value, sort_keys=True, allow_nan=False)
    if name in _MONEY:
        return Decimal(repr(float(value)))
    return to_text(value) if name in _TIMES else value


def _attributes(record: Any) -> dict[str, Any]:
    present = {field.name: getattr(record, field.name) for field in fields(record)}
    return {name: to_attribute(name, value) for name, value in present.items() if value is not None}


def _members(kind: Any, item: Item) -> dict[str, Any]:
    return {field.name: _from_attribute(field.name, item.get(field.name)) for field in fields(kind)}


def _from_attribute(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _JSON:
        return json.loads(value)
    if name in _MONEY:
        return float(value)
    if name in _TIMES:
        return from_text(value)
    return int(value) if isinstance(value, Decimal) else value
