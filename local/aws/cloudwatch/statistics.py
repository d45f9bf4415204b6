"""Statistics of GetMetricData beyond the basic ones and percentiles.

AWS knows TC(low:high), the number of values above `low` and up to `high`, either of which may be
left out ("CloudWatch statistics definitions"). MiniStack 1.5.33 answers what it does not know with
the average. Here TC counts, and any other statistic is refused.
Seams: cloudwatch._stat_value, _percentile_samples, _is_percentile_stat.
"""

import re
from typing import Any

from ministack.services import cloudwatch

from local.aws.seams import seam

BASIC = {"SampleCount", "Sum", "Average", "Minimum", "Maximum"}
_COUNT = re.compile(r"TC\((?P<low>[0-9.]*):(?P<high>[0-9.]*)\)")


def count_inside(samples: list[tuple[float, float]], low: str, high: str) -> float:
    """Return how many of the (value, weight) samples lie in (low, high]."""
    least, most = float(low or "-inf"), float(high or "inf")
    return sum(weight for value, weight in samples if least < value <= most)


def install() -> None:
    """Count by TC, and refuse what would be answered wrongly."""
    known = seam(cloudwatch, "_stat_value")
    is_percentile = seam(cloudwatch, "_is_percentile_stat")
    samples_of = seam(cloudwatch, "_percentile_samples")

    def stat_value(stats: dict[str, float], name: str, points: Any = None) -> Any:
        found = _COUNT.fullmatch(name)
        if found:
            return count_inside(samples_of(points or []) or [], found["low"], found["high"])
        if name not in BASIC and not is_percentile(name):
            raise NotImplementedError(f"the local AWS does not know the statistic {name}")
        return known(stats, name, points)

    cloudwatch._stat_value = stat_value
