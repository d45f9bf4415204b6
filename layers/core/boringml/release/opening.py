"""A release begins: it takes the lock, and is refused what could only fail later."""

import json
from typing import TYPE_CHECKING, Any

from boringml.contract.compatibility import check_release
from boringml.errors import BoringError
from boringml.package import layout
from boringml.package.reader import Package
from boringml.registry.records import LIVE, RELEASE, ModelVersion
from boringml.release.traffic import Follower, Mover, send, without_canary

if TYPE_CHECKING:
    from boringml.adapters.executions import Executions
    from boringml.adapters.object_store import ObjectStore
    from boringml.adapters.registry_table import RegistryTable


def open_release(
    registry: "RegistryTable",
    packages: "ObjectStore",
    function: Follower,
    executions: "Executions",
    *,
    model: str,
    number: int | None,
    execution: str,
    why: str,
) -> dict[str, Any]:
    """Return {"version", "first", "live_version", "live_function_version", "code"}.

    `number` None releases the newest code with the version that is live; `code` is true where the
    version is live already, so that only its code is new. `first` is true where
    nothing is live yet: then there is nothing to compare with, and nobody to harm.
    Raises BoringError `release_busy` (409) while another release or rollback of the model is
    under way, `execution_ended` (410), `nothing_live` (409), `version_not_found`, or what
    `check_release` raises.
    """
    take_lock(registry, executions, model, RELEASE, number, execution)
    if not executions.running(execution):
        raise _stopped(registry, model, number, execution)
    mover = Mover(execution, execution)
    live = registry.route(model)
    if live.canary is not None:
        # The one that had the lock died with its canary on.
        kept = without_canary(live)
        send(registry, function, model, kept, mover=mover, why="its release ended without a word")
    if number is None and live.version is None:
        told = f"No version of {model} is live: new code goes out with its first release."
        raise BoringError("nothing_live", told, 409)
    version = registry.version(model, live.version if number is None else number)  # type: ignore[arg-type]
    if live.version is not None and live.version != version.number:
        check_release(
            _contract(packages, registry.version(model, live.version)), _contract(packages, version)
        )
    registry.record_step(
        model, step="open", outcome="opened", version=version.number, by=execution, why=why
    )
    return {
        "version": version.number,
        # Both answer as the same version then: nothing that goes by version tells them apart.
        "code": version.number == live.version,
        "first": live.version is None,
        "live_version": live.version,
        # None of a model without a function.
        "live_function_version": (
            live.function_version or function.routing(LIVE).function_version or None
        ),
    }


def _stopped(
    registry: "RegistryTable", model: str, number: int | None, execution: str
) -> BoringError:
    """Return why a release that ended while it took its lock goes no further.

    What clears up after it may have been there already, and found no lock.
    """
    told = f"{execution} ended while it took the lock."
    registry.record_step(
        model, step="end", outcome="abandoned", version=number, by=execution, why=told
    )
    registry.free_lock(model, holder=execution)
    return BoringError("execution_ended", told, 410)


def take_lock(
    registry: "RegistryTable",
    executions: "Executions",
    model: str,
    kind: str,
    version: int | None,
    execution: str,
) -> None:
    """Take the model's lock, from an execution that is over if need be.

    Raises BoringError `release_busy` (409) with `holder` where that one is still under way.
    """
    held = registry.lock(model)
    over = held.holder if held and held.holder != execution else None
    if over is not None and executions.running(over):
        over = None
    registry.take_lock(model, holder=execution, kind=kind, version=version, over=over)


def _contract(packages: "ObjectStore", version: ModelVersion) -> dict[str, Any]:
    package = Package(packages.folder(version.package_uri), version.package_digest)
    contract: dict[str, Any] = json.loads(package.read(layout.CONTRACT))
    return contract
