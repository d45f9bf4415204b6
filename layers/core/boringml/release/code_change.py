"""Code that was deployed, is not live yet, and was not tried yet."""

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from boringml.registry.items import route_of
from boringml.registry.records import LIVE, MOVED, STEP, HistoryEvent, Route

if TYPE_CHECKING:
    from boringml.adapters.executions import Executions
    from boringml.adapters.registry_table import RegistryTable
    from boringml.adapters.serving_function import ServingFunction


def fingerprint(code: Any) -> str:
    """Return the SHA-256, in hex, of what makes the code of a function version."""
    return hashlib.sha256(json.dumps(code, sort_keys=True).encode()).hexdigest()


def releases_of_new_code(
    registry: "RegistryTable",
    functions: Mapping[str, "ServingFunction"],
    executions: "Executions",
) -> dict[str, str]:
    """Return {model: name of a release} of the models whose newest code wants a release.

    It does where other code is live, unless the newest is what was published last, with the version
    that is live or with one that was: code that failed is not tried again and again, but a person
    may. While a release or a rollback is under way nothing is asked: its end asks again.
    A model that was never released has nothing to compare with: its first release takes $LATEST.
    While a release or a rollback is under way nothing is asked: its end asks again.
    The name is the same until a release publishes or is refused before it could begin, so that
    several who ask start one release.
    """
    found = {}
    for model, function in functions.items():
        live, lock = registry.route(model), registry.lock(model)
        if live.function_version is None or (lock and executions.running(lock.holder)):
            continue
        code = function.code("$LATEST")
        if code == function.code(live.function_version):
            continue
        history, digest = registry.history(model), fingerprint(code)
        if not _tried(history, live, digest):
            turns = [event.sequence for event in history if _published(event) or _refused(event)]
            found[model] = f"code-{model}-{digest[:24]}-{turns[-1] if turns else 0}"
    return found


def _tried(history: list[HistoryEvent], live: Route, digest: str) -> bool:
    last = next((event for event in reversed(history) if _published(event)), None)
    if last is None or last.details["code"] != digest:
        return False
    return last.to_version == live.version or any(
        event.kind == MOVED
        and event.alias == LIVE
        and route_of(event).function_version == last.details["function_version"]
        for event in history
    )


def _published(event: HistoryEvent) -> bool:
    return event.kind == STEP and event.details.get("step") == "publish"


def _refused(event: HistoryEvent) -> bool:
    return event.kind == STEP and event.details.get("outcome") == "refused"
