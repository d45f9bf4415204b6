"""The judge of a canary: the same minutes of candidate and live, and what follows from them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from boringml.release.evidence import log_evidence

CONTINUE: Final = "continue"
ADVANCE: Final = "advance"
HARM: Final = "harm"
UNDECIDED: Final = "undecided"


@dataclass(frozen=True)
class Tally:
    """What the requests of one version came to: so many, of which so many were bad.

    `outcomes` are business events about its answers, of which `bad_outcomes` were bad.
    """

    requests: int
    failures: int
    slow: int
    outcomes: int = 0
    bad_outcomes: int = 0


@dataclass(frozen=True)
class Verdict:
    """What to do, why in words, and the numbers behind it, as JSON knows them."""

    decision: str
    reasons: list[str]
    numbers: dict[str, Any]


@dataclass(frozen=True)
class _Metric:
    """Bad ones out of all, of both versions, and by how much candidate's share may be larger."""

    name: str
    candidate: tuple[int, int]
    live: tuple[int, int]
    tolerance: float
    needed: int

    @property
    def difference(self) -> float:
        return _share(*self.candidate) - _share(*self.live)

    @property
    def enough(self) -> bool:
        return min(self.candidate[1], self.live[1]) >= self.needed

    def told(self) -> str:
        (bad, of), (live_bad, live) = self.candidate, self.live
        return (
            f"{self.name}: candidate {bad} of {of} ({_share(bad, of):.1%}), "
            f"live {live_bad} of {live} ({_share(live_bad, live):.1%}), "
            f"tolerated {self.tolerance:.1%} more"
        )


def slow_limit_ms(live_p95_ms: float | None, ratio: float, floor_ms: float) -> float:
    """Return above how many milliseconds a request counts as slow, for a whole step.

    It is live's 95th percentile times `ratio`, but at least `floor_ms`; the floor alone where live
    had no requests. A version whose own 95th percentile is above that limit has more than 5 % slow
    requests: so percentiles are compared by counting, which needs no thousand samples, and one
    test serves all metrics. The limit is fixed before the candidate answers, or it would follow it.
    """
    return floor_ms if live_p95_ms is None else max(floor_ms, live_p95_ms * ratio)


def judge(
    plan: Mapping[str, Any],
    step: int,
    candidate: Tally,
    live: Tally,
    elapsed_seconds: float,
    *,
    with_kpi: bool = True,
) -> Verdict:
    """Return what follows for step `step` of the canary `plan` after `elapsed_seconds` of it.

    `plan` is the canary of `boringml.release.plan`. Decisions: `harm` as soon as one metric shows
    it clearly; `advance` once the step's seconds are over, both versions have its samples, and no
    metric of the candidate is worse by more than is tolerated; `undecided` when the step's seconds
    have passed `give_up_after` times without that; else `continue`. Too few samples, or none, are
    never a pass. `with_kpi` is false for new code of the same model, whose business events cannot
    be told apart by version.

    The plan's confidence holds for the canary as a whole: its alpha is shared out equally among
    metrics and steps (Bonferroni), and every look is free: see `boringml.release.evidence`.
    """
    settings = plan["steps"][step]
    metrics = _metrics(plan, settings["min_samples"], candidate, live, with_kpi)
    needed = -math.log((1 - plan["confidence"]) / (len(metrics) * len(plan["steps"])))
    evidence = {m.name: log_evidence(*m.candidate, *m.live, m.tolerance) for m in metrics}
    facts: dict[str, Any] = {
        "canary_step": step + 1,
        "weight": settings["weight"],
        "seconds": round(elapsed_seconds, 1),
        "log_evidence_of_harm": round(needed, 3),
        **{metric.name: _numbers(metric, evidence[metric.name]) for metric in metrics},
    }
    harmful = [metric for metric in metrics if evidence[metric.name] >= needed]
    if harmful:
        return Verdict(HARM, [metric.told() for metric in harmful], facts)
    few = [
        f"{metric.name}: {metric.candidate[1]} of candidate and {metric.live[1]} of live, "
        f"where {metric.needed} of each are needed"
        for metric in metrics
        if not metric.enough
    ]
    worse = [metric.told() for metric in metrics if metric.difference > metric.tolerance]
    if elapsed_seconds < settings["seconds"]:
        return Verdict(CONTINUE, few + worse, facts)
    if not few and not worse:
        return Verdict(ADVANCE, [metric.told() for metric in metrics], facts)
    late = elapsed_seconds >= settings["seconds"] * plan["give_up_after"]
    return Verdict(UNDECIDED if late else CONTINUE, few + worse, facts)


def _metrics(
    plan: Mapping[str, Any], samples: int, candidate: Tally, live: Tally, with_kpi: bool
) -> list[_Metric]:
    tolerances = plan["tolerances"]
    metrics = [
        _Metric(
            "failures",
            (candidate.failures, candidate.requests),
            (live.failures, live.requests),
            tolerances["failures"],
            samples,
        ),
        _Metric(
            "slow",
            (candidate.slow, candidate.requests),
            (live.slow, live.requests),
            tolerances["slow"],
            samples,
        ),
    ]
    kpi = plan.get("kpi")
    if kpi and with_kpi:
        metrics.append(
            _Metric(
                kpi["event"],
                (candidate.bad_outcomes, candidate.outcomes),
                (live.bad_outcomes, live.outcomes),
                tolerances["kpi"],
                kpi["min_outcomes"],
            )
        )
    return metrics


def _numbers(metric: _Metric, evidence: float) -> dict[str, Any]:
    return {
        "candidate": metric.candidate,
        "live": metric.live,
        "tolerance": metric.tolerance,
        "log_evidence": round(evidence, 3),
    }


def _share(bad: int, of: int) -> float:
    return bad / of if of else 0.0
