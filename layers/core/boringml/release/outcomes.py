"""Business outcomes: what became of a prediction, told by the business with the request's id."""

import json
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from boringml.errors import BoringError

# The lengths and letters that our own answers have; each new model name would be a new metric.
_MODEL = re.compile(r"[a-z][a-z0-9-]{0,31}")
_REQUEST = re.compile(r"[A-Za-z0-9._-]{1,128}")
_METRICS = [{"Name": "outcomes", "Unit": "Count"}, {"Name": "bad_outcomes", "Unit": "Count"}]


def outcome_id(kind: str, detail: Mapping[str, Any]) -> str:
    """Return what is the same for the same outcome of the same request, however often it is told.

    Raises BoringError `outcome_invalid` (422), naming the field and not its value.
    """
    _check(kind, detail)
    return f"{detail['model']}/{kind}/{detail['request_id']}"


def outcome_line(kind: str, detail: Mapping[str, Any], namespace: str) -> str:
    """Return the log line of an outcome, which is also its metrics `outcomes` and `bad_outcomes`.

    `detail` is {"model", "model_version", "request_id", "good"}: the first three as the prediction
    was answered, `good` is whether the business got what it wanted, such as a loan accepted.
    Raises BoringError `outcome_invalid` (422), naming the field and not its value.
    """
    _check(kind, detail)
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


def _check(kind: str, detail: Mapping[str, Any]) -> None:
    wanted = {
        "model": _matches(detail.get("model"), _MODEL),
        "model_version": type(detail.get("model_version")) is int and detail["model_version"] > 0,
        "request_id": _matches(detail.get("request_id"), _REQUEST),
        "good": isinstance(detail.get("good"), bool),
    }
    for field, fine in wanted.items():
        if not fine:
            found = type(detail.get(field)).__name__
            told = f"{field} of the event {kind} is no such thing as a prediction has: {found}."
            raise BoringError("outcome_invalid", told, 422, field=field)


def _matches(value: Any, form: re.Pattern[str]) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None
