"""The plan of a release, from the `release` section of model.yaml."""

from collections.abc import Mapping
from typing import Any

# A look costs a few calls: the numbers of a minute change little within seconds.
_SHORTEST_WAIT = 10


def release_plan(
    declaration: Mapping[str, Any], *, minute_seconds: float, approval: bool
) -> dict[str, Any]:
    """Return {"smoke", "shadow", "canary", "kpi", "approval", "bake_seconds", "poll_seconds"}.

    `declaration` is model.yaml, which models/schemas holds it to. Its minutes become seconds of
    `minute_seconds` each: 60, but on the local AWS, where nobody waits for an hour.
    """
    release = declaration["release"]
    canary = release["canary"]
    return {
        "smoke": release["smoke"],
        "shadow": _in_seconds(release["shadow"], minute_seconds),
        "canary": {
            **canary,
            "steps": [_in_seconds(step, minute_seconds) for step in canary["steps"]],
            "kpi": release.get("kpi"),
        },
        "approval": approval,
        "bake_seconds": release["bake_minutes"] * minute_seconds,
        "poll_seconds": max(_SHORTEST_WAIT, minute_seconds),
    }


def _in_seconds(part: Mapping[str, Any], minute_seconds: float) -> dict[str, Any]:
    kept = {name: value for name, value in part.items() if name != "minutes"}
    return {**kept, "seconds": part["minutes"] * minute_seconds}
