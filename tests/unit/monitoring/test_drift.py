"""What drifted is told, what is noise is not, and too little is neither."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from boringml.monitoring.baseline import categorical_baseline, numeric_baseline
from boringml.monitoring.drift import Drift, Finding, judge_drift
from boringml.monitoring.drift_settings import DriftSettings
from boringml.monitoring.report import FINE, NOT_EVALUATED, RAISED
from boringml.monitoring.window import Rows, Window

SETTINGS = DriftSettings(
    window_hours=24,
    min_samples=200,
    psi=0.1,
    null_share=0.02,
    new_category_share=0.005,
    false_alarms=0.001,
    retrain=False,
    cool_down_hours=168,
)
TERMS = ["a", "b", "c", "rare", "absent"]
SHARES = [0.5, 0.3, 0.195, 0.005, 0.0]
WATCHED = ["rate", "term"]
random = np.random.default_rng(7)


def traffic(rows: int, seed: int) -> dict[str, list[Any]]:
    rng = np.random.default_rng(seed)
    return {
        "rate": rng.normal(10, 2, rows).tolist(),
        "mostly_zero": np.where(rng.random(rows) < 0.005, 1.0, 0.0).tolist(),
        "term": rng.choice(TERMS, rows, p=SHARES).tolist(),
    }


def baseline(rows: int = 5000) -> dict[str, Any]:
    found = traffic(rows, 1)
    rng = np.random.default_rng(2)
    return {
        "features": {
            "rate": numeric_baseline(found["rate"]),
            "mostly_zero": numeric_baseline(found["mostly_zero"]),
            "term": categorical_baseline(found["term"], TERMS),
        },
        "probability": numeric_baseline(rng.beta(2, 8, 1000).tolist()),
        "prediction": categorical_baseline(["good"] * 800 + ["bad"] * 200, ["good", "bad"]),
    }


BASELINE = baseline()


def look(features: dict[str, list[Any]], seed: int = 5, **given: Any) -> Drift:
    rows = len(features["rate"])
    rng = np.random.default_rng(seed)
    window = Window(BASELINE)
    window.add(
        Rows(
            features,
            given.get("predictions", rng.choice(["good", "bad"], rows, p=[0.8, 0.2]).tolist()),
            given.get("probabilities", rng.beta(2, 8, rows).tolist()),
        )
    )
    return judge_drift(window, WATCHED, SETTINGS)


def of(drift: Drift, name: str) -> Finding:
    return next(one for one in (*drift.features, *drift.outputs) if one.name == name)


@pytest.mark.parametrize("rows", [200, 1000, 20_000])
def test_the_same_traffic_is_fine_at_any_size(rows: int) -> None:
    drift = look(traffic(rows, 11))
    assert (drift.status, drift.share, drift.drifted) == (FINE, 0, [])
    assert {one.name for one in drift.evaluated} == {"rate", "term", "prediction", "probability"}


def test_the_threshold_is_chance_where_rows_are_few_and_what_matters_where_they_are_many() -> None:
    few, many = (of(look(traffic(rows, 11)), "rate").shape for rows in (200, 20_000))
    assert few is not None
    assert many is not None
    assert few.chance is not None
    assert few.threshold == few.chance > SETTINGS.psi
    assert many.threshold == SETTINGS.psi > (many.chance or 1)
    # Of 4 watched, half of each one's part, of 10 bins, and of 5,000 rows beside 200.
    exact = stats.chi2.isf(0.001 / 4 / 2, 9)
    assert few.chance == pytest.approx((1 / 200 + 1 / 5000) * exact)


def test_an_index_above_a_tenth_is_noise_at_200_rows() -> None:
    found = [of(look(traffic(200, seed), seed), "rate") for seed in range(200)]
    noisy = [one for one in found if one.shape and one.shape.psi > 0.1]
    assert len(noisy) >= 3
    assert all(one.status == FINE for one in found)


@pytest.mark.parametrize("rows", [200, 1000, 5000])
def test_half_a_deviation_is_told_with_how_far(rows: int) -> None:
    moved = traffic(rows, 3)
    moved["rate"] = [value + 1 for value in moved["rate"]]
    drift = look(moved)
    assert [one.name for one in drift.drifted] == ["rate"]
    assert (drift.status, drift.share) == (RAISED, 0.25)
    found = of(drift, "rate")
    assert found.shape is not None
    assert found.shape.distance == pytest.approx(0.5, abs=0.15)
    assert "mean up by 0." in found.reasons[0]
    assert found.shape.p_value is not None
    assert found.shape.p_value < 1e-6


def test_a_category_that_appears_is_told_at_once_however_small_the_index() -> None:
    found = traffic(1000, 4)
    found["term"][:20] = ["absent"] * 20
    drift = look(found)
    assert of(drift, "term").reasons == ("'absent' in 2.0% of the rows, never in the baseline",)


def test_a_category_that_appears_in_many_rows_is_named_beside_the_index() -> None:
    found = traffic(20_000, 4)
    found["term"][:2_000] = ["absent"] * 2_000
    new, index = of(look(found), "term").reasons
    assert new == "'absent' in 10.0% of the rows, never in the baseline"
    assert index.startswith("PSI ")


def test_a_category_that_nobody_declared_is_told_too() -> None:
    found = traffic(1000, 4)
    found["term"][:20] = ["unheard of"] * 20
    document = of(look(found), "term").document()
    assert document["reasons"] == ["'unheard of' in 2.0% of the rows, never in the baseline"]
    assert document["categories"] == [*TERMS, "unheard of"]
    assert document["baseline_shares"][-1] == 0
    assert document["window_shares"][-1] == 0.02


def test_one_row_of_an_absent_category_is_chance() -> None:
    found = traffic(200, 4)
    found["term"][0] = "absent"
    assert look(found).status == FINE


def test_a_rare_category_that_grows_is_told_though_it_is_too_small_for_the_index() -> None:
    found = traffic(200, 4)
    found["term"] = ["rare" if i < 40 else word for i, word in enumerate(found["term"])]
    reasons = of(look(found), "term").reasons
    assert any(told.startswith("'rare' in 2") for told in reasons)


def test_a_sensor_that_goes_constant_is_told() -> None:
    found = traffic(200, 6)
    found["rate"] = [10.0] * 200
    reasons = of(look(found), "rate").reasons
    assert "nothing but 10 in 200 rows" in reasons


def test_a_constant_category_is_told() -> None:
    found = traffic(200, 6)
    found["term"] = ["a"] * 200
    assert "nothing but 'a' in 200 rows" in of(look(found), "term").reasons


def test_a_feature_that_is_nearly_always_zero_may_be_zero_in_a_window() -> None:
    found = traffic(200, 6)
    found["mostly_zero"] = [0.0] * 200
    assert of(look(found), "mostly_zero").status == FINE
    many = traffic(20_000, 6)
    many["mostly_zero"] = [0.0] * 20_000
    assert "nothing but 0 in 20000 rows" in of(look(many), "mostly_zero").reasons


def test_a_rare_value_that_is_half_of_the_rows_is_told() -> None:
    found = traffic(200, 6)
    found["mostly_zero"] = [float(i % 2) for i in range(200)]
    assert of(look(found), "mostly_zero").status == RAISED


@pytest.mark.parametrize("share", [0.05, 1.0])
def test_nulls_that_appear_are_told(share: float) -> None:
    found = traffic(1000, 8)
    found["rate"][: int(1000 * share)] = [None] * int(1000 * share)
    found_now = of(look(found), "rate")
    assert found_now.reasons[0].startswith(f"nulls in {share:.1%} of the rows, in 0.0%")
    assert (found_now.shape is None) == (share == 1.0)


def test_nulls_that_go_away_are_told() -> None:
    full = Window({"features": {"rate": numeric_baseline([1.0, 2.0, 3.0, float("nan")] * 500)}})
    full.add(Rows({"rate": [1.0, 2.0, 3.0] * 200}))
    (found,) = judge_drift(full, ["rate"], SETTINGS).drifted
    assert found.reasons == ("nulls in 0.0% of the rows, in 25.0% of the baseline",)


def test_a_null_in_a_hundred_does_not_matter() -> None:
    found = traffic(1000, 8)
    found["rate"][:10] = [None] * 10
    assert look(found).status == FINE


def test_answers_that_change_are_told() -> None:
    drift = look(traffic(1000, 9), predictions=["good", "bad"] * 500)
    assert [one.name for one in drift.drifted] == ["prediction"]
    drift = look(traffic(1000, 9), probabilities=random.beta(4, 6, 1000).tolist())
    assert [one.name for one in drift.drifted] == ["probability"]


def test_too_few_rows_are_not_evaluated_which_is_not_fine() -> None:
    drift = look(traffic(199, 10))
    assert (drift.status, drift.share, drift.evaluated) == (NOT_EVALUATED, None, [])


def test_what_is_not_watched_is_reported_and_raises_nothing() -> None:
    found = traffic(200, 6)
    found["mostly_zero"] = [1.0] * 200
    drift = look(found)
    assert drift.status == FINE
    document = of(drift, "mostly_zero").document()
    assert (document["status"], document["watched"]) == (RAISED, False)


def test_a_watched_feature_that_the_rows_do_not_have_is_named() -> None:
    window = Window(BASELINE, without=["term"])
    window.add(Rows({"rate": traffic(300, 1)["rate"]}, ["good"] * 300, [0.2] * 300))
    assert judge_drift(window, WATCHED, SETTINGS).unseen == ("term",)


NORMAL = np.random.default_rng(1).normal(0, 1, 5000)
ZERO_INFLATED = np.where(
    np.arange(10_000) < 500, np.random.default_rng(2).normal(100, 5, 10_000), 0
)


def look_at(learned: Any, seen: Any) -> Finding:
    """Return what a look at one feature finds."""
    window = Window({"features": {"x": numeric_baseline([float(value) for value in learned])}})
    window.add(Rows({"x": [float(value) for value in seen]}))
    (found,) = judge_drift(window, ["x"], SETTINGS).features
    return found


@pytest.mark.parametrize(
    ("learned", "seen", "told"),
    [
        ([1] * 5000, [0] * 5000, "values below 1 in 100.0%"),
        ([5] * 5000, [-1e6] * 5000, "values below 5 in 100.0%"),
        ([1] * 9500 + [2] * 500, [0] * 9500 + [2] * 500, "values below 1 in 95.0%"),
        (ZERO_INFLATED, ZERO_INFLATED * 1000, "values above 11"),
        (NORMAL, np.where(NORMAL < -1.28, NORMAL * 1e6, NORMAL), "values below -3."),
    ],
)
def test_values_outside_the_range_of_the_baseline_are_told_though_the_index_is_zero(
    learned: Any, seen: Any, told: str
) -> None:
    found = look_at(learned, seen)
    assert found.shape is not None
    assert found.shape.psi < SETTINGS.psi
    (reason,) = found.reasons
    assert reason.startswith(told)
    assert reason.endswith("of the rows, never in the baseline")


def test_few_rows_outside_the_range_do_not_matter_or_are_chance() -> None:
    seen = NORMAL.copy()
    seen[:20] = 1e9  # 0.4 %: more than chance makes, less than matters
    assert look_at(NORMAL, seen).status == FINE
    seen[:25] = 1e9
    assert look_at(NORMAL, seen).reasons == (
        f"values above {NORMAL.max():g} in 0.5% of the rows, never in the baseline",
    )
    # Of 200 rows, 3 are 1.5 %, and chance may explain them beside a baseline of as many.
    few = np.append(NORMAL[:197], [1e9] * 3)
    assert look_at(NORMAL[:200], few).status == FINE


def test_the_report_says_how_many_rows_lie_outside_the_range() -> None:
    document = look_at([1, 2, 3, 4] * 50, [0, 1, 2, 9] * 50).document()
    assert (document["below_range"], document["above_range"]) == (0.25, 0.25)
    assert sum(document["window_shares"]) == 1


def test_a_probability_that_many_rows_share_does_not_move_by_the_ulps_of_single_precision() -> None:
    scores = [0.1, 0.3, 0.7] * 500
    window = Window({"features": {}, "probability": numeric_baseline(scores)})
    window.add(Rows(probabilities=np.float32(scores).tolist()))
    (found,) = judge_drift(window, [], SETTINGS).outputs
    assert (found.status, found.shape and found.shape.psi) == (FINE, 0)
    assert (found.document()["above_range"], found.document()["below_range"]) == (0, 0)


@pytest.mark.parametrize("rows", [200, 1000, 5000])
def test_new_extremes_of_the_same_distribution_raise_nothing(rows: int) -> None:
    """Heavy tails, dealt anew: n / (n + m) of the windows have the highest row of all."""
    rng = np.random.default_rng(rows)
    beyond = 0
    for _ in range(40):
        values = rng.standard_cauchy(rows + 5000)
        found = look_at(values[rows:], values[:rows])
        beyond += found.document()["above_range"] > 0
        assert not [reason for reason in found.reasons if "never in" in reason]
    assert beyond


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_look_goes_on_whatever_number_a_client_sends(value: float) -> None:
    found = look_at([1, 2, 3] * 1000, [1, 2, 3] * 1000 + [value] * 2)
    json.dumps(found.document(), allow_nan=False)


@given(st.integers(0, 10_000), st.integers(0, 400), st.sampled_from(["a", "absent", None]))
def test_every_look_is_told_as_json(seed: int, rows: int, word: str | None) -> None:
    found = traffic(rows, seed)
    found["term"] = [word] * rows
    drift = look(found, seed)
    for one in (*drift.features, *drift.outputs):
        told = json.loads(json.dumps(one.document(), allow_nan=False))
        assert len(told["baseline_shares"]) == len(told["window_shares"])
        assert told["psi"] is None or told["psi"] >= 0
