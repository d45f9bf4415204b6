"""Simulated traffic of a canary: what candidate and live make of each minute's requests."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.random import Generator

from boringml.release.canary import Tally, slow_limit_ms

# Lognormal latency: a median of 40 ms, and a 95th percentile of 91 ms.
_MEDIAN_MS, _SIGMA = 40.0, 0.5
# Of the answers, those that lead to a business event.
_OUTCOME_SHARE = 0.3
_MINUTES_BEFORE = 60
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Version:
    """How a version behaves: share that fails, latency as a multiple of live's, good outcomes.

    Failures come in bursts of `burst` requests of one version, such as those of one container.
    """

    failures: float = 0.005
    slowdown: float = 1.0
    good_outcomes: float = 0.60
    burst: int = 1


LIVE = Version()


@dataclass(frozen=True)
class Scenario:
    """A candidate beside live; `extra_failures` of a minute of the canary befall both."""

    name: str
    candidate: Version
    extra_failures: Callable[[int], float] = lambda _: 0.0
    live: Version = LIVE


def slow_limit(rng: Generator, rate: float, ratio: float, floor_ms: float) -> float:
    """Return the limit as start_canary fixes it: from live's p95 of each minute of an hour.

    The p95 of n requests is an order statistic, whose law is a Beta: no request need be drawn.
    """
    counts = np.maximum(rng.poisson(rate, _MINUTES_BEFORE), 1)
    ranks = np.ceil(0.95 * counts)
    quantiles = rng.beta(ranks, counts + 1 - ranks)
    p95 = [_MEDIAN_MS * np.exp(_SIGMA * _NORMAL.inv_cdf(q)) for q in quantiles]
    return slow_limit_ms(float(np.average(p95, weights=counts)), ratio, floor_ms)


def minute(
    rng: Generator, scenario: Scenario, number: int, rate: float, weight: float, limit_ms: float
) -> tuple[Tally, Tally]:
    """Return what (candidate, live) made of one minute of `rate` requests on average."""
    requests = int(rng.poisson(rate))
    of_candidate = int(rng.binomial(requests, weight))
    extra = scenario.extra_failures(number)
    return (
        _tally(rng, scenario.candidate, of_candidate, extra, limit_ms),
        _tally(rng, scenario.live, requests - of_candidate, extra, limit_ms),
    )


def added(one: Tally, other: Tally) -> Tally:
    """Return both together."""
    return replace(one, **{name: count + getattr(other, name) for name, count in vars(one).items()})


def _tally(
    rng: Generator, version: Version, requests: int, extra_failures: float, limit_ms: float
) -> Tally:
    share = min(1.0, version.failures + extra_failures)
    if version.burst == 1:
        failures = int(rng.binomial(requests, share))
    else:
        failures = min(requests, version.burst * int(rng.poisson(requests * share / version.burst)))
    slower = np.log(limit_ms / (_MEDIAN_MS * version.slowdown)) / _SIGMA
    outcomes = int(rng.binomial(requests - failures, _OUTCOME_SHARE))
    return Tally(
        requests=requests,
        failures=failures,
        slow=int(rng.binomial(requests, 1.0 - _NORMAL.cdf(float(slower)))),
        outcomes=outcomes,
        bad_outcomes=int(rng.binomial(outcomes, 1.0 - version.good_outcomes)),
    )
