"""What a page is made of. A part may be Unread, with the reason: the others are shown anyway."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

from boringml.monitoring.report import Report
from boringml.registry.history import previous_release
from boringml.registry.records import HistoryEvent, ModelVersion, ReleaseLock, Route

T = TypeVar("T")


@dataclass(frozen=True)
class Unread:
    """What could not be read, and why, in words."""

    why: str


Read: TypeAlias = T | Unread


@dataclass(frozen=True)
class Limits:
    """What model.yaml tolerates: latencies in milliseconds, shares of 1.

    An alarm takes a move back within `bake_seconds`. Of a model that no function serves, what is
    about requests is None or 0.
    """

    min_samples: int = 0
    failures: float = 0.0
    slow_ratio: float = 1.0
    slow_floor_ms: float = 0.0
    promised_p95_ms: float | None = None
    confidence: float = 0.99
    kpi: str | None = None
    kpi_tolerance: float = 0.0
    min_outcomes: int = 0
    bake_seconds: float = 0.0


@dataclass(frozen=True)
class Point:
    """A period of a version's traffic. Percentiles are None where nothing was answered."""

    at: datetime
    requests: int
    failures: int
    p50_ms: float | None = None
    p95_ms: float | None = None


@dataclass(frozen=True)
class VersionTraffic:
    """What one function version, which is (code, model version), was asked, period by period."""

    version: int
    function_version: str
    points: tuple[Point, ...]
    outcomes: int = 0
    bad_outcomes: int = 0

    @property
    def requests(self) -> int:
        """Requests of all periods."""
        return sum(point.requests for point in self.points)

    @property
    def failures(self) -> int:
        """Failed requests of all periods."""
        return sum(point.failures for point in self.points)

    @property
    def p50_ms(self) -> float | None:
        """The periods' medians, weighted by requests."""
        return _weighted((point.p50_ms, point.requests) for point in self.points)

    @property
    def p95_ms(self) -> float | None:
        """The periods' 95th percentiles, weighted by requests: CloudWatch has none over periods."""
        return _weighted((point.p95_ms, point.requests) for point in self.points)


@dataclass(frozen=True)
class Traffic:
    """Live's requests from `begin` to `end`, by function version, oldest first."""

    begin: datetime
    end: datetime
    period_seconds: int
    versions: tuple[VersionTraffic, ...]

    def of(self, route: Route | None) -> VersionTraffic | None:
        """Return what a route's own function version was asked, or None where nothing is known."""
        if route is None:
            return None
        return next(
            (one for one in self.versions if one.function_version == route.function_version), None
        )


@dataclass(frozen=True)
class Alarm:
    """An alarm that rings: its name, its text, and since when.

    `models` are those that its metrics are of.
    """

    name: str
    says: str
    since: datetime
    models: frozenset[str] = frozenset()

    def is_of(self, model: str) -> bool:
        """Return whether it is about a model: by its metrics, or by the first word of its text."""
        return model in self.models or self.says.startswith(f"{model}:")


@dataclass(frozen=True)
class ModelDocument:
    """All that is known of a model as of a moment.

    `served` is whether a function answers for it; else `traffic` is None. `shadow` is a shadow.json
    (docs/flows/shadow.md). Reports are oldest first. `alarms` are those that ring.
    """

    model: str
    description: str
    owner: str
    stack: str
    as_of: datetime
    served: bool
    limits: Limits
    route: Read[Route]
    versions: Read[tuple[ModelVersion, ...]]
    history: Read[tuple[HistoryEvent, ...]]
    lock: Read[ReleaseLock | None] = None
    traffic: Read[Traffic | None] = None
    shadow: Read[Mapping[str, Any] | None] = None
    drift: Read[tuple[Report, ...]] = ()
    quality: Read[tuple[Report, ...]] = ()
    cost: Read[tuple[Report, ...]] = ()
    budget_usd: float | None = None
    alarms: Read[tuple[Alarm, ...]] = ()

    @cached_property
    def before(self) -> Route | None:
        """Where a rollback would go: what was live before the version that is."""
        if isinstance(self.route, Unread) or isinstance(self.history, Unread):
            return None
        now = Route(version=self.route.version, function_version=self.route.function_version)
        return previous_release(self.history, now)

    def version(self, number: int | None) -> ModelVersion | None:
        """Return a version by its number, or None where it is not known."""
        if isinstance(self.versions, Unread):
            return None
        return next((one for one in self.versions if one.number == number), None)


@dataclass(frozen=True)
class Count:
    """How many of something, such as failed executions of a state machine, or dead letters."""

    name: str
    number: int


@dataclass(frozen=True)
class PlatformDocument:
    """All models, and what they share: failed executions of a day, dead letters, alarms."""

    stack: str
    as_of: datetime
    models: tuple[ModelDocument, ...]
    failed: Read[tuple[Count, ...]] = ()
    dead_letters: Read[tuple[Count, ...]] = ()
    alarms: Read[tuple[Alarm, ...]] = ()


def _weighted(values: Any) -> float | None:
    known = [(value, weight) for value, weight in values if value is not None and weight]
    total = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / total if total else None
