"""Whose run is it? An input is scored once, however often it is asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from boringml.batch.run import OPEN, SCORED, BatchRun
from boringml.registry.records import ModelVersion


@dataclass(frozen=True, kw_only=True)
class HeldRun:
    """A run as it is recorded: its last attempt, whose it is, and how it ended."""

    run: BatchRun
    execution_arn: str
    status: str
    opened_at: datetime
    told: bool = False
    summary: dict[str, Any] | None = None
    reason: dict[str, str] | None = None


class Runs(Protocol):
    """Where runs are recorded."""

    def get(self, model: str, run_id: str) -> HeldRun | None:
        """Return a run, or None."""

    def take(self, run: BatchRun, execution_arn: str, after: HeldRun | None) -> HeldRun:
        """Record a new attempt in place of `after`; raise BoringError `batch_claimed` (409)."""


@dataclass(frozen=True)
class Opened:
    """What an execution is to do: `action` is score, publish, answer or ignore."""

    action: str
    held: HeldRun
    replaced: BatchRun | None = None


def open_batch(
    runs: Runs,
    model: str,
    identity: str,
    *,
    execution_arn: str,
    running: Callable[[str], bool],
    pin: Callable[[], ModelVersion],
    engine: str,
    now: datetime,
) -> Opened:
    """Return what this execution does about an input.

    A run that was scored answers with its summary, one that another execution is at is left alone,
    and a broken one starts again as a new attempt, under names of its own. `pin` tells the live
    version, which stays for the whole attempt. Raises BoringError `batch_claimed` (409) where
    another execution was faster, or what `pin` raises.
    """
    held = runs.get(model, identity)
    if held is not None:
        if held.status == SCORED:
            return Opened("answer" if held.told else "publish", held)
        if held.status == OPEN and held.execution_arn == execution_arn:
            return Opened("score", held)
        if held.status == OPEN and running(held.execution_arn):
            return Opened("ignore", held)
    version = pin()
    run = BatchRun(
        model=model,
        run_id=identity,
        attempt=held.run.attempt + 1 if held else 1,
        date=now.strftime("%Y-%m-%d"),
        version=version.number,
        package_uri=version.package_uri,
        package_digest=version.package_digest,
        engine=engine,
    )
    return Opened("score", runs.take(run, execution_arn, held), held.run if held else None)
