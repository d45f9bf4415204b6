"""The ends of a run: committed and shown to readers, or abandoned without a trace.

The run's record is the point of no return. Before it, nothing is registered and a new attempt
starts over; after it, whoever comes next (a retry, another execution, the sweep) only shows what
is there.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from boringml.batch.open_batch import HeldRun
from boringml.batch.run import OPEN, SCORED, BatchRun


class Runs(Protocol):
    """Where runs are recorded."""

    def finish(
        self, run: BatchRun, status: str, *, summary: Any = None, reason: Any = None
    ) -> HeldRun:
        """Say how an attempt ended; return the run as it is recorded then. The first end stands."""

    def mark_published(self, run: BatchRun) -> None:
        """Say that readers see the run."""


class Tables(Protocol):
    """The tables that readers query."""

    def show(self, run: BatchRun) -> None:
        """Register the run's folders as partitions; again changes nothing."""

    def hide(self, run: BatchRun) -> None:
        """Take the run's partitions away, where they are."""


Publish = Callable[[str, Mapping[str, Any]], None]
Clear = Callable[[BatchRun], None]


def publish_run(held: HeldRun, runs: Runs, tables: Tables, publish: Publish) -> dict[str, Any]:
    """Show a committed run to readers, tell it, and return its summary. May be done again."""
    tables.show(held.run)
    summary = held.summary or {}
    publish("BatchScored", summary)
    runs.mark_published(held.run)
    return summary


def abandon_run(
    run: BatchRun,
    reason: Mapping[str, str],
    runs: Runs,
    clear: Clear,
    publish: Publish,
    **details: Any,
) -> str:
    """End an attempt that failed, and return the status that stands: failed, or scored.

    Its parts are deleted before anybody is told. A run that was committed stays as it is.
    """
    held = runs.finish(run, "failed", reason=dict(reason))
    if held.status == SCORED or held.run.attempt != run.attempt:
        return held.status
    clear(run)
    publish("BatchFailed", {"model": run.model, "run": run.label, "reason": reason, **details})
    return held.status


def is_lost(held: HeldRun, running: Callable[[str], bool]) -> bool:
    """Tell whether nobody works at an unfinished run any more."""
    return held.status in (OPEN, SCORED) and not running(held.execution_arn)
