"""Hourly looks at a moving mean cross as often as the formula says, and no oftener."""

import numpy as np
import pytest

from boringml.monitoring.moving_window import crossing_probability, safe_height

LOOKS = 168  # a week's hours
RUNS = 4000


def moving_means(random: np.random.Generator) -> np.ndarray:
    """Return means of the last window, in standard errors, at each hour of two windows' time."""
    sums = np.cumsum(np.pad(random.standard_normal((RUNS, 3 * LOOKS)), ((0, 0), (1, 0))), axis=1)
    return (sums[:, LOOKS:] - sums[:, :-LOOKS]) / np.sqrt(LOOKS)


@pytest.mark.parametrize("chance", [0.05, 0.02])
def test_of_many_looks_as_many_cross_as_are_allowed(chance: float) -> None:
    means = moving_means(np.random.default_rng(11))
    crossed = float((means[:, :LOOKS].max(axis=1) > safe_height(chance)).mean())
    error = np.sqrt(chance * (1 - chance) / RUNS)
    assert 0.6 * chance < crossed < chance + 3 * error


def test_the_height_of_one_look_would_be_crossed_five_times_as_often() -> None:
    means = moving_means(np.random.default_rng(12))[:, :LOOKS]
    assert (means.max(axis=1) > 1.645).mean() > 0.2


def test_two_adjacent_windows_differ_no_oftener_than_half_as_often_again() -> None:
    means = moving_means(np.random.default_rng(13))
    difference = (means[:, LOOKS:] - means[:, :-LOOKS]) / np.sqrt(2)
    chance = 0.05 / 2.5
    crossed = (difference.max(axis=1) > safe_height(chance)).mean()
    assert crossed < 1.5 * chance + 3 * np.sqrt(1.5 * chance / RUNS)


def test_a_safe_height_has_its_chance() -> None:
    for chance in (0.2, 0.05, 0.001):
        assert crossing_probability(safe_height(chance)) == pytest.approx(chance, rel=1e-6)
