"""The steps of a release: publish, promote, abandon. Shadow and canary come in between."""

from typing import TYPE_CHECKING, Any

from boringml.registry.records import CANDIDATE, LIVE

if TYPE_CHECKING:
    from boringml.adapters.event_bus import EventBus
    from boringml.adapters.registry_table import RegistryTable
    from boringml.adapters.serving_function import ServingFunction


def publish_version(
    registry: "RegistryTable", function: "ServingFunction", model: str, number: int, by: str
) -> dict[str, Any]:
    """Publish (code of $LATEST, this version) and make it the candidate."""
    version = registry.version(model, number)
    published = function.publish(
        {
            "MODEL_NAME": model,
            "MODEL_VERSION": str(number),
            "MODEL_PACKAGE": version.package_uri,
            "MODEL_DIGEST": version.package_digest,
        },
        f"{model} version {number}",
    )
    function.point(CANDIDATE, published)
    _move(registry, model, CANDIDATE, number, by, f"published as function version {published}")
    return {"function_version": published}


def promote_version(
    registry: "RegistryTable",
    function: "ServingFunction",
    events: "EventBus",
    model: str,
    number: int,
    by: str,
    published: str,
    why: str,
) -> dict[str, Any]:
    """Move `live` to the candidate, in Lambda and in the registry, or in neither."""
    before = function.point(LIVE, published)
    try:
        moved = _move(registry, model, LIVE, number, by, why)
    except Exception:
        # Whatever it was, Lambda and registry must not tell two stories.
        function.point(LIVE, before)
        raise
    _move(registry, model, CANDIDATE, None, by, f"version {number} is live")
    events.publish(
        "ModelPromoted",
        {"model": model, "version": number, "from": moved, "function_version": published},
    )
    return {"version": number, "from": moved, "function_version": published}


def abandon_candidate(
    registry: "RegistryTable",
    function: "ServingFunction",
    events: "EventBus",
    model: str,
    number: int,
    by: str,
    reason: dict[str, str],
) -> dict[str, Any]:
    """Take a failed candidate back: `candidate` points to what is live, and `live` is untouched."""
    function.point(CANDIDATE, function.alias(LIVE))
    if registry.alias(model, CANDIDATE) is not None:
        why = f"{reason['code']}: {reason['message']}"[:900]
        _move(registry, model, CANDIDATE, None, by, why)
    events.publish("PromotionFailed", {"model": model, "version": number, "reason": reason})
    return {"version": number, "reason": reason}


def _move(
    registry: "RegistryTable", model: str, alias: str, to: int | None, by: str, why: str
) -> int | None:
    """Move an alias from wherever it is; return where it was. Done already is done."""
    now = registry.alias(model, alias)
    if now != to:
        registry.move_alias(model, alias, to=to, expected=now, by=by, why=why)
    return now
