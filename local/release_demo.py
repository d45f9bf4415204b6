"""Releases under a steady stream of requests: a good version, and bad ones that are caught."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from boringml.adapters.registry_table import RegistryTable
from boringml.registry.records import APPLIED, LIVE, MOVED, SPLIT, HistoryEvent
from local.bad_versions import FAULTS, Fault, register_bad_version
from local.following import ExecutionFailedError, follow
from local.traffic import Sent, Traffic
from local.up import Deployed

Say = Callable[[str], None]


@dataclass(frozen=True)
class Caught:
    """How a bad version ended: by which step, what it did until then, and how fast that was over.

    `harmed_seconds` is the time from the first request that it failed to restored traffic; None
    where no live request ever met it.
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
    caught = []
    for fault in FAULTS:
        live = registry.alias(model, LIVE)
        assert live is not None
        number = register_bad_version(
            deployed.local_aws.client("s3"), registry, registry.version(model, live), fault
        )
        say(f"version {number}, bad on purpose: {fault.says}")
        caught.append(_release(deployed, registry, model, traffic, say, fault, number))
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
    if not reason.startswith(fault.code):
        raise RuntimeError(f"version {number} was to be caught by {fault.caught_by}: {reason}")
    say(f"  caught by {fault.caught_by}: {reason}")
    failed = [item for item in traffic.sent[sent:] if item.status != 200]
    events = registry.history(model)[before:]
    return Caught(
        fault.name,
        fault.says,
        number,
        fault.caught_by,
        reason,
        len(failed),
        _harmed_seconds(failed, events),
    )


def _harmed_seconds(failed: list[Sent], events: list[HistoryEvent]) -> float | None:
    """Return the seconds from the first failed request until Lambda sent all to live again."""
    if not failed:
        return None
    first: datetime = min(item.sent_at for item in failed)
    restored = [event.at for event in events if event.kind == APPLIED and event.at >= first]
    return (restored[-1] - first).total_seconds()


def numbers_of(event: HistoryEvent) -> dict[str, Any]:
    """Return what an event's details say of numbers, without where traffic goes."""
    hidden = ("function_version", "canary", "step", "back", "execution", "code")
    return {name: value for name, value in event.details.items() if name not in hidden}
