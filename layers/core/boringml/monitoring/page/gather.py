"""Gather what a page is made of, part by part: what cannot be read is told in its place."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from boringml.monitoring.page.document import (
    Alarm,
    Limits,
    ModelDocument,
    PlatformDocument,
    Read,
    Traffic,
    Unread,
)
from boringml.monitoring.page.window import asked_pairs, traffic_window
from boringml.monitoring.report import COST, DRIFT, QUALITY
from boringml.registry.records import STEP, HistoryEvent
from boringml.release.plan import is_served, release_plan

if TYPE_CHECKING:
    from boringml.adapters.alarms import Alarms
    from boringml.adapters.monitoring_reports import MonitoringReports
    from boringml.adapters.object_store import ObjectStore
    from boringml.adapters.queue_depths import QueueDepths
    from boringml.adapters.registry_table import RegistryTable
    from boringml.adapters.traffic_metrics import TrafficMetrics

T = TypeVar("T")

# How far back reports are looked for, and of how many looks: quality has one of each version.
_REPORT_DAYS = 7
_LOOKS = {DRIFT: 4, QUALITY: 2, COST: 1}
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Sources:
    """Where pages come from. `functions` is {model: function}, None of a model without one.

    `unreadable` are the errors that mean that a source has no answer now. `machines` is
    {name: ARN of a state machine}.
    """

    stack: str
    registry: "RegistryTable"
    metrics: "TrafficMetrics"
    reports: "MonitoringReports"
    packages: "ObjectStore"
    alarms: "Alarms"
    dead_letters: "QueueDepths"
    functions: Mapping[str, str | None]
    machines: Mapping[str, str]
    unreadable: tuple[type[Exception], ...]
    minute_seconds: int = 60

    def read(self, part: Callable[[], T]) -> Read[T]:
        """Return what a source says, or why it says nothing."""
        try:
            return part()
        except self.unreadable as error:
            return Unread(str(error) or type(error).__name__)


def gather(
    sources: Sources, declarations: Mapping[str, Mapping[str, Any]], now: datetime
) -> PlatformDocument:
    """Return the document of the platform and of all declared models, {name: model.yaml}."""
    alarms = sources.read(sources.alarms.ringing)
    hour = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return PlatformDocument(
        stack=sources.stack,
        as_of=now,
        models=tuple(
            _model(sources, model, declared, alarms, now)
            for model, declared in declarations.items()
        ),
        failed=sources.read(
            lambda: sources.metrics.failed_executions(sources.machines, hour - _DAY, hour)
        ),
        dead_letters=sources.read(sources.dead_letters.counts),
        alarms=alarms,
    )


def limits_of(declaration: Mapping[str, Any], minute_seconds: float) -> Limits:
    """Return what a parsed model.yaml tolerates."""
    plan = release_plan(declaration, minute_seconds=minute_seconds, approval=False)
    canary = plan["canary"]
    if canary is None:
        return Limits()
    kpi = canary["kpi"] or {}
    return Limits(
        min_samples=canary["steps"][0]["min_samples"],
        failures=canary["tolerances"]["failures"],
        slow_ratio=canary["slow"]["ratio"],
        slow_floor_ms=canary["slow"]["floor_ms"],
        promised_p95_ms=plan["smoke"]["p95_ms"],
        confidence=canary["confidence"],
        kpi=kpi.get("event"),
        kpi_tolerance=canary["tolerances"]["kpi"],
        min_outcomes=kpi.get("min_outcomes", 0),
        bake_seconds=plan["bake_seconds"],
    )


def _model(
    sources: Sources,
    model: str,
    declared: Mapping[str, Any],
    alarms: Read[tuple[Alarm, ...]],
    now: datetime,
) -> ModelDocument:
    registry = sources.registry
    history = sources.read(lambda: tuple(registry.history(model)))
    limits = limits_of(declared, sources.minute_seconds)

    def reports(kind: str) -> Any:
        found = sources.reports.newest
        return sources.read(lambda: tuple(found(model, kind, now, _REPORT_DAYS, _LOOKS[kind])))

    ours: Read[tuple[Alarm, ...]] = (
        alarms
        if isinstance(alarms, Unread)
        else tuple(alarm for alarm in alarms if alarm.is_of(model))
    )
    cost = declared.get("monitoring", {}).get("cost", {})
    return ModelDocument(
        model=model,
        description=declared["description"],
        owner=declared["owner"],
        stack=sources.stack,
        as_of=now,
        served=is_served(declared),
        limits=limits,
        route=sources.read(lambda: registry.route(model)),
        versions=sources.read(lambda: tuple(registry.versions(model))),
        history=history,
        lock=sources.read(lambda: registry.lock(model)),
        traffic=_traffic(sources, model, history, limits.kpi, now),
        shadow=_shadow(sources, history),
        drift=reports(DRIFT),
        quality=reports(QUALITY),
        cost=reports(COST),
        budget_usd=cost.get("monthly_budget_usd"),
        alarms=ours,
    )


def _traffic(
    sources: Sources,
    model: str,
    history: Read[tuple[HistoryEvent, ...]],
    kpi: str | None,
    now: datetime,
) -> Read[Traffic | None]:
    function = sources.functions.get(model)
    if function is None:
        return None
    if isinstance(history, Unread):
        return Unread(f"without the history nobody knows which versions were asked: {history.why}")
    window = traffic_window(history, now, sources.minute_seconds)
    pairs = asked_pairs(history, window)
    return sources.read(lambda: sources.metrics.traffic(model, function, pairs, window, kpi))


def _shadow(
    sources: Sources, history: Read[tuple[HistoryEvent, ...]]
) -> Read[Mapping[str, Any] | None]:
    """Return the report of the last comparison with live."""
    if isinstance(history, Unread):
        return history
    keys = [
        key
        for event in history
        if event.kind == STEP and isinstance(key := event.details.get("report"), str)
    ]
    if not keys:
        return None
    return sources.read(lambda: json.loads(sources.packages.read(keys[-1])))
