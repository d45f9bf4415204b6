"""Facts of the registry in words, as tables show them."""

import json
from datetime import UTC, datetime
from typing import Any

from boringml.registry.items import route_of
from boringml.registry.records import APPLIED, MOVED, REGISTERED, SPLIT, STEP, HistoryEvent, Route
from boringml.registry.wording import who

__all__ = ["NOTHING", "event", "moment", "pascal", "route", "share", "text", "version", "who"]

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


def route(to: Route) -> str:
    """Return where requests go: the version, the canary beside it and its share."""
    if to.canary is None:
        return version(to.version)
    beside = version(to.canary.version)
    code = f" (code {to.canary.function_version})" if to.canary.version == to.version else ""
    return f"{version(to.version)} + {beside}{code} at {share(to.canary.weight)}"


def event(happened: HistoryEvent) -> str:
    """Return what happened, without who and why."""
    kind, alias = happened.kind, happened.alias
    if kind == REGISTERED:
        return f"version {happened.to_version} registered"
    if kind == STEP:
        step, outcome = happened.details.get("step"), happened.details.get("outcome")
        return f"{step} of version {version(happened.to_version)}: {outcome}"
    now = route(route_of(happened))
    if kind == MOVED:
        return f"{alias} {version(happened.from_version)} -> {now}"
    return {SPLIT: f"{alias} shares: {now}", APPLIED: f"{alias} in Lambda: {now}"}.get(kind, kind)
