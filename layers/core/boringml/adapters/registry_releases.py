"""Who may move a model's traffic, and which release waits for a person."""

from dataclasses import replace

from boringml.adapters.registry_runs import RegistryRuns
from boringml.registry import items, refusals, transitions
from boringml.registry.records import Approval, ReleaseLock


class RegistryReleases(RegistryRuns):
    """The part of the registry that keeps releases and rollbacks of one model apart.

    The holder of a lock is an execution. Whoever finds an execution that is over may take its lock
    over, so that none is orphaned; and what moves traffic does so on the condition that its
    execution still has the lock, so that one that lost it moves nothing.
    """

    def lock(self, model: str) -> ReleaseLock | None:
        """Return who may move the traffic of a model, or None where nobody does."""
        return items.lock_of(self._table.get(items.lock_key(model)))

    def take_lock(
        self,
        model: str,
        *,
        holder: str,
        kind: str,
        version: int | None,
        over: str | None = None,
    ) -> ReleaseLock:
        """Return the lock of `model`, held by the execution `holder` from now on.

        A holder may ask again. With `over`, the lock is taken from that execution, if it has it.
        Raises BoringError `release_busy` (409) with `holder` where another one has it.
        """
        transitions.check_model(model)
        lock = ReleaseLock(
            model=model, holder=holder, kind=kind, version=version, taken_at=self._clock()
        )
        names = {"#holder": "holder"}
        values = {":mine": holder}
        condition = "attribute_not_exists(#holder) OR #holder = :mine"
        if over is not None:
            condition += " OR #holder = :over"
            values[":over"] = over
        found = self._table.replace(items.lock_item(lock), condition, names, values)
        held = items.lock_of(found)
        if held is not None:
            raise refusals.release_busy(held)
        return lock

    def take_over(self, lock: ReleaseLock, *, holder: str) -> bool:
        """Give a lock to `holder` in place of who has it; return whether that one still had it."""
        taken = replace(lock, holder=holder, taken_at=self._clock())
        names, values = {"#holder": "holder"}, {":over": lock.holder}
        return self._table.replace(items.lock_item(taken), "#holder = :over", names, values) is None

    def check_lock(self, model: str, *, holder: str) -> None:
        """Raise BoringError `release_lock_lost` (423) where `holder` has not the lock."""
        lock = self.lock(model)
        if lock is None or lock.holder != holder:
            raise refusals.release_lock_lost(model, holder, lock)

    def free_lock(self, model: str, *, holder: str) -> bool:
        """Free the lock if `holder` has it; return whether it had."""
        found = self._table.update(
            {
                "Key": items.lock_key(model),
                "UpdateExpression": "REMOVE #holder",
                "ConditionExpression": "#holder = :mine",
                "ExpressionAttributeNames": {"#holder": "holder"},
                "ExpressionAttributeValues": {":mine": holder},
            }
        )
        return found is None

    def ask_approval(
        self, model: str, *, version: int, release: str, token: str, report: str | None
    ) -> Approval:
        """Return the release that waits for a person from now on."""
        approval = Approval(
            model=model,
            version=version,
            release=release,
            token=token,
            asked_at=self._clock(),
            report=report,
        )
        self._table.put(items.approval_item(approval))
        return approval

    def approval(self, model: str) -> Approval | None:
        """Return the release that waits for a person, or None."""
        return items.approval_of(self._table.get(items.approval_key(model)))

    def take_approval(self, approval: Approval) -> None:
        """Use an approval up: of several that answer it, one does.

        Raises BoringError `approval_not_pending` (409) for the others.
        """
        found = self._table.update(
            {
                "Key": items.approval_key(approval.model),
                "UpdateExpression": "REMOVE #token",
                "ConditionExpression": "#token = :token",
                "ExpressionAttributeNames": {"#token": "token"},
                "ExpressionAttributeValues": {":token": approval.token},
            }
        )
        if found is not None:
            raise refusals.approval_not_pending(approval.model)
