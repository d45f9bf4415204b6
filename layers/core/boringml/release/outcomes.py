"""Business outcomes: what became of a prediction, told by the business with the request's id."""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from boringml.errors import BoringError

_METRICS = [{"Name": "outcomes", "Unit": "Count"}, {"Name": "bad_outcomes", "Unit": "Count"}]


def outcome_line(kind: str, detail: Mapping[str, Any], namespace: str) -> str:
    """Return the log line of an outcome, which is also its metrics `outcomes` and `bad_outcomes`.

    `detail` is {"model", "model_version", "request_id", "good"}: the first three as the prediction
    was answered, `good` is whether the business got what it wanted, such as a loan accepted.
    Raises BoringError `outcome_invalid` (422), naming the field.
    """
    for field, accepted in (
        ("model", str),
        ("model_version", int),
        ("request_id", str),
        ("good", bool),
    ):
        value = detail.get(field)
        if not isinstance(value, accepted) or (accepted is int and isinstance(value, bool)):
            told = f"{field} of the event {kind} is {value!r}: it must be {accepted.__name__}."
            raise BoringError("outcome_invalid", told, 422, field=field)
    now = time.time()
    line = {
        "level": "INFO",
        "timestamp": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds"),
        "outcome": kind,
        "model": detail["model"],
        "model_version": str(detail["model_version"]),
        "request_id": detail["request_id"],
        "outcomes": 1,
        "bad_outcomes": 0 if detail["good"] else 1,
        "_aws": {
            "Timestamp": int(now * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": namespace,
                    "Dimensions": [["model", "model_version", "outcome"]],
                    "Metrics": _METRICS,
                }
            ],
        },
    }
    return json.dumps(line) + "\n"
