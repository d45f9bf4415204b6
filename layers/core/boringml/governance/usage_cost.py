"""What serving costs, part by part, from counted usage."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields

from boringml.governance.prices import Price, Prices

# AWS bills data by the GB of 2^30 bytes, and its own examples divide by 1,024.
_GB = 2**30
# The month of every projection here: what AWS bills by the month is billed by its hours.
MONTH_DAYS = 30
MONTH_HOURS = MONTH_DAYS * 24


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What a model's function runs on, and how long its log is kept."""

    memory_mb: int
    architecture: str
    retention_days: int


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What serving used in a time.

    A prediction is a request of a client, or an attempt at a job, whatever the number of its
    records. Invocations are all that Lambda counts, those of releases too. `billed_ms` is what
    Lambda bills, rounded up per invocation, and since 2025-08-01 `init_ms` is in it. Queue requests
    are those to the model's queue, table units those that its jobs took.
    """

    predictions: float = 0
    invocations: float = 0
    billed_ms: float = 0
    init_ms: float = 0
    api_requests: float = 0
    log_bytes: float = 0
    queue_requests: float = 0
    table_writes: float = 0
    table_reads: float = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(**{name: getattr(self, name) + getattr(other, name) for name in MEMBERS})


MEMBERS = tuple(field.name for field in fields(Usage))


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """What costs by the month, whether anybody asks or not: numbers of things."""

    metrics: int = 0
    alarm_metrics: int = 0
    composite_alarms: int = 0
    dashboards: int = 0


@dataclass(frozen=True)
class Part:
    """One part of a cost: so many units, at a price for each."""

    name: str
    units: float
    unit: str
    price: Price

    @property
    def usd(self) -> float:
        """Its amount in USD, not rounded: a prediction costs millionths."""
        return self.units * self.price.usd


def total(parts: Iterable[Part]) -> float:
    """Return what parts come to together, in USD."""
    return math.fsum(part.usd for part in parts)


def serving_parts(
    usage: Usage, machine: Machine, *, region: str, prices: Prices
) -> tuple[Part, ...]:
    """Return the parts that grow with usage. Raises BoringError `price_unknown`.

    Stored logs are counted as they came in, for as long as they are kept: AWS compresses them
    first, so this part is an upper bound.
    """
    second, million = prices.function(region, machine.architecture)
    gigabytes = machine.memory_mb / 1024
    init_ms = min(usage.init_ms, usage.billed_ms)
    log_gb = usage.log_bytes / _GB

    def priced(name: str) -> Price:
        return prices.service(region, name)

    return (
        Part("requests", usage.invocations / 1e6, "million requests", million),
        Part("duration", (usage.billed_ms - init_ms) / 1000 * gigabytes, "GB-s", second),
        Part("init", init_ms / 1000 * gigabytes, "GB-s", second),
        Part("api", usage.api_requests / 1e6, "million requests", priced("api_million_requests")),
        Part("logs", log_gb, "GB", priced("log_gb")),
        Part(
            "log_storage",
            log_gb * machine.retention_days / MONTH_DAYS,
            "GB-month",
            priced("log_gb_month"),
        ),
        Part(
            "queue",
            usage.queue_requests / 1e6,
            "million requests",
            priced("queue_million_requests"),
        ),
        Part("table_writes", usage.table_writes / 1e6, "million", priced("table_million_writes")),
        Part("table_reads", usage.table_reads / 1e6, "million", priced("table_million_reads")),
    )


def fixed_parts(fixed: Fixed, hours: float, *, region: str, prices: Prices) -> tuple[Part, ...]:
    """Return the parts that time alone brings, for so many hours of a month of 720.

    CloudWatch bills a metric for the hours in which it has data, and an alarm by its metrics.
    Raises BoringError `price_unknown`.
    """
    share = hours / MONTH_HOURS
    counts = (
        ("metrics", fixed.metrics, "metric_month"),
        ("alarms", fixed.alarm_metrics, "alarm_metric_month"),
        ("composite_alarms", fixed.composite_alarms, "composite_alarm_month"),
        ("dashboards", fixed.dashboards, "dashboard_month"),
    )
    return tuple(
        Part(name, count * share, "months", prices.service(region, price))
        for name, count, price in counts
    )
