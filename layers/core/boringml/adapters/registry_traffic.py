"""Where live sends its requests, and what came of the steps that led there."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from boringml.adapters.dynamodb_table import Action, created, required
from boringml.adapters.registry_changes import RegistryChanges, held
from boringml.registry import items, refusals, transitions
from boringml.registry.records import LIVE, Decision, HistoryEvent, Route


class RegistryTraffic(RegistryChanges):
    """The part of the registry that decides traffic, for who has the model's lock."""

    def route(self, model: str) -> Route:
        """Return where live sends its requests, as decided: Lambda follows."""
        return self.decision(model).route

    def decision(self, model: str) -> Decision:
        """Return what was decided last of where live sends its requests."""
        return items.decision_of(self._table.get(items.alias_key(model, LIVE)))

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
            decided = self.decision(model)
            last, now = decided.event, decided.route
            if now == to and last is not None:
                return last
            if now != expected:
                moved = items.alias_item(last) if last else {}
                raise refusals.alias_moved(model, LIVE, expected.version, now.version, moved)
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
                state, event, alias=_replaced(event, last), lock=held(model, holder), **target
            )
            if failures is None:
                return event
            if "lock" in failures:
                raise refusals.release_lock_lost(model, holder, items.lock_of(failures["lock"]))
            if "version" in failures and to.version is not None:
                raise refusals.version_not_found(model, to.version)
        raise refusals.registry_busy(model)

    def record_applied(self, decision: Decision, *, by: str) -> bool:
        """Record that Lambda sends live's requests as decided; return whether that stands.

        Once per decision, whoever says so first. False where another decision came since: then
        nothing is written, for Lambda may have to follow that one. Raises BoringError
        `registry_busy`.
        """
        decided = decision.event
        if decided is None or decision.applied:
            return True
        for state in self._states(decided.model):
            failures = self._change(
                state,
                transitions.applied(state, decided, now=self._clock(), by=by),
                alias=_marked(decided),
            )
            if failures is None:
                return True
            if "alias" in failures:
                now = items.decision_of(failures["alias"])
                return now.applied and now.sequence == decided.sequence
        raise refusals.registry_busy(decided.model)

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


def _marked(decided: HistoryEvent) -> Action:
    """Mark the last event of an alias as applied, if it still is the last and nobody did so."""
    return {
        "Put": {
            "Item": items.applied_item(decided),
            "ConditionExpression": "#sequence = :sequence AND attribute_not_exists(applied)",
            "ExpressionAttributeNames": {"#sequence": "sequence"},
            "ExpressionAttributeValues": {":sequence": decided.sequence},
        }
    }
