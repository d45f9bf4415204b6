"""The record of batch runs in DynamoDB: who is at which input, and how it ended."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from boringml.adapters.dynamodb_table import Action, DynamoTable, Values
from boringml.batch.open_batch import HeldRun
from boringml.batch.run import OPEN, SCORED, BatchRun
from boringml.errors import BoringError
from boringml.registry.items import from_text, to_text

# Runs that are not over, in one small partition: nothing ever scans the table.
_UNFINISHED = "UNFINISHED"
_NEWEST = "NEWEST"
_RUN_MEMBERS = tuple(BatchRun.__dataclass_fields__)


class BatchRuns:
    """Items: pk RUN#<model>, sk <run id>; and pk UNFINISHED, sk <model>#<run id>.

    Of each model, pk NEWEST, sk <model> names the run that was scored last.
    """

    def __init__(self, table: DynamoTable, clock: Callable[[], datetime]) -> None:
        self._table = table
        self._clock = clock

    def get(self, model: str, run_id: str) -> HeldRun | None:
        """Return a run with its last attempt, or None."""
        item = self._table.get(_key(model, run_id))
        return _held(item) if item else None

    def take(self, run: BatchRun, execution_arn: str, after: HeldRun | None) -> HeldRun:
        """Record a new attempt in place of `after`. Raises BoringError `batch_claimed` (409)."""
        held = HeldRun(run=run, execution_arn=execution_arn, status=OPEN, opened_at=self._clock())
        put: dict[str, Any] = {"Item": _item(held)}
        if after is None:
            put["ConditionExpression"] = "attribute_not_exists(pk)"
        else:
            put |= {
                "ConditionExpression": "attempt = :attempt AND #status = :status",
                "ExpressionAttributeNames": {"#status": "status"},
                "ExpressionAttributeValues": {
                    ":attempt": after.run.attempt,
                    ":status": after.status,
                },
            }
        marker: Action = {"Put": {"Item": _marker(run.model, run.run_id)}}
        if self._table.commit({"run": {"Put": put}, "marker": marker}) is not None:
            told = f"Another execution took run {run.run_id}: asking again shows whose it is."
            raise BoringError("batch_claimed", told, 409)
        return held

    def finish(
        self, run: BatchRun, status: str, *, summary: Any = None, reason: Any = None
    ) -> HeldRun:
        """Say how an attempt ended; return the run as it is recorded then.

        The first end stands, and so does a later attempt. The run is unfinished until `mark_told`.
        Raises BoringError `batch_busy` (503).
        """
        values: dict[str, Any] = {":status": status, ":open": OPEN, ":attempt": run.attempt}
        sets = ["#status = :status"]
        for name, value in (("summary", summary), ("reason", reason)):
            if value is not None:
                sets.append(f"{name} = :{name}")
                values[f":{name}"] = json.dumps(value)
        update: Action = {
            "Update": {
                "Key": _key(run.model, run.run_id),
                "UpdateExpression": "SET " + ", ".join(sets),
                "ConditionExpression": "#status = :open AND attempt = :attempt",
                "ExpressionAttributeNames": {"#status": "status"},
                "ExpressionAttributeValues": values,
            }
        }
        actions = {"run": update}
        if status == SCORED:
            actions["newest"] = {"Put": {"Item": {**_newest(run.model), "run_id": run.run_id}}}
        failures = self._table.commit(actions)
        if failures == {}:
            raise BoringError("batch_busy", "The record of runs is busy: ask again.", 503)
        held = self.get(run.model, run.run_id)
        if held is None:
            raise BoringError("run_not_found", f"There is no run {run.run_id}.", 404)
        return held

    def newest(self, model: str) -> HeldRun | None:
        """Return the run of a model that was scored last, or None where none was yet."""
        named = self._table.get(_newest(model))
        return self.get(model, str(named["run_id"])) if named else None

    def scored_since(self, model: str, since: datetime) -> list[HeldRun]:
        """Return the runs of a model that were opened since then and scored, oldest first."""
        held = [_held(item) for item in self._table.query(f"RUN#{model}")]
        found = [run for run in held if run.status == SCORED and run.opened_at >= since]
        return sorted(found, key=lambda run: run.opened_at)

    def mark_told(self, run: BatchRun) -> None:
        """Say that the end of an attempt was told: it is over. Again changes nothing."""
        self._table.commit(
            {
                "run": {
                    "Update": {
                        "Key": _key(run.model, run.run_id),
                        "UpdateExpression": "SET told = :true",
                        "ConditionExpression": "attempt = :attempt",
                        "ExpressionAttributeValues": {":true": 1, ":attempt": run.attempt},
                    }
                },
                "marker": {"Delete": {"Key": _marker(run.model, run.run_id)}},
            }
        )

    def unfinished(self) -> list[HeldRun]:
        """Return the runs that are open, or whose end was not told yet, of all models."""
        found = []
        for item in self._table.query(_UNFINISHED):
            model, _, run_id = str(item["sk"]).partition("#")
            held = self.get(model, run_id)
            if held is not None:
                found.append(held)
        return found


def _key(model: str, run_id: str) -> dict[str, str]:
    return {"pk": f"RUN#{model}", "sk": run_id}


def _newest(model: str) -> dict[str, str]:
    return {"pk": _NEWEST, "sk": model}


def _marker(model: str, run_id: str) -> dict[str, str]:
    return {"pk": _UNFINISHED, "sk": f"{model}#{run_id}"}


def _item(held: HeldRun) -> dict[str, Any]:
    return {
        **_key(held.run.model, held.run.run_id),
        **asdict(held.run),
        "execution_arn": held.execution_arn,
        "status": held.status,
        "opened_at": to_text(held.opened_at),
        "told": int(held.told),
    }


def _held(item: Values) -> HeldRun:
    members = {name: item[name] for name in _RUN_MEMBERS}
    members |= {name: int(members[name]) for name in ("attempt", "version")}
    return HeldRun(
        run=BatchRun(**members),
        execution_arn=str(item["execution_arn"]),
        status=str(item["status"]),
        opened_at=from_text(str(item["opened_at"])),
        told=bool(item["told"]),
        summary=json.loads(item["summary"]) if "summary" in item else None,
        reason=json.loads(item["reason"]) if "reason" in item else None,
    )
