"""The ends of a run: committed and shown to readers, or abandoned without a trace.

The run's record is the point of no return. Before it, nothing is registered and a new attempt
starts over; after it, whoever comes next (a retry, another execution, the sweep) only shows what
is there.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from boringml.batch.open_batch import HeldRun
from boringml.batch.run import FAILED, SCORED, BatchRun


class Runs(Protocol):
    """Where runs are recorded."""

    def finish(
        self, run: BatchRun, status: str, *, summary: Any = None, reason: Any = None
    ) -> HeldRun:
        """Say how an attempt ended; return the run as it is recorded then. The first end stands."""

    def mark_told(self, run: BatchRun) -> None:
        """Say that the run's end was told, and that nothing is left to do."""


class Tables(Protocol):
    """The tables that readers query."""

    def show(self, run: BatchRun) -> None:
        """Register the run's folders as partitions; again changes nothing."""

    def hide(self, run: BatchRun) -> None:
        """Take the run's partitions away, where they are."""


WriteSummary = Callable[[BatchRun, Mapping[str, Any]], None]
Publish = Callable[[str, Mapping[str, Any]], None]
Clear = Callable[[BatchRun], None]


def publish_run(
    held: HeldRun, runs: Runs, tables: Tables, write_summary: WriteSummary, publish: Publish
) -> dict[str, Any]:
    """Show a committed run to readers, tell it, and return its summary. May be done again.

    The summary is written here and no earlier: beside scores, it says that they are whole.
    """
    summary = held.summary or {}
    write_summary(held.run, summary)
    tables.show(held.run)
    publish("BatchScored", summary)
    runs.mark_told(held.run)
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
    May be done again: until it is told, the run is unfinished, and the sweep finds it.
    """
    held = runs.finish(run, FAILED, reason=dict(reason))
    if held.status == SCORED or held.run.attempt != run.attempt:
        return held.status
    clear(run)
    publish("BatchFailed", {"model": run.model, "run": run.label, "reason": reason, **details})
    runs.mark_told(run)
    return held.status


def is_lost(held: HeldRun, running: Callable[[str], bool]) -> bool:
    """Tell whether nobody works at an unfinished run any more."""
    return not held.told and not running(held.execution_arn)


def end_each(lost: Iterable[HeldRun], end: Callable[[HeldRun], None]) -> list[str]:
    """End each run that nobody works at; return their labels.

    What one run raises is raised once all had their turn.
    """
    ended, failed = [], []
    for held in lost:
        try:
            end(held)
            ended.append(held.run.label)
        except Exception as error:  # noqa: BLE001 - all of them are raised below
            failed.append(error)
    if failed:
        raise failed[0] if len(failed) == 1 else ExceptionGroup("The sweep failed.", failed)
    return ended
