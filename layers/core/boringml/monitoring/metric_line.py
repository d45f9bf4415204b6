"""The log line of what a look at a model found, which is also its metrics (EMF)."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any


def metric_line(
    namespace: str,
    model: str,
    values: Mapping[str, float],
    now: datetime,
    *,
    level: str = "INFO",
    further: Mapping[str, Any] = MappingProxyType({}),
) -> str:
    """Return one line, ended, with each value as a metric of the dimension `model`.

    `further` are fields for whoever reads the line. It has a level and an RFC 3339 time, without
    which a log-level filter may drop it.
    """
    line = {
        "level": level,
        "timestamp": now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "model": model,
        **further,
        **values,
        "_aws": {
            "Timestamp": int(now.timestamp() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": namespace,
                    "Dimensions": [["model"]],
                    "Metrics": [{"Name": name} for name in values],
                }
            ],
        },
    }
    return json.dumps(line, allow_nan=False) + "\n"
