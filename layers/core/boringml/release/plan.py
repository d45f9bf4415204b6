"""The plan of a release, from the `release` section of model.yaml."""

from collections.abc import Mapping
from typing import Any

from boringml.errors import BoringError

# A look costs a few calls: the numbers of a minute change little within seconds.
_SHORTEST_WAIT = 10


def release_plan(
    declaration: Mapping[str, Any], *, minute_seconds: float, approval: bool
) -> dict[str, Any]:
    """Return {"smoke", "shadow", "canary", "kpi", "approval", "bake_seconds", "poll_seconds"}.

    `declaration` is model.yaml, which models/schemas holds it to. Its minutes become seconds of
    `minute_seconds` each: 60, but on the local AWS, where nobody waits for an hour. A model that is
    not served has neither smoke nor canary.
    """
    release = declaration["release"]
    if not is_served(declaration):
        # Rows are there at once, no request is timed, and no alarm tells of a bad version.
        live_traffic: dict[str, Any] = {"smoke": None, "shadow": release["shadow"], "canary": None}
        bake_minutes = 0
    else:
        canary = release["canary"]
        live_traffic = {
            "smoke": release["smoke"],
            "shadow": _in_seconds(release["shadow"], minute_seconds),
            "canary": {
                **canary,
                "steps": [_in_seconds(step, minute_seconds) for step in canary["steps"]],
                "kpi": release.get("kpi"),
            },
        }
        bake_minutes = release["bake_minutes"]
    return {
        **live_traffic,
        "approval": approval,
        "bake_seconds": bake_minutes * minute_seconds,
        "poll_seconds": max(_SHORTEST_WAIT, minute_seconds),
    }


def is_served(declaration: Mapping[str, Any]) -> bool:
    """Return whether a function answers for the model: only batches ask the others."""
    return bool({"online", "async"} & set(declaration["patterns"]))


def check_function(declaration: Mapping[str, Any], function: str | None) -> None:
    """Raise BoringError `function_unknown` where a served model has no function, or the reverse.

    What the registry alone decided would not reach the function's clients.
    """
    if is_served(declaration) != (function is not None):
        told = (
            f"{declaration['name']} has the patterns {declaration['patterns']} and the function "
            f"{function}: mend ServingFunctions in template.yaml."
        )
        raise BoringError("function_unknown", told, 422)


def _in_seconds(part: Mapping[str, Any], minute_seconds: float) -> dict[str, Any]:
    kept = {name: value for name, value in part.items() if name != "minutes"}
    return {**kept, "seconds": part["minutes"] * minute_seconds}
