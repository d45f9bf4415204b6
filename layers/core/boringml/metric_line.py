"""A log line that is also metrics (EMF), of all that is no prediction.

The prediction log has its own, as it is written on the hot path: boringml.serving.prediction_log.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

COUNT: Final = "Count"
BY_MODEL: Final = (("model",),)


def metric_line(
    namespace: str,
    fields: Mapping[str, Any],
    metrics: Mapping[str, Any],
    *,
    now: datetime | None = None,
    level: str = "INFO",
    dimensions: Sequence[Sequence[str]] = BY_MODEL,
    units: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Return one line, ended, with each of `metrics` as a metric of each set of `dimensions`.

    `fields` have the dimensions, and what else a reader wants. A metric is a number or a list of
    them, of no unit where `units` does not say. The line has a level and an RFC 3339 time, without
    which a log-level filter may drop it. Raises ValueError for a number that is none in JSON.
    """
    at = now or datetime.now(UTC)
    line = {
        "level": level,
        "timestamp": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        **fields,
        **metrics,
        "_aws": {
            "Timestamp": int(at.timestamp() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": namespace,
                    "Dimensions": [list(names) for names in dimensions],
                    "Metrics": [{"Name": n, "Unit": units.get(n, "None")} for n in metrics],
                }
            ],
        },
    }
    return json.dumps(line, allow_nan=False) + "\n"
