"""Lambda follows the registry: what the registry decided is what alias live does."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from boringml.errors import BoringError
from boringml.registry.records import LIVE, Canary, Route

if TYPE_CHECKING:
    from boringml.adapters.registry_table import RegistryTable
    from boringml.adapters.serving_function import ServingFunction

# Each turn is lost to another mover of the same alias, of whom there are few.
_TURNS = 20


@dataclass(frozen=True)
class Mover:
    """Who moves traffic: the execution that has the lock, and who stands behind it."""

    execution: str
    by: str


def send(
    registry: "RegistryTable",
    function: "ServingFunction",
    model: str,
    to: Route,
    *,
    mover: Mover,
    why: str,
    details: dict[str, Any] | None = None,
) -> Route:
    """Decide in the registry where live sends its requests, make Lambda do so; return what was.

    Raises what `RegistryTable.send_traffic` raises, or BoringError `function_changed` (409).
    """
    before = registry.route(model)
    registry.send_traffic(
        model,
        to,
        expected=before,
        holder=mover.execution,
        by=mover.by,
        why=why,
        details=details or {},
    )
    follow(registry, function, model, by=mover.by)
    return before


def follow(registry: "RegistryTable", function: "ServingFunction", model: str, *, by: str) -> Route:
    """Make Lambda's alias live send requests as the registry says; return how that is.

    Any number may follow at once, whatever each of them decided: Lambda's revision is read before
    the registry, so that a write by who read an older decision is refused, and it is read again
    afterwards. So Lambda ends with the last decision. Once it does, the history says so.
    """
    moved = False
    for _ in range(_TURNS):
        now = function.routing(LIVE)
        wanted = registry.route(model)
        if wanted.function_version is None:
            return wanted
        weights = _weights(wanted.canary)
        if (now.function_version, dict(now.weights)) == (wanted.function_version, weights):
            if moved:
                registry.record_applied(model, wanted, by=by)
            return wanted
        to = type(now)(wanted.function_version, weights, now.revision)
        moved = function.send(LIVE, to) or moved
    told = f"Alias live of {function.name} kept being moved by others: try again."
    raise BoringError("function_changed", told, 409)


def _weights(canary: Canary | None) -> dict[str, float]:
    return {canary.function_version: canary.weight} if canary else {}
