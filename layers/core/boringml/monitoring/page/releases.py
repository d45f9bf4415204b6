"""Releases, put together from the events of one execution each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from boringml.registry.records import LIVE, MOVED, STEP, HistoryEvent

# The steps that decide, in their order.
STEPS = ("prove", "smoke", "shadow", "canary")


@dataclass
class Release:
    """One release of a version: what each step came to, and how it ended."""

    version: int
    begin: datetime
    steps: dict[str, list[HistoryEvent]] = field(default_factory=dict)
    end: HistoryEvent | None = None

    @property
    def went_live(self) -> bool:
        """Whether its version went live by it."""
        return self.end is not None and self.end.kind == MOVED


@dataclass(frozen=True)
class CanaryLook:
    """What decided a step of a canary: bad of all, of candidate and live, by measure.

    `needed` is the logarithm of the evidence that shows harm (boringml.release.evidence).
    """

    version: int
    at: datetime
    outcome: str
    weight: float | None
    needed: float | None
    measures: Mapping[str, Mapping[str, Any]]


def releases(history: Sequence[HistoryEvent], most: int) -> list[Release]:
    """Return the newest releases that got as far as a step, the newest first."""
    found: dict[str, Release] = {}
    for event in history:
        version = event.to_version
        if version is None:
            continue
        if event.kind == STEP:
            release = found.setdefault(event.by, Release(version, event.at))
            step = str(event.details.get("step"))
            if step == "end":
                release.end = release.end or event
            else:
                release.steps.setdefault(step, []).append(event)
        elif event.kind == MOVED and event.alias == LIVE and not event.details.get("back"):
            release = found.setdefault(event.by, Release(version, event.at))
            release.end = release.end or event
    return list(reversed(found.values()))[:most]


def canary_looks(history: Sequence[HistoryEvent], most: int) -> list[CanaryLook]:
    """Return what decided the newest steps of canaries, the newest first."""
    steps = [
        event
        for event in history
        if event.kind == STEP and event.details.get("step") == "canary" and event.to_version
    ]
    return [_look(event) for event in reversed(steps[-most:])]


def _look(event: HistoryEvent) -> CanaryLook:
    details = event.details
    measures = {
        name: found
        for name, found in details.items()
        if isinstance(found, Mapping) and {"candidate", "live", "tolerance"} <= found.keys()
    }
    return CanaryLook(
        version=event.to_version or 0,
        at=event.at,
        outcome=str(details.get("outcome")),
        weight=details.get("weight"),
        needed=details.get("log_evidence_of_harm"),
        measures=measures,
    )
