"""Where live sends its requests, and what came of the steps that led there."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from boringml.adapters.dynamodb_table import Action, created, required
from boringml.adapters.registry_changes import RegistryChanges
from boringml.registry import items, refusals, transitions
from boringml.registry.records import LIVE, HistoryEvent, Route


class RegistryTraffic(RegistryChanges):
    """The part of the registry that decides traffic, for who has the model's lock."""

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
