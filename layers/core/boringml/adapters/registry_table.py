"""The registry in one DynamoDB table: docs/flows/registry.md tells its items and promises."""

from datetime import datetime
from typing import Any

from boringml.adapters.dynamodb_table import Action, created, required
from boringml.adapters.registry_changes import held
from boringml.adapters.registry_traffic import RegistryTraffic
from boringml.registry import history, items, refusals, transitions
from boringml.registry.records import HistoryEvent, ModelVersion, NewVersion


class RegistryTable(RegistryTraffic):
    """Versions, aliases, history, releases and runs of all models.

    Every read is consistent: what one call wrote, the next one sees.
    """

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
        self,
        model: str,
        name: str,
        *,
        to: int | None,
        expected: int | None,
        by: str,
        why: str,
        holder: str | None = None,
    ) -> HistoryEvent:
        """Point an alias from `expected` to `to` (None: at nothing) and return the event.

        Of several callers with the same `expected`, one moves it. The others get BoringError
        `alias_moved` (409) with `current`, `moved_by` and `moved_at`, and nothing is written. A
        caller that did move it, but lost the answer, knows itself by `moved_by`.

        `to` equal to `expected` writes nothing: the event that put the alias there is returned.
        With `holder`, only the execution that has the model's lock moves it.

        Raises BoringError `alias_unknown`, `audit_missing`, `version_not_found`, `alias_moved`,
        `release_lock_lost` (423), `alias_never_set` (None to None before any move) or
        `registry_busy`.
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
            checks = {} if to is None else {"version": required(items.version_key(model, to))}
            if holder is not None:
                checks["lock"] = held(model, holder)
            failures = self._change(state, event, alias=_point(event), **checks)
            if failures is None:
                return event
            if "lock" in failures and holder is not None:
                raise refusals.release_lock_lost(model, holder, items.lock_of(failures["lock"]))
            if "alias" in failures:
                last = failures["alias"] or {}
                current = items.target_of(last)
                raise refusals.alias_moved(model, name, expected, current, last)
            if "version" in failures and to is not None:
                raise refusals.version_not_found(model, to)
        raise refusals.registry_busy(model)

    def history(self, model: str, *, limit: int | None = None) -> list[HistoryEvent]:
        """Return the events of a model, oldest first; with `limit`, the newest that many."""
        found = self._table.query(items.partition(model), items.EVENT, newest=limit)
        return [items.event_of(item) for item in found]

    def live_at(self, model: str, at: datetime) -> int | None:
        """Return the version that was live at the moment `at`: see `boringml.registry.history`."""
        return history.live_at(self.history(model), at)

    def _unmoved(self, model: str, name: str, expected: int | None) -> HistoryEvent:
        item = self._table.get(items.alias_key(model, name))
        current = items.target_of(item)
        if current != expected:
            raise refusals.alias_moved(model, name, expected, current, item or {})
        if item is None:
            raise refusals.alias_never_set(model, name)
        return items.event_of(item)


def _point(event: HistoryEvent) -> Action:
    """Write where the alias points, if it still points where the caller says."""
    put: dict[str, Any] = {"Item": items.alias_item(event)}
    if event.from_version is None:
        put["ConditionExpression"] = "attribute_not_exists(to_version)"
    else:
        put["ConditionExpression"] = "to_version = :expected"
        put["ExpressionAttributeValues"] = {":expected": event.from_version}
    return {"Put": put}
