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

    It does where other code is live, and the newest was tried neither with the version that is live
    nor with one that was live: code that failed is not tried again and again, a person may do so.
    A model that was never released has nothing to compare with: its first release takes $LATEST.
    While a release or a rollback is under way nothing is asked: its end asks again.
    The name is the same for the same code and version, so that several who ask start one release;
    and another one after a release that was refused before it could begin.
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
            turn = sum(_refused(event) for event in history)
            found[model] = f"code-{model}-{digest[:24]}-{live.version}-{turn}"
    return found


def _tried(history: list[HistoryEvent], live: Route, digest: str) -> bool:
    was_live = {
        route_of(event).function_version
        for event in history
        if event.kind == MOVED and event.alias == LIVE
    }
    return any(
        event.to_version == live.version or event.details["function_version"] in was_live
        for event in history
        if event.kind == STEP and event.details.get("code") == digest
    )


def _refused(event: HistoryEvent) -> bool:
    return event.kind == STEP and event.details.get("outcome") == "refused"
