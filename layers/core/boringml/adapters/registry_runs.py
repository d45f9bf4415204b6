"""Who trains for a trigger: EventBridge may deliver an event twice, and a run may die unseen."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from boringml.adapters.dynamodb_table import DynamoTable
from boringml.registry import items, refusals, transitions
from boringml.registry.records import OPEN, Reason, RunClaim

Clock = Callable[[], datetime]


class RegistryRuns:
    """The part of the registry that keeps training runs apart."""

    def __init__(self, table: DynamoTable, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def claim_run(self, model: str, trigger_id: str, *, execution_arn: str) -> RunClaim:
        """Return the claim of a trigger for one execution.

        The same execution may ask again: it gets its claim as it is now. Another one gets
        BoringError `run_already_claimed` (409) with `holder` and `run_status`.
        Raises BoringError `model_name_invalid` or `trigger_id_invalid`.
        """
        transitions.check_model(model)
        transitions.check_trigger(trigger_id)
        claim = RunClaim(
            model=model,
            trigger_id=trigger_id,
            execution_arn=execution_arn,
            claimed_at=self._clock(),
            status=OPEN,
        )
        # First the directory: a model whose first run dies is one that the sweep has to find.
        self._make_known(model)
        found = self._table.create(items.run_item(claim))
        held = claim if found is None else items.run_of(found)
        if held.execution_arn != execution_arn:
            raise refusals.run_already_claimed(held)
        return held

    def finish_run(
        self,
        model: str,
        trigger_id: str,
        *,
        status: str,
        reason: Reason | None = None,
        version: int | None = None,
    ) -> None:
        """Say how a run ended: `status` is a snake_case word, such as succeeded or failed.

        The first end stands. Saying the same status again changes nothing; another one gets
        BoringError `run_already_finished` (409) with `run_status`. Raises BoringError
        `run_status_invalid` or `run_not_found`.
        """
        transitions.check_end(status)
        ended = {"status": status, "finished_at": self._clock()}
        given: dict[str, Any] = {**ended, "reason": reason, "version": version}
        values = {
            name: items.to_attribute(name, value)
            for name, value in given.items()
            if value is not None
        }
        found = self._table.update(
            {
                "Key": items.run_key(model, trigger_id),
                "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in values),
                "ConditionExpression": "#status = :open",
                "ExpressionAttributeNames": {f"#{name}": name for name in values},
                "ExpressionAttributeValues": {
                    ":open": OPEN,
                    **{f":{name}": value for name, value in values.items()},
                },
            }
        )
        if found is None or found.get("status") == status:
            return
        if not found:
            raise refusals.run_not_found(model, trigger_id)
        raise refusals.run_already_finished(items.run_of(found), status)

    def open_runs(self, model: str | None = None, *, older_than: datetime) -> list[RunClaim]:
        """Return the runs claimed before `older_than` that have not ended, of one model or of all.

        The sweep asks for it, since the event that ends a run is best effort.
        """
        models = self.models() if model is None else [model]
        found = [
            items.run_of(item)
            for name in models
            for item in self._table.query(items.partition(name), items.RUN)
        ]
        return [run for run in found if run.status == OPEN and run.claimed_at < older_than]

    def newest_run(self, model: str) -> RunClaim | None:
        """Return the run of a model that was claimed last, however it ended; None of none."""
        found = self._table.query(items.partition(model), items.RUN)
        return max(map(items.run_of, found), key=lambda run: run.claimed_at, default=None)

    def models(self) -> list[str]:
        """Return the models that ever claimed a run or registered a version, by name."""
        return [str(item["sk"]) for item in self._table.query(items.DIRECTORY)]

    def _make_known(self, model: str) -> None:
        self._table.put(items.directory_key(model))
