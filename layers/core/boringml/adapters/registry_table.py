"""The registry in one DynamoDB table: docs/flows/registry.md tells its items and promises."""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from boringml.adapters.dynamodb_table import (
    Action,
    DynamoTable,
    Failures,
    attempts,
    created,
    required,
)
from boringml.adapters.registry_releases import RegistryReleases
from boringml.adapters.registry_runs import Clock
from boringml.registry import history, items, refusals, transitions
from boringml.registry.records import (
    LIVE,
    HistoryEvent,
    ModelState,
    ModelVersion,
    NewVersion,
    Route,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


def utc_now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


class RegistryTable(RegistryReleases):
    """Versions, aliases, history, releases and runs of all models.

    `client` is a boto3 DynamoDB client, `clock` returns an aware datetime, `pause` waits a number
    of seconds before an attempt that collided with another writer.
    Every read is consistent: what one call wrote, the next one sees.
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

    def register_version(self, candidate: NewVersion, *, by: str, why: str) -> ModelVersion:
        """Return the version that `candidate` became, numbered without gaps.

        A package that is registered already, told by its digest, is returned as it was then, and
        nothing is written. Raises BoringError `model_name_invalid`, `candidate_invalid`,
        `audit_missing` or `registry_busy`.
        """
        transitions.check_candidate(candidate)
        transitions.check_audit(by, why)
        model = candidate.model
        for state in self._states(model):
            if state.last_event == 0:
                self._make_known(model)
            now = self._clock()
            version, event = transitions.register(state, candidate, now=now, by=by, why=why)
            package = items.package_key(model, candidate.package_digest)
            failures = self._change(
                state,
                event,
                package=created(package | {"number": version.number}),
                version=created(items.version_item(version)),
            )
            if failures is None:
                return version
            if known := failures.get("package"):
                return self.version(model, int(known["number"]))
        raise refusals.registry_busy(model)

    def version(self, model: str, number: int) -> ModelVersion:
        """Return one version. Raises BoringError `version_not_found` (404)."""
        item = self._table.get(items.version_key(model, number))
        if item is None:
            raise refusals.version_not_found(model, number)
        return items.version_of(item)

    def versions(self, model: str) -> list[ModelVersion]:
        """Return all versions of a model, in the order of their numbers."""
        found = self._table.query(items.partition(model), items.VERSION)
        return [items.version_of(item) for item in found]

    def alias(self, model: str, name: str) -> int | None:
        """Return the version that an alias points at, or None. Raises `alias_unknown`."""
        transitions.check_alias(name)
        return items.target_of(self._table.get(items.alias_key(model, name)))

    def move_alias(
        self, model: str, name: str, *, to: int | None, expected: int | None, by: str, why: str
    ) -> HistoryEvent:
        """Point an alias from `expected` to `to` (None: at nothing) and return the event.

        Of several callers with the same `expected`, one moves it. The others get BoringError
        `alias_moved` (409) with `current`, `moved_by` and `moved_at`, and nothing is written. A
        caller that did move it, but lost the answer, knows itself by `moved_by`.

        `to` equal to `expected` writes nothing: the event that put the alias there is returned.

        Raises BoringError `alias_unknown`, `audit_missing`, `version_not_found`, `alias_moved`,
        `alias_never_set` (None to None before any move) or `registry_busy`.
        """
        transitions.check_alias(name)
        transitions.check_audit(by, why)
        if to == expected:
            return self._unmoved(model, name, expected)
        for state in self._states(model):
            event = transitions.move(
                state,
                model=model,
                alias=name,
                to=to,
                expected=expected,
                now=self._clock(),
                by=by,
                why=why,
            )
            target = {} if to is None else {"version": required(items.version_key(model, to))}
            failures = self._change(state, event, alias=_point(event), **target)
            if failures is None:
                return event
            if "alias" in failures:
                last = failures["alias"] or {}
                current = items.target_of(last)
                raise refusals.alias_moved(model, name, expected, current, last)
            if "version" in failures and to is not None:
                raise refusals.version_not_found(model, to)
        raise refusals.registry_busy(model)

    def route(self, model: str) -> Route:
        """Return where live sends its requests, as decided: Lambda follows."""
        item = self._table.get(items.alias_key(model, LIVE))
        return items.route_of(items.event_of(item)) if item else Route()

    def send_traffic(
        self,
        model: str,
        to: Route,
        *,
        expected: Route,
        holder: str,
        by: str,
        why: str,
        details: Mapping[str, Any] = MappingProxyType({}),
    ) -> HistoryEvent:
        """Decide that live sends its requests as `to` says; return the event that says so.

        Only the execution `holder` that has the model's lock may do so, in the same transaction.
        Where live is as `to` says already, nothing is written and its last event is returned.

        Raises BoringError `release_lock_lost` (423), `alias_moved` (409), `version_not_found`,
        `audit_missing` or `registry_busy`.
        """
        transitions.check_audit(by, why)
        for state in self._states(model):
            item = self._table.get(items.alias_key(model, LIVE))
            last = items.event_of(item) if item else None
            now = items.route_of(last) if last else Route()
            if now == to and last is not None:
                return last
            if now != expected:
                raise refusals.alias_moved(model, LIVE, expected.version, now.version, item or {})
            event = transitions.send(
                state,
                model=model,
                to=to,
                expected=expected,
                now=self._clock(),
                by=by,
                why=why,
                details=details,
            )
            target = (
                {}
                if to.version is None
                else {"version": required(items.version_key(model, to.version))}
            )
            failures = self._change(
                state, event, alias=_replaced(event, last), lock=_held(model, holder), **target
            )
            if failures is None:
                return event
            if "lock" in failures:
                raise refusals.release_lock_lost(model, holder, items.lock_of(failures["lock"]))
            if "version" in failures and to.version is not None:
                raise refusals.version_not_found(model, to.version)
        raise refusals.registry_busy(model)

    def record_applied(self, model: str, route: Route, *, by: str) -> HistoryEvent:
        """Record that Lambda sends live's requests as `route` says; return the event."""
        return self._record(
            model,
            lambda state: transitions.applied(
                state, model=model, route=route, now=self._clock(), by=by
            ),
        )

    def record_step(
        self,
        model: str,
        *,
        step: str,
        outcome: str,
        version: int | None,
        by: str,
        why: str,
        details: Mapping[str, Any] = MappingProxyType({}),
    ) -> HistoryEvent:
        """Record what came of a step of a release, with the numbers behind it; return the event."""
        transitions.check_audit(by, why)
        return self._record(
            model,
            lambda state: transitions.step(
                state,
                model=model,
                version=version,
                now=self._clock(),
                by=by,
                why=why,
                details={"step": step, "outcome": outcome, **details},
            ),
        )

    def history(self, model: str, *, limit: int | None = None) -> list[HistoryEvent]:
        """Return the events of a model, oldest first; with `limit`, the newest that many."""
        found = self._table.query(items.partition(model), items.EVENT, newest=limit)
        return [items.event_of(item) for item in found]

    def live_at(self, model: str, at: datetime) -> int | None:
        """Return the version that was live at the moment `at`: see `boringml.registry.history`."""
        return history.live_at(self.history(model), at)

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

    def _unmoved(self, model: str, name: str, expected: int | None) -> HistoryEvent:
        item = self._table.get(items.alias_key(model, name))
        current = items.target_of(item)
        if current != expected:
            raise refusals.alias_moved(model, name, expected, current, item or {})
        if item is None:
            raise refusals.alias_never_set(model, name)
        return items.event_of(item)


def _count(model: str, before: ModelState, now: ModelState) -> Action:
    """Write the counters, if they are still those that the change was made from."""
    put: dict[str, Any] = {"Item": items.state_item(model, now)}
    if before.last_event == 0:
        return created(put["Item"])
    put["ConditionExpression"] = "last_event = :before"
    put["ExpressionAttributeValues"] = {":before": before.last_event}
    return {"Put": put}


def _held(model: str, holder: str) -> Action:
    """Write nothing, and fail where the lock is not the holder's."""
    return {
        "ConditionCheck": {
            "Key": items.lock_key(model),
            "ConditionExpression": "#holder = :holder",
            "ExpressionAttributeNames": {"#holder": "holder"},
            "ExpressionAttributeValues": {":holder": holder},
        }
    }


def _replaced(event: HistoryEvent, last: HistoryEvent | None) -> Action:
    """Write the alias, if its last event is still the one that the change was made from."""
    if last is None:
        return created(items.alias_item(event))
    return {
        "Put": {
            "Item": items.alias_item(event),
            "ConditionExpression": "#sequence = :sequence",
            "ExpressionAttributeNames": {"#sequence": "sequence"},
            "ExpressionAttributeValues": {":sequence": last.sequence},
        }
    }


def _point(event: HistoryEvent) -> Action:
    """Write where the alias points, if it still points where the caller says."""
    put: dict[str, Any] = {"Item": items.alias_item(event)}
    if event.from_version is None:
        put["ConditionExpression"] = "attribute_not_exists(to_version)"
    else:
        put["ConditionExpression"] = "to_version = :expected"
        put["ExpressionAttributeValues"] = {":expected": event.from_version}
    return {"Put": put}
