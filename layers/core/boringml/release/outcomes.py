"""Business outcomes: what became of a prediction, told by the business with the request's id."""

import re
from collections.abc import Mapping
from typing import Any

from boringml.errors import BoringError
from boringml.metric_line import COUNT, metric_line

# The lengths and letters that our own answers have; each new model name would be a new metric.
_MODEL = re.compile(r"[a-z][a-z0-9-]{0,31}")
_REQUEST = re.compile(r"[A-Za-z0-9._-]{1,128}")


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
    metrics = {"outcomes": 1, "bad_outcomes": 0 if detail["good"] else 1}
    return metric_line(
        namespace,
        {
            "outcome": kind,
            "model": detail["model"],
            "model_version": str(detail["model_version"]),
            "request_id": detail["request_id"],
        },
        metrics,
        dimensions=[["model", "model_version", "outcome"]],
        units=dict.fromkeys(metrics, COUNT),
    )


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
