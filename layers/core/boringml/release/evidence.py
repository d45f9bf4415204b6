"""Evidence that a candidate does harm, valid at every look.

Two versions answer requests; of each, so many out of so many were bad: failed, slow, or without
the business outcome. The question, asked anew every minute, is whether the candidate's share of
bad ones exceeds live's by more than what is tolerated.

A test made for one look finds harm in a good version sooner or later if it is repeated. So the
evidence here is an e-process: a quantity that, without harm, ever reaches 1/alpha with a
probability of at most alpha, however often one looks and whenever one stops (Ville's inequality:
Ville 1939; Robbins 1970, "Statistical methods related to the law of the iterated logarithm";
Wasserman, Ramdas and Balakrishnan 2020, "Universal inference"). It is a ratio: what a mixture over
all shares predicted of the counts, over the best that any pair of shares without harm can say of
them. It is exact at every sample size.
"""

import math

# Jeffreys' prior of a share: it loses little wherever the share is, and near 0, where shares of
# failures are, less than the uniform one.
_PRIOR = 0.5
# Each turn cuts the bracket to 0.618 of its width: 80 leave less than 1e-16 of it.
_TURNS = 80
_GOLDEN = (math.sqrt(5) - 1) / 2


def log_evidence(
    candidate_bad: int, candidate: int, live_bad: int, live: int, tolerance: float
) -> float:
    """Return the natural logarithm of the evidence that candidate's share of bad ones is harmful.

    `candidate_bad` of `candidate` and `live_bad` of `live` were bad; harm is a share that exceeds
    live's by more than `tolerance`, in [0, 1). 0 and below is no evidence; log(100) is harm at
    alpha = 0.01. Raises ValueError for counts that cannot be.
    """
    for bad, of in ((candidate_bad, candidate), (live_bad, live)):
        if not 0 <= bad <= of:
            raise ValueError(f"{bad} of {of} is no count")
    predicted = _log_mixture(candidate_bad, candidate) + _log_mixture(live_bad, live)
    return predicted - _log_best_harmless(candidate_bad, candidate, live_bad, live, tolerance)


def _log_mixture(bad: int, of: int) -> float:
    """The probability of a sequence with so many bad ones, averaged over the prior of its share."""
    return _log_beta(_PRIOR + bad, _PRIOR + of - bad) - _log_beta(_PRIOR, _PRIOR)


def _log_best_harmless(
    candidate_bad: int, candidate: int, live_bad: int, live: int, tolerance: float
) -> float:
    """The largest likelihood of two shares of which candidate's is at most live's + tolerance."""
    candidate_share = candidate_bad / candidate if candidate else 0.0
    live_share = live_bad / live if live else 1.0 - tolerance
    if candidate_share <= live_share + tolerance:
        return _log_likelihood(candidate_share, candidate_bad, candidate) + _log_likelihood(
            live_share, live_bad, live
        )

    def along_the_border(share: float) -> float:
        return _log_likelihood(share + tolerance, candidate_bad, candidate) + _log_likelihood(
            share, live_bad, live
        )

    # Concave, as a sum of concave functions; its peak lies between what the two samples want.
    low = max(0.0, live_share)
    high = min(1.0 - tolerance, candidate_share - tolerance)
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = along_the_border(left), along_the_border(right)
    for _ in range(_TURNS):
        if at_left < at_right:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = along_the_border(right)
        else:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = along_the_border(left)
    return max(at_left, at_right, along_the_border(low), along_the_border(high))


def _log_likelihood(share: float, bad: int, of: int) -> float:
    log = 0.0
    for count, probability in ((bad, share), (of - bad, 1.0 - share)):
        if count:
            if probability <= 0.0:
                return -math.inf
            log += count * math.log(probability)
    return log


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
