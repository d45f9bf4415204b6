"""What looking again and again does to a good version: the judge, and a test made for one look."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.stats import hypergeom

from benchmarks.release.canary_traffic import Scenario, Version, added, minute, slow_limit
from boringml.release.canary import HARM, Tally, judge

LOOKS = 120
_GOOD = Scenario("good: as live is", Version())
_NOTHING = Tally(0, 0, 0)
# A share larger at p < 0.05, as many canary scripts have it.
_LEVEL = 0.05


def stopped_by_look(
    plan: Mapping[str, Any], rate: float, runs: int, seed: int
) -> dict[str, list[float]]:
    """Return, for each of 120 looks, the share of good versions stopped until then.

    By the judge; by Fisher's exact test (one-sided) of failures alone; by that of three metrics.
    """
    first = np.array([_first_alarms(plan, rate, [seed, int(rate), run]) for run in range(runs)])
    names = ("judge", "fisher_failures", "fisher_three_metrics")
    return {
        name: [float((alarms <= look).mean()) for look in range(1, LOOKS + 1)]
        for name, alarms in zip(names, first.T, strict=True)
    }


def _first_alarms(plan: Mapping[str, Any], rate: float, seed: list[int]) -> list[int]:
    """Return the look at which each of the three stops, beyond the last where it does not."""
    rng = np.random.default_rng(seed)
    limit = slow_limit(rng, rate, plan["slow"]["ratio"], plan["slow"]["floor_ms"])
    weight = plan["steps"][0]["weight"]
    first = [LOOKS + 1] * 3
    candidate, live = _NOTHING, _NOTHING
    for look in range(1, LOOKS + 1):
        of_candidate, of_live = minute(rng, _GOOD, look, rate, weight, limit)
        candidate, live = added(candidate, of_candidate), added(live, of_live)
        worse = _fisher_p(candidate, live) < _LEVEL
        harm = judge(plan, 0, candidate, live, 0.0).decision == HARM
        for which, alarm in enumerate((harm, worse[0], worse.any())):
            if alarm:
                first[which] = min(first[which], look)
    return first


def _fisher_p(candidate: Tally, live: Tally) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the p of Fisher's exact test, one-sided, of failures, slow and bad outcomes."""
    pairs = (
        (candidate.failures, candidate.requests, live.failures, live.requests),
        (candidate.slow, candidate.requests, live.slow, live.requests),
        (candidate.bad_outcomes, candidate.outcomes, live.bad_outcomes, live.outcomes),
    )
    bad, of, live_bad, live_of = np.array(pairs).T
    p = hypergeom.sf(bad - 1, of + live_of, bad + live_bad, of)
    return np.asarray(p, dtype=np.float64)
