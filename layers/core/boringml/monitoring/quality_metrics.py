"""How good probabilities were, once the labels are known. numpy alone; labels are 0 and 1.

Arrays are one-dimensional and of one length N. What needs both classes says so by ValueError.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Labels: TypeAlias = NDArray[np.int8]
Scores: TypeAlias = NDArray[np.float64]

BINS = 10
# 95 of 100 intervals hold the true value, each looked at once.
SHOWN_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A metric and its standard error, both without unit."""

    value: float
    error: float

    def interval(self, confidence: float = SHOWN_CONFIDENCE) -> tuple[float, float]:
        """Return the two-sided interval by the normal distribution."""
        z = NormalDist().inv_cdf((1 + confidence) / 2)
        return self.value - z * self.error, self.value + z * self.error


def roc_auc(labels: Labels, scores: Scores) -> Estimate:
    """Return the area under the ROC curve, a tie counting half, and its error by DeLong's method.

    Source: DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988); computed from midranks as Sun
    and Xu, IEEE Signal Processing Letters 21 (2014). The error is never below `_least_auc_error`.
    Raises ValueError below two of each class.
    """
    positive, negative = scores[labels == 1], scores[labels == 0]
    m, n = len(positive), len(negative)
    if min(m, n) < 2:
        raise ValueError(f"{m} positive and {n} negative labels: two of each are needed")
    among_all = _midranks(np.concatenate((positive, negative)))
    # Of each positive, the share of negatives below it, and the other way round.
    above = (among_all[:m] - _midranks(positive)) / n
    below = 1 - (among_all[m:] - _midranks(negative)) / m
    variance = above.var(ddof=1) / m + below.var(ddof=1) / n
    return Estimate(float(above.mean()), max(math.sqrt(variance), _least_auc_error(m, n)))


def roc_auc_error(auc: float, positives: int, negatives: int) -> float:
    """Return the error of an AUC of which only the counts are known.

    Source: Hanley and McNeil, Radiology 143 (1982). It takes scores to be exponential, which is
    close enough where no scores are kept: of a package's holdout. Never below `_least_auc_error`.
    """
    least = _least_auc_error(positives, negatives)
    return max(_hanley_mcneil(auc, positives, negatives), least)


def _least_auc_error(positives: int, negatives: int) -> float:
    """Return the error that an AUC has at least, however well the classes are parted.

    By either formula it is 0 where no score is out of place, as if none ever were: a lucky holdout
    would make each later window a fall. Of none in n, up to 3 / n may be out of place with 95 % of
    confidence (Hanley and Lippman-Hand, JAMA 249, 1983), so it is the error at such an AUC.
    """
    lowest = max(1 - 3 / min(positives, negatives), 0.5)
    return _hanley_mcneil(lowest, positives, negatives)


def _hanley_mcneil(auc: float, positives: int, negatives: int) -> float:
    above = auc / (2 - auc)
    twice = 2 * auc**2 / (1 + auc)
    variance = (
        auc * (1 - auc) + (positives - 1) * (above - auc**2) + (negatives - 1) * (twice - auc**2)
    ) / (positives * negatives)
    return math.sqrt(max(variance, 0.0))


def log_loss(labels: Labels, scores: Scores) -> Estimate:
    """Return the mean negative log likelihood, in nats; 0 and 1 are held one ulp inside.

    Raises ValueError of fewer than two labels.
    """
    edge = np.finfo(np.float64).eps
    told = np.where(labels == 1, scores, 1 - scores).clip(edge, 1 - edge)
    return _mean(-np.log(told))


def brier(labels: Labels, scores: Scores) -> Estimate:
    """Return the mean squared error of the probabilities. Raises ValueError below two labels."""
    return _mean((scores - labels) ** 2)


# What a verdict may be about, and whether more of it is better.
METRICS: Mapping[str, tuple[Any, bool]] = {
    "roc_auc": (roc_auc, True),
    "log_loss": (log_loss, False),
    "brier": (brier, False),
}


@dataclass(frozen=True)
class Share:
    """`hits` of `total`, and the interval of its share by Wilson's method; None of nothing."""

    hits: int
    total: int

    @property
    def value(self) -> float | None:
        """The share."""
        return self.hits / self.total if self.total else None

    def interval(self, confidence: float = SHOWN_CONFIDENCE) -> tuple[float, float] | None:
        """Return the interval: Wilson, J. of the American Statistical Association 22 (1927)."""
        if not self.total:
            return None
        z = NormalDist().inv_cdf((1 + confidence) / 2)
        share, n = self.hits / self.total, self.total
        middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
        return max(0.0, middle - half), min(1.0, middle + half)


def precision_recall(labels: Labels, scores: Scores, threshold: float) -> tuple[Share, Share]:
    """Return precision and recall of `score >= threshold`, as the contract decides."""
    told = scores >= threshold
    right = int((told & (labels == 1)).sum())
    return Share(right, int(told.sum())), Share(right, int((labels == 1).sum()))


@dataclass(frozen=True)
class Bin:
    """Predictions of nearly one probability: their number, mean probability and positive share."""

    count: int
    probability: float
    positive_share: float


def reliability(labels: Labels, scores: Scores, bins: int = BINS) -> list[Bin]:
    """Return at most `bins` bins of equal numbers, lowest first; equal scores share a bin.

    Not of equal width: of a rare class nearly all scores would lie in the first one.
    """
    if not len(scores):
        return []
    edges = np.unique(np.quantile(scores, np.arange(1, bins) / bins, method="inverted_cdf"))
    places = np.searchsorted(edges, scores)
    counts = np.bincount(places, minlength=len(edges) + 1)
    told = np.bincount(places, scores, len(edges) + 1)
    known = np.bincount(places, labels, len(edges) + 1)
    return [
        Bin(int(counts[i]), float(told[i] / counts[i]), float(known[i] / counts[i]))
        for i in np.flatnonzero(counts)
    ]


def calibration_error(bins: list[Bin]) -> float:
    """Return the expected calibration error: |probability - positive share|, weighted by count.

    Source: Naeini, Cooper and Hauskrecht, AAAI 2015; with bins of equal numbers. It is above 0 for
    a perfect model too, by about the root of 1 / count. 0 of no bins.
    """
    total = sum(one.count for one in bins) or 1
    return sum(abs(one.probability - one.positive_share) * one.count for one in bins) / total


def _mean(values: Scores) -> Estimate:
    if len(values) < 2:
        raise ValueError(f"{len(values)} labels: two are needed")
    return Estimate(float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values)))


def _midranks(values: Scores) -> Scores:
    """Return the rank of each value from 1; equal values share the mean of their ranks."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Scores = (last - (counts - 1) / 2)[places]
    return ranks
