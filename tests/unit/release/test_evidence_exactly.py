"""What the evidence promises, shown exactly where it can be: by every count that can be."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import xlog1py, xlogy

from boringml.release.evidence import log_evidence

SMALL = st.integers(0, 12)
TOLERANCES = st.sampled_from([0.0, 0.01, 0.05, 0.2])
SHARES = st.floats(0, 1)


@st.composite
def counts(draw, most=10**7):
    of = draw(st.integers(0, most))
    return draw(st.integers(0, of)), of


def likelihood(share, bad, of):
    return share**bad * (1 - share) ** (of - bad)


@settings(max_examples=60)
@given(SMALL, SMALL, TOLERANCES, SHARES, SHARES)
def test_without_harm_its_mean_is_at_most_one_exactly(candidate, live, tolerance, share, excess):
    """By every count that can be, each with its probability: nothing is sampled."""
    harmless = min(1.0, share + tolerance) * excess
    mean = sum(
        math.comb(candidate, bad)
        * likelihood(harmless, bad, candidate)
        * math.comb(live, live_bad)
        * likelihood(share, live_bad, live)
        * math.exp(log_evidence(bad, candidate, live_bad, live, tolerance))
        for bad in range(candidate + 1)
        for live_bad in range(live + 1)
    )
    assert mean <= 1 + 1e-9


@pytest.mark.parametrize("live_share", [0.02, 0.3])
def test_a_look_after_every_pair_of_requests_raises_no_more_than_alpha_alarms(live_share):
    """Exactly: the probability of each pair of counts that no look has stopped before."""
    tolerance, alpha, looks = 0.05, 0.2, 30
    share = live_share + tolerance
    going, stopped = {(0, 0): 1.0}, 0.0
    for look in range(1, looks + 1):
        after: dict[tuple[int, int], float] = {}
        for (bad, live_bad), probability in going.items():
            for one, its in ((1, share), (0, 1 - share)):
                for other, chance in ((1, live_share), (0, 1 - live_share)):
                    counted = (bad + one, live_bad + other)
                    after[counted] = after.get(counted, 0.0) + probability * its * chance
        alarms = {
            (bad, live_bad)
            for bad, live_bad in after
            if log_evidence(bad, look, live_bad, look, tolerance) >= -math.log(alpha)
        }
        stopped += sum(after[counted] for counted in alarms)
        going = {counted: p for counted, p in after.items() if counted not in alarms}
    assert sum(going.values()) + stopped == pytest.approx(1)
    assert stopped <= alpha


def test_many_looks_at_a_version_at_its_tolerance_raise_few_alarms():
    """Seeded: 300 versions, 60 looks each, at alpha 0.05; a test of one look would stop many."""
    rng = np.random.default_rng(20261124)
    tolerance, alpha, runs, looks = 0.01, 0.05, 300, 60
    of, live_of = np.cumsum(rng.poisson((30, 270), (runs, looks, 2)), axis=1).transpose(2, 0, 1)
    bad = np.cumsum(rng.binomial(np.diff(of, prepend=0), 0.015), axis=1)
    live_bad = np.cumsum(rng.binomial(np.diff(live_of, prepend=0), 0.005), axis=1)
    share, live_share = bad / of, live_bad / live_of
    error = np.sqrt(share * (1 - share) / of + live_share * (1 - live_share) / live_of)
    by_z = ((share - live_share - tolerance) / np.maximum(error, 1e-9) > 1.645) & (of > 100)
    alarms = sum(
        any(
            log_evidence(int(b), int(n), int(lb), int(ln), tolerance) >= -math.log(alpha)
            for b, n, lb, ln in zip(*rows, strict=True)
        )
        for rows in zip(bad, of, live_bad, live_of, strict=True)
    )
    assert by_z.any(axis=1).mean() > 2 * alpha
    assert alarms / runs <= alpha


@settings(max_examples=60)
@given(counts(200), counts(200), TOLERANCES, SHARES, SHARES)
def test_no_pair_of_harmless_shares_says_more_of_the_counts(
    candidate, live, tolerance, share, part
):
    """What the evidence is divided by is the best of all harmless pairs, so none is better."""
    harmless = min(1.0, share + tolerance) * part
    (bad, of), (live_bad, live_of) = candidate, live
    mixture = sum(
        math.lgamma(b + 0.5) + math.lgamma(n - b + 0.5) - math.lgamma(n + 1) - math.log(math.pi)
        for b, n in (candidate, live)
    )
    told = likelihood(harmless, bad, of) * likelihood(share, live_bad, live_of)
    if told > 0:
        assert log_evidence(*candidate, *live, tolerance) <= mixture - math.log(told) + 1e-9


@pytest.mark.parametrize(
    ("candidate", "live", "tolerance"),
    [((12, 40), (3, 60), 0.05), ((40, 40), (0, 60), 0.0), ((9, 300), (0, 2700), 0.01)],
)
def test_the_best_harmless_pair_is_found(candidate, live, tolerance):
    """Against a fine grid of the border, on which it lies when the counts look like harm."""
    (bad, of), (live_bad, live_of) = candidate, live
    shares = np.linspace(0, 1 - tolerance, 1_000_001)
    border = (
        xlogy(bad, shares + tolerance)
        + xlog1py(of - bad, -shares - tolerance)
        + xlogy(live_bad, shares)
        + xlog1py(live_of - live_bad, -shares)
    )
    mixture = sum(
        math.lgamma(b + 0.5) + math.lgamma(n - b + 0.5) - math.lgamma(n + 1) - math.log(math.pi)
        for b, n in (candidate, live)
    )
    found = log_evidence(*candidate, *live, tolerance)
    assert found == pytest.approx(mixture - border.max(), abs=1e-6)


@given(st.integers(1, 10**6), st.integers(1, 10**6), TOLERANCES, st.data())
def test_one_more_bad_request_is_hardly_ever_less_evidence_of_harm(of, live_of, tolerance, data):
    """Never where live has as many requests and fails few; else by log(e / 2) at most.

    That is as the last good request of n turns bad: the best likelihood then grows by e x n,
    Jeffreys' mixture by 2 x n.
    """
    live_bad = data.draw(st.integers(0, live_of))
    worse = math.floor((live_bad / live_of + tolerance) * of) + 1
    assume(worse < of)
    bad = data.draw(st.integers(worse, of - 1))
    less = log_evidence(bad, of, live_bad, live_of, tolerance)
    more = log_evidence(bad + 1, of, live_bad, live_of, tolerance)
    as_in_a_canary = live_of >= of and live_bad / live_of + tolerance <= 0.5
    lost = 0.0 if as_in_a_canary else 1 - math.log(2)
    assert more >= less - lost - 1e-6


@given(counts(10**5), counts(10**5))
def test_without_tolerance_good_and_bad_are_symmetric(candidate, live):
    """More bad of candidate is as strange as more good of live."""
    (bad, of), (live_bad, live_of) = candidate, live
    there = log_evidence(bad, of, live_bad, live_of, 0.0)
    back = log_evidence(live_of - live_bad, live_of, of - bad, of, 0.0)
    assert there == pytest.approx(back, abs=1e-5)
