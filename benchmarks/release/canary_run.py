"""One simulated canary through `judge_canary` itself, with metrics that come late."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from benchmarks.release.canary_traffic import Scenario, added, minute, slow_limit
from boringml.errors import BoringError
from boringml.release.canary import Tally
from boringml.release.judging import judge_canary

PROMOTED = "promoted"
# Of a minute's metrics, those that are there when the minute is first looked at.
_IN_TIME = 0.95
_NOTHING = Tally(0, 0, 0)
_CANDIDATE, _LIVE = "11", "10"
_MINUTE = timedelta(minutes=1)
# A canary does not begin with a minute.
_STARTED = datetime(2026, 1, 1, 0, 0, 20, tzinfo=UTC)


@dataclass(frozen=True)
class Run:
    """One canary: how, for which metrics and when it ended, and what its candidate served."""

    outcome: str
    metrics: tuple[str, ...]
    minutes: int
    served: int
    failed: int


class _Metrics:
    """The minutes of one step so far, of both versions, as `VersionMetrics` answers for them.

    A twentieth of each minute's metrics comes a minute late.
    """

    def __init__(self, begin: datetime) -> None:
        self._begin = begin
        self._until = {_CANDIDATE: [_NOTHING], _LIVE: [_NOTHING]}
        self._late = {_CANDIDATE: _NOTHING, _LIVE: _NOTHING}

    def add(self, version: str, in_time: Tally, late: Tally) -> None:
        """Add a minute, and what is late of the minute before."""
        until = self._until[version]
        until[-1] = added(until[-1], self._late[version])
        until.append(added(until[-1], in_time))
        self._late[version] = late

    def tally(
        self, function_version: str, _version: int, begin: datetime, end: datetime, *_asked: Any
    ) -> Tally:
        """Return what a version's requests of the step came to, as it is known now."""
        if begin != self._begin:
            raise ValueError(f"the step's minutes begin at {self._begin}, not at {begin}")
        return self._until[function_version][(end - begin) // _MINUTE]


class _History:
    """The registry's history: nobody reads it here."""

    def record_step(self, *told: Any, **details: Any) -> None:
        pass


def run_canary(plan: Mapping[str, Any], scenario: Scenario, rate: float, seed: list[int]) -> Run:
    """Return what becomes of one candidate at `rate` requests a minute."""
    rng = np.random.default_rng(seed)
    limit = slow_limit(rng, rate, plan["slow"]["ratio"], plan["slow"]["floor_ms"])
    event = {
        "model": "credit",
        "version": 2,
        "function_version": _CANDIDATE,
        "live_version": 1,
        "live_function_version": _LIVE,
        "code": False,
        "plan": plan,
        "slow_ms": limit,
        "execution_arn": "a release",
    }
    now, number, served, failed = _STARTED, 0, 0, 0
    for step, settings in enumerate(plan["steps"]):
        started = now
        metrics = _Metrics(started.replace(second=0) + _MINUTE)
        asked = {**event, "step": step, "started_at": started.isoformat()}
        while True:
            shares = [
                minute(rng, scenario, number, rate * share, settings["weight"], limit)
                for share in (_IN_TIME, 1 - _IN_TIME)
            ]
            (candidate, live), (late, live_late) = shares
            if now > started:
                metrics.add(_CANDIDATE, candidate, late)
                metrics.add(_LIVE, live, live_late)
            now, number = now + _MINUTE, number + 1
            served += candidate.requests + late.requests
            failed += candidate.failures + late.failures
            try:
                found = judge_canary(_History(), metrics, asked, now, 60)  # type: ignore[arg-type]
            except BoringError as stopped:
                named = tuple(one.split(":")[0] for one in stopped.message.split("; "))
                return Run(stopped.code.removeprefix("canary_"), named, number, served, failed)
            if found["decision"] == "advance":
                break
    return Run(PROMOTED, (), number, served, failed)
