"""Facts of the registry in words, as tables show them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from boringml.registry.items import route_of
from boringml.registry.records import (
    APPLIED,
    MOVED,
    OPEN,
    REGISTERED,
    SPLIT,
    STEP,
    HistoryEvent,
    Reason,
    Route,
    RunClaim,
)
from boringml.registry.wording import who

__all__ = [
    "NOTHING",
    "event",
    "moment",
    "pascal",
    "reason",
    "released",
    "route",
    "share",
    "text",
    "trained",
    "version",
    "who",
]

NOTHING = "-"


def pascal(model: str) -> str:
    """Return a model's name as the stack's outputs begin with it: churn-eu is ChurnEu."""
    return "".join(part.capitalize() for part in model.split("-"))


def moment(at: datetime) -> str:
    """Return a time to the second, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def share(value: float) -> str:
    """Return a share of requests in per cent."""
    return f"{value * 100:.4g} %"


def text(value: Any) -> str:
    """Return a value of a document: text as it is, all else as JSON has it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def version(number: int | None) -> str:
    """Return a version's number."""
    return NOTHING if number is None else str(number)


def released(number: int | None) -> str:
    """Return what a release is of: a version, or new code with the one that is live."""
    return "new code" if number is None else f"version {number}"


def trained(run: RunClaim) -> str:
    """Return how a training run ended, with the code of its reason, and when."""
    ended = moment(run.finished_at or run.claimed_at)
    if run.status == OPEN:
        return f"under way since {ended}"
    if run.version is not None:
        return f"version {run.version} registered {ended}"
    code = run.reason.get("code") if isinstance(run.reason, Mapping) else None
    return f"{run.status}{f': {code}' if code else ''} {ended}"


def reason(told: Reason | None) -> str:
    """Return a reason as one sentence."""
    if isinstance(told, Mapping):
        return f"{told.get('code')}: {told.get('message')}"
    return told or NOTHING


def route(to: Route) -> str:
    """Return where requests go: the version, the canary beside it and its share."""
    if to.canary is None:
        return version(to.version)
    beside = version(to.canary.version)
    code = f" (code {to.canary.function_version})" if to.canary.version == to.version else ""
    return f"{version(to.version)} + {beside}{code} at {share(to.canary.weight)}"


def event(happened: HistoryEvent, *, in_rollback: bool = False) -> str:
    """Return what happened, without who and why. `in_rollback`: by an execution that rolls back."""
    kind, alias = happened.kind, happened.alias
    if kind == REGISTERED:
        return f"version {happened.to_version} registered"
    if kind == STEP:
        step, outcome = happened.details.get("step"), happened.details.get("outcome")
        if in_rollback and step == "end":
            to = f" to version {happened.to_version}" if happened.to_version else ""
            return f"rollback{to} refused"
        return f"{step} of {released(happened.to_version)}: {outcome}"
    now = route(route_of(happened))
    if kind == MOVED:
        return f"{alias} {version(happened.from_version)} -> {now}"
    return {SPLIT: f"{alias} shares: {now}", APPLIED: f"{alias} in Lambda: {now}"}.get(kind, kind)
