"""Taking turns: what is compared runs side by side, so a busy machine slows all of it alike."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Call = Callable[[], Any]


@dataclass(frozen=True)
class Spread:
    """The median of the rounds, and the range that holds the middle half of them."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the spread of at least two values."""
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high)

    def rounded(self, digits: int = 3) -> dict[str, float]:
        """Return {"median", "low", "high"} for a result file."""
        return {name: round(value, digits) for name, value in vars(self).items()}


@dataclass(frozen=True)
class Race:
    """Times in microseconds: of each competitor, for each round, each of its calls."""

    times: Mapping[str, Sequence[Sequence[float]]]

    def quantile(self, name: str, share: float) -> list[float]:
        """Return a competitor's quantile in each round."""
        return [quantile(calls, share) for calls in self.times[name]]

    def p50(self, name: str) -> Spread:
        """Return a competitor's median call."""
        return Spread.of(self.quantile(name, 0.5))

    def ratio(self, name: str, over: str, share: float = 0.5) -> Spread:
        """Return the ratio of two competitors' quantiles, each of one round."""
        pairs = zip(self.quantile(name, share), self.quantile(over, share), strict=True)
        return Spread.of([one / other for one, other in pairs])

    def added(self, name: str, over: str, share: float = 0.5) -> Spread:
        """Return what a competitor's quantile is above the median of another, round by round."""
        pairs = zip(self.quantile(name, share), self.quantile(over, 0.5), strict=True)
        return Spread.of([one - other for one, other in pairs])


def quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def race(
    competitors: Mapping[str, Call],
    rounds: int,
    calls: int,
    warm_up: int = 200,
    between: Call = lambda: None,
) -> Race:
    """Time each call of each competitor, in turns that change direction each round.

    `between` is called, untimed, before each turn.
    """
    for call in competitors.values():
        for _ in range(warm_up):
            call()
    times: dict[str, list[list[float]]] = {name: [] for name in competitors}
    clock = time.perf_counter_ns
    for number in range(rounds):
        for name, call in list(competitors.items())[:: 1 if number % 2 else -1]:
            marks = []
            between()
            for _ in range(calls):
                begin = clock()
                call()
                marks.append(clock() - begin)
            times[name].append([mark / 1000 for mark in marks])
    return Race(times)
