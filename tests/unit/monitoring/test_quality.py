"""Windows are of settled days, and a fall is told where chance does not explain it."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boringml.monitoring import quality
from boringml.monitoring.label_join import MILLISECONDS_A_DAY, Fate, Joined
from boringml.monitoring.quality import Holdout, Window
from boringml.monitoring.quality_settings import QualitySettings

SETTINGS = QualitySettings("roc_auc", 0.01, 20, 2, 30)
EVEN = {0: 1.0, 1: 1.0, 2: 1.0, 3: 1.0}


def world(shares: dict[int, float], separation: float = 1.2, per_day: int = 400) -> Joined:
    """Return days of predictions, of which a share is labelled, a quarter of these positive."""
    random = np.random.default_rng(8)
    days = np.repeat(list(shares), per_day)
    truth = (random.random(len(days)) < 0.25).astype(np.int8)
    scores = 1 / (1 + np.exp(-(random.standard_normal(len(days)) + separation * truth - 1)))
    known = (
        np.tile(np.arange(per_day), len(shares))
        < np.repeat(list(shares.values()), per_day) * per_day
    )
    label = np.where(known, truth, -1).astype(np.int8)
    ones = np.ones(len(days), np.int64)
    return Joined(days * MILLISECONDS_A_DAY, ones, scores, label, Fate())


@pytest.mark.parametrize(
    ("shares", "window", "before"),
    [
        ({0: 1, 1: 1, 2: 1, 3: 1, 4: 0}, Window(2, 4), Window(0, 2)),
        # The first labels of a day are not all of it.
        ({0: 1, 1: 1, 2: 1, 3: 1, 4: 0.4}, Window(2, 4), Window(0, 2)),
        ({0: 1, 1: 1, 2: 1, 3: 1, 4: 0.6}, Window(3, 5), Window(0, 3)),
        # A model of whose predictions few are ever labelled is judged by these.
        ({0: 0.05, 1: 0.05, 2: 0.05, 3: 0.05}, Window(2, 4), Window(0, 2)),
        # Days without traffic are none.
        ({0: 1, 5: 1, 6: 1, 9: 1}, Window(6, 10), Window(0, 6)),
        ({0: 1, 1: 1, 2: 1}, Window(1, 3), None),
        ({0: 1}, Window(0, 1), None),
        ({0: 0, 1: 0}, None, None),
        ({}, None, None),
    ],
)
def test_a_window_is_of_settled_days(
    shares: dict[int, float], window: Window | None, before: Window | None
) -> None:
    assert quality.settled_windows(world(shares), 2) == (window, before)


def with_day(joined: Joined, day: int, predictions: int, labelled: int) -> Joined:
    """Return it with one day more, of which so many predictions are labelled, all negative."""
    label = np.where(np.arange(predictions) < labelled, 0, -1).astype(np.int8)
    return Joined(
        np.append(joined.at, np.full(predictions, day * MILLISECONDS_A_DAY)),
        np.append(joined.version, np.ones(predictions, np.int64)),
        np.append(joined.probability, np.full(predictions, 0.5)),
        np.append(joined.label, label),
        joined.fate,
    )


@given(st.floats(0.01, 1.0), st.integers(1, 100), st.integers(0, 100), st.sampled_from([0, 2, 9]))
def test_a_day_of_few_predictions_unsettles_no_other(
    share: float, predictions: int, labelled: int, day: int
) -> None:
    busy = world({1: share, 3: share, 4: share, 5: share})
    days = quality.settled_days(with_day(busy, day, predictions, min(predictions, labelled)))
    assert set(days) - {day} == {1, 3, 4, 5}


def test_labels_of_quiet_days_alone_are_looked_at() -> None:
    assert quality.settled_days(with_day(world({1: 0, 2: 0}), 0, 20, 20)) == [0]


def compared(holdout: float, rows: int, per_day: int = 400, **settings: Any) -> Any:
    now = world({0: 1.0, 1: 1.0}, per_day=per_day)
    known = Holdout({"roc_auc": holdout}, rows // 4, rows - rows // 4)
    (found,) = quality.compare(now, None, known, QualitySettings(**{**vars(SETTINGS), **settings}))
    return found


def test_a_fall_that_chance_explains_is_none() -> None:
    # The model has 0.80: four points below a holdout of 0.84.
    small, large = compared(0.84, 500), compared(0.84, 500_000, per_day=20_000)
    assert small.difference < -SETTINGS.tolerance
    assert (small.fell, large.fell) == (False, True)


def test_a_small_holdout_tells_large_falls_alone_and_says_from_which_on() -> None:
    small, large = compared(0.84, 500, per_day=20_000), compared(0.84, 500_000, per_day=20_000)
    assert small.told_from > 0.05 > large.told_from > SETTINGS.tolerance
    assert (compared(0.95, 500, per_day=20_000).fell, small.fell) == (True, False)


def test_a_holdout_that_was_perfect_by_luck_is_no_alarm_for_ever() -> None:
    # The model has 0.96; of 20 positives, no holdout in two shows one that is out of place.
    random = np.random.default_rng(8)
    truth = np.tile([1, 0], 10_000).astype(np.int8)
    out = (truth == 1) & (random.random(20_000) < 0.04)
    scores = np.where(out, 0.1, np.where(truth == 1, 0.9, 0.5))
    ones = np.ones(20_000, np.int64)
    now = Joined(np.zeros(20_000, np.int64), ones, scores, truth, Fate())
    (small,) = quality.compare(now, None, Holdout({"roc_auc": 1.0}, 20, 380), SETTINGS)
    assert small.difference == pytest.approx(-0.04, abs=0.005)
    assert not small.fell
    # Of 2,000 it was no luck, and a fall it is.
    (large,) = quality.compare(now, None, Holdout({"roc_auc": 1.0}, 2_000, 38_000), SETTINGS)
    assert large.fell


@given(st.floats(0.55, 0.99), st.integers(100, 100_000), st.floats(0, 0.1))
def test_what_fell_lies_wholly_below_the_tolerance(
    holdout: float, rows: int, tolerance: float
) -> None:
    found = compared(holdout, rows, tolerance=tolerance)
    assert found.low <= found.difference <= found.high
    assert found.fell == (found.high < -tolerance)
    assert found.told_from == pytest.approx(tolerance + (found.high - found.low) / 2)
    # Fewer false alarms are allowed: wider.
    rarer = compared(holdout, rows, tolerance=tolerance, false_alarms=0.001)
    assert rarer.told_from > found.told_from


def test_days_before_with_too_few_labels_are_not_compared_with() -> None:
    joined = world(EVEN)
    window, before = quality.settled_windows(joined, 2)
    assert window is not None
    assert before is not None
    now, past = window.of(joined), before.of(joined)
    (found,) = quality.compare(now, past, None, SETTINGS)
    assert found.against == quality.BEFORE
    many = QualitySettings(**{**vars(SETTINGS), "min_labels": 5000})
    assert quality.compare(now, past, None, many) == []


def test_numbers_of_nothing_are_none() -> None:
    numbers = quality.measured(world({}), 0.5)
    assert (numbers["predictions"], numbers["coverage"], numbers["roc_auc"]) == (0, None, None)
    assert (numbers["precision"], numbers["recall"], numbers["calibration_error"]) == (None,) * 3
    assert quality.by_day(world({}), 0.5) == []


def test_intervals_stay_where_metrics_can_be() -> None:
    perfect = world({0: 1.0}, separation=50)
    low, high = quality.measured(perfect, 0.5)["roc_auc_interval"]
    assert 0 <= low <= high <= 1
    bins = quality.reliability_of(perfect)
    assert sum(one["count"] for one in bins) == 400
