"""A stream of predictions, hour by hour, as looks at it see it: labels that are known by then."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.monitoring.quality_world import Pool
from boringml.monitoring import quality
from boringml.monitoring.label_join import Fate, Joined
from boringml.monitoring.quality import Comparison, Holdout
from boringml.monitoring.quality_metrics import METRICS
from boringml.monitoring.quality_settings import QualitySettings

HOUR = 3_600_000
DAY = 24 * HOUR
LATE_DAYS = 7


@dataclass(frozen=True)
class Verdict:
    """One look: its hour since the start, what was compared, and what plain looks would have said.

    `plain` is a fall by the 95 % interval of the window alone, against the holdout as it is.
    """

    hour: int
    compared: list[Comparison]
    plain: bool

    def fell(self, against: str | None = None) -> bool:
        """Return whether a fall was told, by one comparison or by any."""
        return any(one.fell for one in self.compared if against in (None, one.against))


class Stream:
    """`days` of `per_day` predictions, broken from day `broken_from` on; labels a week late."""

    def __init__(
        self,
        pool: Pool,
        days: int,
        per_day: int,
        random: np.random.Generator,
        broken_from: int | None = None,
    ) -> None:
        count = days * per_day
        self.at = np.sort(random.integers(0, days * DAY, count))
        broken = self.at // DAY >= (days if broken_from is None else broken_from)
        self.labels, self.scores = pool.draw(random, broken)
        self.known_at = self.at + LATE_DAYS * DAY + random.integers(0, DAY, count)

    def joined(self, hour: int, horizon_days: int) -> Joined:
        """Return what a look at an hour joins."""
        now = hour * HOUR
        begin, end = np.searchsorted(self.at, [(now // DAY - horizon_days) * DAY, now])
        part = slice(begin, end)
        label: Any = np.where(self.known_at[part] <= now, self.labels[part], -1).astype(np.int8)
        ones = np.ones(end - begin, np.int64)
        return Joined(self.at[part], ones, self.scores[part], label, Fate())

    def looks(
        self, hours: Iterator[int] | range, settings: QualitySettings, holdout: Holdout
    ) -> Iterator[Verdict]:
        """Yield a verdict for each hour."""
        measure, _ = METRICS[settings.metric]
        for hour in hours:
            joined = self.joined(hour, settings.horizon_days)
            window, before = quality.settled_windows(joined, settings.window_days)
            if window is None or not quality.enough(window.of(joined), settings.min_labels):
                yield Verdict(hour, [], False)
                continue
            now = window.of(joined)
            past = before.of(joined) if before else None
            known = now.labelled
            value = measure(known.label, known.probability)
            bar = holdout.metrics[settings.metric] - settings.tolerance
            plain = value.interval()[1] < bar
            yield Verdict(hour, quality.compare(now, past, holdout, settings), plain)
