import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boringml.release.evidence import log_evidence

counts = st.integers(0, 10**7).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))
tolerances = st.floats(0, 0.5)


@given(counts, counts, tolerances)
def test_it_is_a_number_for_any_counts(
    candidate: tuple[int, int], live: tuple[int, int], tolerance: float
) -> None:
    assert math.isfinite(log_evidence(*candidate, *live, tolerance))


@given(st.integers(1, 300), st.integers(0, 300), st.integers(1, 2000), st.floats(0, 0.2))
def test_a_candidate_that_is_no_worse_gives_no_evidence(
    candidate: int, bad: int, live: int, tolerance: float
) -> None:
    bad = min(bad, candidate)
    live_bad = min(live, math.ceil(live * bad / candidate))
    assert log_evidence(bad, candidate, live_bad, live, tolerance) <= 0


@given(st.integers(50, 500), st.integers(500, 3000), st.integers(0, 10), st.floats(0, 0.05))
def test_it_grows_with_harm_and_falls_with_tolerance(
    candidate: int, live: int, live_bad: int, tolerance: float
) -> None:
    half, most = candidate // 2, candidate
    by_harm = [log_evidence(bad, candidate, live_bad, live, tolerance) for bad in (half, most)]
    assert by_harm == sorted(by_harm)
    wider = log_evidence(half, candidate, live_bad, live, tolerance + 0.1)
    assert wider <= by_harm[0] + 1e-9


@given(st.integers(1, 60), st.integers(0, 60), st.integers(1, 60), st.integers(0, 60))
def test_the_best_harmless_shares_are_the_best_of_a_grid(
    candidate: int, bad: int, live: int, live_bad: int
) -> None:
    bad, live_bad, tolerance = min(bad, candidate), min(live_bad, live), 0.1

    def likelihood(share: float, of_bad: int, of: int) -> float:
        parts = [(of_bad, share), (of - of_bad, 1 - share)]
        if any(count and p <= 0 for count, p in parts):
            return -math.inf
        return sum(count * math.log(p) for count, p in parts if count)

    grid = [i / 200 for i in range(201)]
    best = max(
        likelihood(c, bad, candidate) + likelihood(p, live_bad, live)
        for p in grid
        for c in grid
        if c <= p + tolerance + 1e-12
    )

    def mixture(of_bad: int, of: int) -> float:
        return (
            math.lgamma(of_bad + 0.5)
            + math.lgamma(of - of_bad + 0.5)
            - math.lgamma(of + 1)
            - 2 * math.lgamma(0.5)
        )

    found = mixture(bad, candidate) + mixture(live_bad, live)
    found -= log_evidence(bad, candidate, live_bad, live, tolerance)
    assert best - 1e-9 <= found <= best + 0.2


def test_looking_at_every_request_seldom_finds_harm_that_is_not_there() -> None:
    chance = random.Random(20261124)
    alarms = 0
    for _ in range(200):
        bad, live_bad = 0, 0
        for request in range(1, 301):
            bad += chance.random() < 0.05
            live_bad += sum(chance.random() < 0.05 for _ in range(3))
            if log_evidence(bad, request, live_bad, 3 * request, 0.0) >= math.log(20):
                alarms += 1
                break
    # Ville: at most 5 % of 200, whatever the number of looks.
    assert alarms <= 10


def test_five_points_more_failures_are_found_within_some_hundred_requests() -> None:
    assert log_evidence(28, 500, 23, 4500, 0.01) > math.log(600)


@pytest.mark.parametrize("counts", [(2, 1, 0, 1), (0, 1, -1, 1)])
def test_counts_that_cannot_be_are_refused(counts: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="is no count"):
        log_evidence(*counts, 0.0)
