"""Lambda follows the registry: what the registry decided is what alias live does."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from boringml.errors import BoringError
from boringml.registry.records import LIVE, Canary, HistoryEvent, Route

if TYPE_CHECKING:
    from boringml.adapters.registry_table import RegistryTable
    from boringml.adapters.serving_function import Routing

# Each turn is lost to another mover of the same alias, of whom there are few.
_TURNS = 20


class Follower(Protocol):
    """Does as the registry decided: the aliases of a serving function, or nothing at all.

    boringml.adapters.followers has both. Of a model without a function, the registry alone moves:
    its routes have no function version.
    """

    name: str

    def routing(self, name: str, /) -> "Routing":
        """Return where an alias sends requests, and the revision that says so."""

    def send(self, name: str, to: "Routing", /) -> bool:
        """Send an alias's requests as `to` says; return False where another mover came between."""

    def point(self, name: str, version: str, /) -> str:
        """Move all traffic of an alias to a version; return where it pointed before."""

    def require(self, version: str | None, /) -> None:
        """Raise BoringError `function_version_gone` (410) where a version is gone."""


@dataclass(frozen=True)
class Mover:
    """Who moves traffic: the holder of the lock, and who the history names for it."""

    holder: str
    by: str


def send(
    registry: "RegistryTable",
    function: Follower,
    model: str,
    to: Route,
    *,
    mover: Mover,
    why: str,
    details: dict[str, Any] | None = None,
) -> HistoryEvent:
    """Decide in the registry where live sends its requests, and make Lambda do so.

    Returns the event of the decision; where live is as `to` says already, that is its last one.
    Raises what `RegistryTable.send_traffic` raises, or BoringError `function_changed` (409).
    """
    decided = registry.send_traffic(
        model,
        to,
        expected=registry.route(model),
        holder=mover.holder,
        by=mover.by,
        why=why,
        details=details or {},
    )
    follow(registry, function, model, by=mover.by)
    return decided


def follow(registry: "RegistryTable", function: Follower, model: str, *, by: str) -> Route:
    """Make Lambda's alias live send requests as the registry says; return how that is.

    Any number may follow at once, whatever each of them decided: Lambda's revision is read before
    the registry, so that a write by who read an older decision is refused, and it is read again
    afterwards. So Lambda ends with the last decision. Once it does, the history says so: whoever
    sees it first, since who made it do so may have died.
    """
    for _ in range(_TURNS):
        now = function.routing(LIVE)
        decision = registry.decision(model)
        wanted = decision.route
        # A model without a function, or one that has had its last.
        if wanted.function_version is None or not now.function_version:
            return wanted
        weights = _weights(wanted.canary)
        if (now.function_version, dict(now.weights)) != (wanted.function_version, weights):
            function.send(LIVE, type(now)(wanted.function_version, weights, now.revision))
        elif registry.record_applied(decision, by=by):
            return wanted
    told = f"Alias live of {function.name} kept being moved by others: try again."
    raise BoringError("function_changed", told, 409)


def without_canary(route: Route) -> Route:
    """Return a route that sends all requests to what is live."""
    return Route(version=route.version, function_version=route.function_version)


def _weights(canary: Canary | None) -> dict[str, float]:
    return {canary.function_version: canary.weight} if canary else {}
