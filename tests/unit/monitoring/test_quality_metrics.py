"""Metrics are scikit-learn's, and their errors what repeating shows."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import (
    brier_score_loss,
    precision_score,
    recall_score,
    roc_auc_score,
)
from sklearn.metrics import log_loss as sklearn_log_loss

from boringml.monitoring import quality_metrics as metrics
from boringml.monitoring.quality_metrics import Share

# Few distinct scores: ties are the rule, as with trees.
PAIRS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 12).map(lambda n: n / 12)), min_size=6, max_size=80
)


def arrays(pairs: list[tuple[int, float]]) -> tuple[metrics.Labels, metrics.Scores]:
    labels = np.array([label for label, _ in pairs], np.int8)
    scores = np.array([score for _, score in pairs])
    assume(2 <= labels.sum() <= len(labels) - 2)
    return labels, scores


@given(PAIRS)
def test_the_metrics_are_those_of_scikit_learn(pairs: list[tuple[int, float]]) -> None:
    labels, scores = arrays(pairs)
    assert metrics.roc_auc(labels, scores).value == pytest.approx(roc_auc_score(labels, scores))
    expected = sklearn_log_loss(labels, scores, labels=[0, 1])
    assert metrics.log_loss(labels, scores).value == pytest.approx(expected)
    assert metrics.brier(labels, scores).value == pytest.approx(brier_score_loss(labels, scores))
    precision, recall = metrics.precision_recall(labels, scores, 0.5)
    told = scores >= 0.5
    assert (precision.value or 0.0) == pytest.approx(
        precision_score(labels, told, zero_division=0.0)
    )
    assert recall.value == pytest.approx(recall_score(labels, told))


@given(PAIRS)
def test_the_error_of_the_auc_is_delongs(pairs: list[tuple[int, float]]) -> None:
    labels, scores = arrays(pairs)
    positive, negative = scores[labels == 1], scores[labels == 0]
    # The definition: each pair wins, draws or loses; the spread of their means on either side.
    wins = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    variance = wins.mean(1).var(ddof=1) / len(positive) + wins.mean(0).var(ddof=1) / len(negative)
    # Or that of a few out of place: see below.
    least = metrics.roc_auc_error(1.0, len(positive), len(negative))
    error = max(math.sqrt(variance), least)
    assert metrics.roc_auc(labels, scores).error == pytest.approx(error)


def parted(random: np.random.Generator, positives: int, negatives: int) -> metrics.Estimate:
    """Return the AUC where the classes are apart, but 4 % of the positives lie below all else."""
    out = random.random(positives) < 0.04
    scores = np.concatenate((np.where(out, 0.1, 0.9), np.full(negatives, 0.5)))
    labels = np.arange(positives + negatives) < positives
    return metrics.roc_auc(labels.astype(np.int8), scores)


def test_a_few_classes_that_part_perfectly_are_no_proof_that_all_do() -> None:
    random = np.random.default_rng(6)
    found = [parted(random, 20, 380) for _ in range(400)]
    perfect = [one for one in found if one.value == 1]
    assert len(perfect) > 100
    assert perfect[0].error > 0.03
    inside = [one.interval()[0] <= 0.96 <= one.interval()[1] for one in found]
    assert np.mean(inside) >= 0.95
    # Of many there is hardly a doubt, and none of it is left where scores overlap.
    assert metrics.roc_auc_error(1.0, 20_000, 380_000) < 1e-4
    assert metrics.roc_auc_error(0.8, 20, 380) > metrics.roc_auc_error(1.0, 20, 380)


def test_both_errors_of_the_auc_are_what_repeating_shows() -> None:
    random = np.random.default_rng(5)
    found = []
    for _ in range(400):
        labels = (random.random(800) < 0.25).astype(np.int8)
        scores = 1 / (1 + np.exp(-(random.standard_normal(800) + 1.2 * labels)))
        found.append(metrics.roc_auc(labels, scores))
    spread = float(np.std([one.value for one in found]))
    value = float(np.mean([one.value for one in found]))
    assert np.mean([one.error for one in found]) == pytest.approx(spread, rel=0.1)
    assert metrics.roc_auc_error(value, 200, 600) == pytest.approx(spread, rel=0.15)
    inside = [one.interval()[0] <= value <= one.interval()[1] for one in found]
    assert 0.92 <= np.mean(inside) <= 0.98


def test_wrong_certainty_costs_much_and_not_infinitely() -> None:
    labels = np.array([1, 0], np.int8)
    assert 30 < metrics.log_loss(labels, np.array([0.0, 1.0])).value < 40


@pytest.mark.parametrize("labels", [[0, 0, 0], [1, 0, 0, 0], []])
def test_an_auc_needs_two_of_each_class(labels: list[int]) -> None:
    known = np.array(labels, np.int8)
    with pytest.raises(ValueError, match="two of each"):
        metrics.roc_auc(known, np.zeros(len(labels)))


@given(PAIRS)
def test_bins_hold_every_prediction_once_and_keep_the_means(
    pairs: list[tuple[int, float]],
) -> None:
    labels, scores = arrays(pairs)
    bins = metrics.reliability(labels, scores)
    assert sum(one.count for one in bins) == len(labels)
    assert sum(one.count * one.probability for one in bins) == pytest.approx(scores.sum())
    assert sum(one.count * one.positive_share for one in bins) == pytest.approx(labels.sum())
    assert [one.probability for one in bins] == sorted(one.probability for one in bins)
    assert 0 <= metrics.calibration_error(bins) <= 1


def test_a_calibrated_model_has_a_small_calibration_error_and_a_bold_one_has_not() -> None:
    random = np.random.default_rng(7)
    truth = random.beta(1, 8, 20_000)
    labels = (random.random(20_000) < truth).astype(np.int8)
    bold = truth**2 / (truth**2 + (1 - truth) ** 2)
    assert metrics.calibration_error(metrics.reliability(labels, truth)) < 0.01
    assert metrics.calibration_error(metrics.reliability(labels, bold)) > 0.05


def test_bins_are_of_equal_numbers_where_scores_differ() -> None:
    scores = np.linspace(0, 0.1, 1000)
    bins = metrics.reliability(np.zeros(1000, np.int8), scores)
    assert [one.count for one in bins] == [100] * 10


def test_a_share_of_nothing_is_none_and_of_little_is_wide() -> None:
    assert (Share(0, 0).value, Share(0, 0).interval()) == (None, None)
    low, high = Share(0, 10).interval() or (1, 0)
    # Wilson's interval, from the formula by hand.
    assert (low, high) == (pytest.approx(0, abs=1e-9), pytest.approx(0.27753, abs=1e-4))
