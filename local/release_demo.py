"""Releases under a steady stream of requests: a good version, and bad ones that are caught."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from boringml.adapters import declarations
from boringml.adapters.registry_table import RegistryTable
from boringml.registry.records import APPLIED, LIVE, MOVED, SPLIT, HistoryEvent
from local.bad_versions import THROWS, Fault, faults, register_bad_version
from local.following import ExecutionFailedError, follow
from local.telling import Say
from local.traffic import Sent, Traffic
from local.up import Deployed

# A look of the judge is 10 s apart on the local AWS, and harm to one request in eight of a tenth of
# them takes a few dozens of those.
MOST_HARM_SECONDS = 120.0


@dataclass(frozen=True)
class Caught:
    """How a bad version ended: by which step, what it did until then, and how fast that was over.

    `harmed_seconds` is the time from the first request that it failed to restored traffic; None
    where no live request ever met it, or none failed.
    """

    fault: str
    says: str
    version: int
    step: str
    reason: str
    failed_requests: int
    harmed_seconds: float | None


def release_bad_versions(
    deployed: Deployed, registry: RegistryTable, model: str, traffic: Traffic, say: Say
) -> list[Caught]:
    """Release each bad version in turn; return how each was caught.

    Raises RuntimeError where one was not, or by another step than the one that is there for it.
    """
    budget_ms = declarations.declaration(model)["release"]["smoke"]["p95_ms"]
    return [
        release_bad_version(deployed, registry, model, traffic, say, fault)
        for fault in faults(budget_ms)
    ]


def release_bad_version(
    deployed: Deployed,
    registry: RegistryTable,
    model: str,
    traffic: Traffic,
    say: Say,
    fault: Fault,
) -> Caught:
    """Release a copy of live with a fault; return how it was caught. Raises as those above."""
    live = registry.alias(model, LIVE)
    assert live is not None
    number = register_bad_version(
        deployed.local_aws.client("s3"), registry, registry.version(model, live), fault
    )
    say(f"version {number}, bad on purpose: {fault.says}")
    caught = _release(deployed, registry, model, traffic, say, fault, number)
    if registry.alias(model, LIVE) != live or registry.lock(model) is not None:
        raise RuntimeError(f"after version {number}: live moved, or its lock was left behind")
    return caught


def moves(history: list[HistoryEvent]) -> list[HistoryEvent]:
    """Return the events that moved live's requests, in whole or in part."""
    return [event for event in history if event.alias == LIVE and event.kind in (MOVED, SPLIT)]


def _release(
    deployed: Deployed,
    registry: RegistryTable,
    model: str,
    traffic: Traffic,
    say: Say,
    fault: Fault,
    number: int,
) -> Caught:
    states = deployed.local_aws.client("stepfunctions")
    before = len(registry.history(model))
    sent = len(traffic.sent)
    execution = states.start_execution(
        stateMachineArn=deployed.outputs["ReleaseStateMachine"],
        input=json.dumps({"model": model, "version": number, "why": "the demo wants it caught"}),
    )["executionArn"]
    try:
        follow(states, execution, say)
    except ExecutionFailedError as failure:
        reason = str(failure).removeprefix("PromotionFailed: ")
    else:
        raise RuntimeError(f"version {number} is bad and was promoted")
    if not reason.startswith(fault.code) or fault.words not in reason:
        raise RuntimeError(f"version {number} was to be caught by {fault.caught_by}: {reason}")
    say(f"  caught by {fault.caught_by}: {reason}")
    failed = [item for item in traffic.sent[sent:] if item.status != 200]
    share = share_of_traffic(number, registry.history(model)[before:])
    return Caught(
        fault.name,
        fault.says,
        number,
        fault.caught_by,
        reason,
        len(failed),
        _harmed_seconds(failed, share),
    )


@dataclass(frozen=True)
class Share:
    """When a version had a share of live's requests: from its split until Lambda took it off."""

    begin: datetime
    end: datetime

    def had(self, item: Sent) -> bool:
        """Return whether a request was under way then."""
        return item.answered_at >= self.begin and item.sent_at <= self.end


def share_of_traffic(version: int, history: list[HistoryEvent]) -> Share | None:
    """Return when a version that was not promoted had a share; None where it never had one.

    Raises RuntimeError where nothing says that it was taken off.
    """
    splits = [
        event
        for event in history
        if event.kind == SPLIT
        and event.details["canary"]
        and event.details["canary"]["version"] == version
    ]
    if not splits:
        return None
    ends = [
        event.at
        for event in history
        if event.kind == APPLIED and event.at > splits[-1].at and not event.details.get("canary")
    ]
    if not ends:
        raise RuntimeError(f"version {version} had a share, and nothing says that it was taken off")
    return Share(splits[0].at, ends[0])


def _harmed_seconds(failed: list[Sent], share: Share | None) -> float | None:
    """Return the seconds from the first failed request until Lambda sent all to live again."""
    if not failed or share is None:
        return None
    return (share.end - min(item.sent_at for item in failed)).total_seconds()


def broken_promises(
    traffic: list[Sent],
    caught: list[Caught],
    history: list[HistoryEvent],
    fails: Callable[[Sent], bool],
) -> list[str]:
    """Return, in words, what requests show that the releases of bad versions promise not to do.

    `fails` tells whether the version that throws fails a request. Only such a request failed, only
    in that version's share; some did, or nothing was caught under real harm; and no bad version
    answered once it was taken off.
    """
    broken = []
    shares = {item.version: share_of_traffic(item.version, history) for item in caught}
    (throws,) = [item for item in caught if item.fault == THROWS.name]
    thrown = shares[throws.version]
    failed = [item for item in traffic if item.status != 200]
    if not failed or throws.harmed_seconds is None or throws.harmed_seconds > MOST_HARM_SECONDS:
        broken.append(f"version {throws.version} failed requests, for a while: {throws}")
    for item in failed:
        if not (thrown and thrown.had(item) and item.status == 500 and fails(item)):
            broken.append(f"a request failed that no bad version failed: {item}")
    for item in traffic:
        if item.version in shares:
            share = shares[item.version]
            if share is None or not share.had(item):
                broken.append(f"version {item.version} answered without a share: {item}")
    return broken


def numbers_of(event: HistoryEvent) -> dict[str, Any]:
    """Return what an event's details say of numbers, without where traffic goes."""
    hidden = ("function_version", "canary", "step", "back", "execution", "code")
    return {name: value for name, value in event.details.items() if name not in hidden}
