"""How far two answers lie apart, and whether that is too far."""

import math
import random
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boringml.release.divergence import Answer, Pair, quantile, summarise
from boringml.release.segments import segment_of, typical_value
from boringml.release.shadow_judge import ShadowPlan, chance_of_at_least, judge_shadow

PLAN: dict[str, Any] = {
    "samples": 300,
    "seconds": 1800.0,
    "share": 0.2,
    "max_label_disagreement": 0.10,
    "max_probability_shift": 0.15,
    "max_segment_disagreement": 0.25,
    "max_extra_failures": 0.0,
    "max_latency_ratio": 2.0,
    "latency_floor_ms": 20.0,
}
BASELINE = {
    "rate": {"kind": "numeric", "edges": [5.0, 10.0, 15.0], "shares": [0.25] * 4},
    "term": {"kind": "categorical", "shares": {"short": 0.7, "long": 0.3, "never": 0.0}},
}


def plan(**changed: Any) -> ShadowPlan:
    return ShadowPlan(**{**PLAN, **changed})


def good(probability: float = 0.05, latency_ms: float = 10.0, label: str | None = None) -> Answer:
    told = label or ("bad" if probability >= 0.1 else "good")
    return Answer(latency_ms, told, probability)


def failed(code: str = "internal_error") -> Answer:
    return Answer(10.0, failure=code)


def pairs(count: int, candidate: Answer | None = None, live: Answer | None = None, **features: Any):
    return [Pair(f"{i}", live or good(), candidate or good(), features) for i in range(count)]


def judged(found: list[Pair], elapsed_s: float = 60.0, **changed: Any):
    return judge_shadow(summarise(found, ("rate", "term"), BASELINE), plan(**changed), elapsed_s)


def test_the_same_answers_pass_with_their_numbers() -> None:
    verdict = judged(pairs(300))
    assert (verdict.decision, verdict.code) == ("pass", None)
    assert "labels differ in 0 of 300 requests: 0.0%, at most 10.0% is accepted" in verdict.reasons


def test_one_request_less_is_waited_for_and_never_passes_when_the_time_is_up() -> None:
    assert judged(pairs(299), 1799.9).decision == "continue"
    verdict = judged(pairs(299), 1800.0)
    assert (verdict.decision, verdict.code) == ("fail", "shadow_without_traffic")
    assert "299 of 300" in verdict.reasons[0]
    assert verdict.error().status == 422


def test_no_traffic_is_never_passed() -> None:
    waiting = judged([], 0.0)
    told = "0 of 300 requests were compared; it gives up after 1800 s"
    assert (waiting.decision, waiting.reasons) == ("continue", (told,))
    assert judged([], 1e9).code == "shadow_without_traffic"


def test_requests_that_live_failed_are_no_samples() -> None:
    found = pairs(300, live=failed("model_not_released"))
    verdict = judged(found, 1800.0)
    assert verdict.code == "shadow_without_traffic"
    assert "0 of 300 requests were compared, 300 more failed on live itself" in verdict.reasons[0]


def test_of_a_slow_live_the_ratio_counts_and_not_the_floor() -> None:
    """Live at 100 ms, twice of which is accepted."""
    slow = pairs(269, good(latency_ms=100.0), good(latency_ms=100.0))
    for latency_ms, decision in ((200.0, "pass"), (200.1, "fail")):
        late = pairs(31, good(latency_ms=latency_ms), good(latency_ms=100.0))
        assert judged(slow + late).decision == decision


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (good(label="bad"), "labels differ in 31 of 300 requests: 10.3%, at most 10.0%"),
        (good(0.05 + 0.151, label="good"), "moves by 0.1510 at p95"),
        (good(latency_ms=30.1), "answers in 30.1 ms at p95, live in 10.0 ms: at most 30.0 ms"),
        (failed(), "failed 31 of 300 requests that live answered (internal_error 31)"),
    ],
    ids=["labels", "probabilities", "latency", "failures"],
)
def test_each_tolerance_stops_a_candidate_and_says_by_how_much(bad: Answer, told: str) -> None:
    verdict = judged(pairs(269) + pairs(31, bad))
    assert (verdict.decision, verdict.code) == ("fail", "shadow_failed")
    assert len(verdict.reasons) == 2
    assert told in verdict.reasons[0]


def test_what_just_meets_a_tolerance_passes() -> None:
    found = pairs(270) + pairs(30, good(label="bad", latency_ms=30.0))
    assert judged(found).decision == "pass"


def test_a_failing_candidate_whose_labels_cannot_be_compared_does_not_pass() -> None:
    assert judged(pairs(300, failed()), max_extra_failures=1.0).decision == "fail"


def test_one_bad_segment_stops_a_candidate_that_is_good_on_the_whole() -> None:
    found = pairs(270, term="short") + pairs(12, term="long")
    bad = pairs(18, good(label="bad"), term="long")
    assert judged(found + bad[:17]).decision == "continue"
    verdict = judged(found + bad)
    assert verdict.decision == "fail"
    assert "term long 18 of 30 (60.0%)" in verdict.reasons[0]


def test_a_segment_that_chance_may_have_made_bad_does_not_stop_a_candidate() -> None:
    found = pairs(270, term="short") + pairs(20, term="long")
    bad = pairs(10, good(label="bad"), term="long")
    verdict = judged(found + bad)
    assert verdict.decision == "pass"
    assert "term long 10 of 30 (33.3%)" in "; ".join(verdict.reasons)


def test_a_candidate_whose_segments_all_meet_their_tolerance_passes_on_noise_alone() -> None:
    stopped = 0
    for seed in range(100):
        draw = random.Random(seed)
        found = [
            Pair(
                str(i),
                good(),
                good(label="bad" if draw.random() < 0.25 else None),
                {"term": draw.choice(["short", "long"]), "rate": draw.uniform(0, 20)},
            )
            for i in range(300)
        ]
        stopped += judged(found, max_label_disagreement=0.5).decision == "fail"
    assert stopped <= 2


def test_a_small_segment_is_told_and_not_judged() -> None:
    found = pairs(280, term="short") + pairs(20, good(label="bad"), term="long")
    summary = summarise(found, ("term",), BASELINE)
    assert [(s.segment, s.samples, s.share, s.judged) for s in summary.segments] == [
        ("short", 280, 0.0, True),
        ("long", 20, 1.0, False),
    ]
    assert judged(found).decision == "pass"


def test_what_is_clear_is_not_waited_for() -> None:
    bad = good(label="bad")
    assert judged(pairs(24) + pairs(25, bad)).decision == "continue"
    assert judged(pairs(25) + pairs(25, bad)).code == "shadow_failed"
    # 16 of 100 is more than 10 %, and chance may be why.
    assert judged(pairs(84) + pairs(16, bad)).decision == "continue"


def test_one_extra_failure_is_clear_where_none_is_accepted() -> None:
    assert judged(pairs(48) + pairs(1, failed())).decision == "continue"
    assert judged(pairs(49) + pairs(1, failed())).code == "shadow_failed"


def test_two_slow_answers_among_many_failures_are_not_clear() -> None:
    found = pairs(60, failed()) + pairs(2, good(0.9, 500.0, "good"))
    assert judged(found, max_extra_failures=1.0).decision == "continue"


def test_segments_are_categories_and_the_bins_of_the_baseline() -> None:
    rate = BASELINE["rate"]
    told = [segment_of(v, rate) for v in (4, 5.0, 5.1, 15, 15.5, None)]
    assert told == ["<= 5", "<= 5", "5 to 10", "10 to 15", "> 15", "missing"]
    assert segment_of("long", BASELINE["term"]) == "long"
    assert segment_of(7, None) == "7"


def test_what_is_typical_is_the_median_or_the_most_frequent() -> None:
    assert typical_value(BASELINE["rate"]) == 10.0
    assert typical_value(BASELINE["term"]) == "short"
    assert typical_value({"kind": "numeric", "edges": [], "shares": []}) is None
    assert typical_value({"kind": "categorical", "shares": {"a": 0.0}}) is None
    assert typical_value(None) is None


probabilities = st.floats(0, 1)
answers = st.builds(
    Answer, st.floats(0.1, 1000), st.sampled_from(["good", "bad"]), probabilities, st.none()
) | st.builds(Answer, st.floats(0.1, 1000), failure=st.sampled_from(["internal_error", "502"]))
some_pairs = st.lists(
    st.builds(
        Pair,
        st.text(),
        answers,
        answers,
        st.fixed_dictionaries(
            {"rate": st.floats(0, 20) | st.none(), "term": st.sampled_from(["short", "long"])}
        ),
    ),
    max_size=80,
)


@given(some_pairs)
def test_every_request_is_counted_once_and_in_one_segment_of_each_feature(found) -> None:
    summary = summarise(found, ("rate", "term"), BASELINE)
    assert summary.samples + summary.live_failures == len(found)
    assert summary.compared + summary.extra_failures == summary.samples
    for feature in ("rate", "term"):
        own = [s for s in summary.segments if s.feature == feature]
        assert sum(s.samples for s in own) == summary.compared
        assert sum(s.disagreements for s in own) == summary.disagreements
    shown = [v for v in summary.probability_shift.values() if v is not None]
    assert shown == sorted(shown)
    assert all(0 <= v <= 1 for v in shown)


@given(some_pairs)
def test_swapping_sides_changes_neither_disagreement_nor_shift(found) -> None:
    there = summarise(found, ("term",), BASELINE)
    back = summarise([Pair(p.id, p.candidate, p.live, p.features) for p in found], (), BASELINE)
    assert there.disagreements == back.disagreements
    assert there.probability_shift == back.probability_shift


@given(some_pairs, st.floats(0, 1e6), st.integers(1, 100))
def test_no_verdict_passes_without_its_samples(found, elapsed, samples) -> None:
    summary = summarise(found, ("rate", "term"), BASELINE)
    verdict = judge_shadow(summary, plan(samples=samples), elapsed)
    assert verdict.reasons
    if verdict.decision == "pass":
        assert summary.samples >= samples
        assert summary.compared > 0
        assert summary.extra_failures == 0
    if summary.samples < samples and elapsed >= 1800:
        assert verdict.decision == "fail"
    if verdict.decision == "fail":
        assert re.search(r"\d", verdict.error().message)


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 1))
def test_a_quantile_is_one_of_the_values_that_so_many_do_not_exceed(values, share) -> None:
    found = quantile(sorted(values), share)
    assert found in values
    assert sum(v <= found for v in values) >= share * len(values) - 1e-9


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.001, 0.999))
def test_the_tail_is_that_of_the_binomial(hits, trials, share) -> None:
    exact = math.fsum(
        math.comb(trials, k) * share**k * (1 - share) ** (trials - k)
        for k in range(hits, trials + 1)
    )
    assert chance_of_at_least(hits, trials, share) == pytest.approx(exact, rel=1e-9, abs=1e-12)


def test_the_tail_holds_at_its_ends() -> None:
    assert chance_of_at_least(0, 10, 0.0) == 1.0
    assert chance_of_at_least(1, 10, 0.0) == 0.0
    assert chance_of_at_least(10, 10, 1.0) == 1.0
    assert chance_of_at_least(4000, 20_000, 0.1) < 1e-300
