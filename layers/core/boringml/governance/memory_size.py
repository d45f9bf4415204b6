"""How much memory a function should have, from what Lambda reports of its invocations.

Lambda gives CPU in proportion to memory, one vCPU at 1,769 MB ("Configure Lambda function memory"),
and bills memory times milliseconds, rounded up. Work that fills a core costs the same at any size;
what is below a millisecond, or waits, costs less with less memory.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from boringml.errors import BoringError

FULL_CPU_MB = 1769
LEAST_MB, MOST_MB = 128, 10_240
STEP_MB = 64
# Above the most that was used: the next model is larger, and what is out of memory is killed.
HEADROOM = 1.25
# A p95 of fewer is of the luck of a few.
ENOUGH = 100
# Below this share of the cost a change is not worth a release.
WORTH = 0.05


@dataclass(frozen=True)
class Invocation:
    """What Lambda reports of one invocation; `init_ms` is None but at a start."""

    memory_mb: int
    used_mb: int
    duration_ms: float
    init_ms: float | None = None

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> "Invocation | None":
        """Return that of a log line of the type platform.report; None of any other line."""
        if line.get("type") != "platform.report":
            return None
        found = line["record"]["metrics"]
        return cls(
            int(found["memorySizeMB"]),
            int(found["maxMemoryUsedMB"]),
            float(found["durationMs"]),
            found.get("initDurationMs"),
        )


@dataclass(frozen=True)
class Price:
    """In USD: a GB-second, and a million requests."""

    gb_second: float
    million: float


@dataclass(frozen=True)
class Size:
    """One size: milliseconds are expected at most, USD are for a million invocations."""

    memory_mb: int
    p95_ms: float
    start_ms: float | None
    usd_per_million: float


@dataclass(frozen=True)
class Advice:
    """A size, beside the one of now, and why."""

    now: Size
    better: Size
    invocations: int
    starts: int
    used_mb: int
    why: str

    @property
    def saving(self) -> float:
        """The share of the cost that the better size saves; below 0 it costs more."""
        return 1 - self.better.usd_per_million / self.now.usd_per_million


def advise(
    invocations: Sequence[Invocation], price: Price, p95_ms: float, start_ms: float
) -> Advice:
    """Return the cheapest size within both budgets, of invocations in the order of their times.

    Those of another size than the last one's are left out. All time is taken for work of the CPU,
    so that less memory is never said to be faster than it will be. Raises BoringError `too_few`.
    """
    size = invocations[-1].memory_mb if invocations else 0
    found = [one for one in invocations if one.memory_mb == size]
    if len(found) < ENOUGH:
        told = f"{len(found)} invocations at {size} MB: {ENOUGH} are needed for a p95."
        raise BoringError("too_few", told, 409)
    used = max(one.used_mb for one in found)
    floor = least_size(used)
    now = size_of(found, size, price)
    fitting = [
        one
        for one in (size_of(found, memory, price) for memory in _sizes(floor, size))
        if one.p95_ms <= p95_ms and (one.start_ms is None or one.start_ms <= start_ms)
    ]
    starts = sum(one.init_ms is not None for one in found)

    def advice(better: Size, why: str) -> Advice:
        return Advice(now, better, len(found), starts, used, why)

    memory_told = f"{used} MB of {size} MB were used at most"
    if not fitting:
        fullest = size_of(found, max(floor, size, FULL_CPU_MB), price)
        told = (
            f"{memory_told}. No size keeps a p95 of {p95_ms:g} ms and a start of {start_ms:g} ms: "
            f"{fullest.memory_mb} MB has the full core that one thread can use."
        )
        return advice(fullest, told)
    # The larger one of two that cost the same is the faster one.
    best = min(fitting, key=lambda one: (round(one.usd_per_million, 6), -one.memory_mb))
    if now in fitting and 1 - best.usd_per_million / now.usd_per_million < WORTH:
        return advice(now, f"{memory_told}, and no size that fits is {WORTH:.0%} cheaper.")
    start_told = "" if best.start_ms is None else f", a start at most {best.start_ms:.0f} ms"
    told = (
        f"{memory_told}; {best.memory_mb} MB holds that and a quarter more. "
        f"Its p95 is expected at most {best.p95_ms:.1f} ms{start_told}: "
        f"within {p95_ms:g} and {start_ms:g} ms."
    )
    return advice(best, told)


def cpu_share(memory_mb: int) -> float:
    """Return the share of one core that one thread has at a size."""
    return min(1.0, memory_mb / FULL_CPU_MB)


def least_size(used_mb: int) -> int:
    """Return the least size that holds what was used, with room to spare, in steps of 64 MB."""
    return max(LEAST_MB, min(MOST_MB, math.ceil(used_mb * HEADROOM / STEP_MB) * STEP_MB))


def size_of(found: Sequence[Invocation], memory_mb: int, price: Price) -> Size:
    """Return what these invocations, all of one size, would have been at another."""
    slower = cpu_share(found[0].memory_mb) / cpu_share(memory_mb)
    durations = sorted(one.duration_ms * slower for one in found)
    starts = [one.init_ms * slower for one in found if one.init_ms is not None]
    billed = sum(map(math.ceil, durations)) + sum(map(math.ceil, starts))
    usd = billed / len(found) / 1000 * memory_mb / 1024 * price.gb_second
    return Size(
        memory_mb,
        round(durations[math.ceil(0.95 * len(durations)) - 1], 3),
        round(max(starts), 3) if starts else None,
        price.million + usd * 1e6,
    )


def _sizes(floor: int, now: int) -> list[int]:
    """Return the sizes to choose from: beyond a full core there is nothing for one thread."""
    most = max(floor, now, FULL_CPU_MB)
    return sorted({*range(floor, most + 1, STEP_MB), *(m for m in (now, most) if m >= floor)})
