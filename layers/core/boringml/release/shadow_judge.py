"""Whether a candidate that differs from live may go on: the tolerances of model.yaml."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from boringml.errors import BoringError
from boringml.release.divergence import MIN_SEGMENT_SAMPLES, Summary, share_of

CONTINUE: Final = "continue"
PASS: Final = "pass"  # noqa: S105 - a verdict
FAIL: Final = "fail"
SHADOW_FAILED: Final = "shadow_failed"
SHADOW_WITHOUT_TRAFFIC: Final = "shadow_without_traffic"

# A verdict before all samples are there takes at least these.
MIN_EARLY_SAMPLES = 50
# Chance of so many bad requests from a candidate that just meets its tolerance. Every call is a
# look, and looks add up: hundreds of them stay below one in a thousand.
EARLY_CHANCE = 1e-6
# Segments are many and small: chance of any one seeming too bad where all just meet their
# tolerance. Shared out among them (Bonferroni); judged once, when all samples are there.
SEGMENT_CHANCE = 0.01


@dataclass(frozen=True)
class ShadowPlan:
    """`release.shadow` of model.yaml, with `seconds` in place of its minutes.

    Shares are of 1. `max_probability_shift` bounds the p95 of |candidate - live|;
    `max_latency_ratio` bounds candidate p95 / live p95 where they are more than
    `latency_floor_ms` apart, and None leaves latency out. `unit` is what is compared, in words.
    What has a default is not in the plan of a model that batches alone ask: all rows are there at
    once, and nobody waits for one.
    """

    samples: int
    max_label_disagreement: float
    max_probability_shift: float
    max_segment_disagreement: float
    max_extra_failures: float
    seconds: float = 0.0
    share: float = 1.0
    max_latency_ratio: float | None = None
    latency_floor_ms: float = 0.0
    unit: str = "requests"


@dataclass(frozen=True)
class Verdict:
    """`decision` is continue, pass or fail; `code` is that of a failure; reasons have numbers."""

    decision: str
    reasons: tuple[str, ...]
    code: str | None = None

    def error(self) -> BoringError:
        """Return a failed verdict as the refusal that it is (422)."""
        return BoringError(self.code or SHADOW_FAILED, "; ".join(self.reasons)[:900], 422)


def judge_shadow(summary: Summary, plan: ShadowPlan, elapsed_s: float) -> Verdict:
    """Return what to do after `elapsed_s` seconds of shadow.

    With all samples there, every tolerance decides. Before, only what is clear fails: too many
    failures or disagreements for chance to explain (exact binomial tail below EARLY_CHANCE), or
    more than half of the requests beyond what 5 % of them may be. When the time is up and samples
    are missing, it is not passed, whatever there is.
    """
    enough = summary.samples >= plan.samples
    checks = [check(summary, plan) for check in _checks_of(plan)]
    early = summary.samples >= MIN_EARLY_SAMPLES
    broken = [c.words for c in checks if (c.broken and enough) or (c.clear and early)]
    seen = f"{summary.samples} of {plan.samples} {plan.unit} were compared"
    if summary.live_failures:
        seen += f", {summary.live_failures} more failed on live itself"
    if broken:
        return Verdict(FAIL, (*broken, seen), SHADOW_FAILED)
    if enough and not summary.compared:
        return Verdict(FAIL, (f"none of the {plan.unit} has two answers",), SHADOW_FAILED)
    if enough:
        return Verdict(PASS, tuple(c.words for c in checks))
    if elapsed_s >= plan.seconds:
        told = f"{seen} in {elapsed_s:.0f} s: too few to tell, so this is not passed"
        return Verdict(FAIL, (told,), SHADOW_WITHOUT_TRAFFIC)
    return Verdict(CONTINUE, (f"{seen}; it gives up after {plan.seconds:.0f} s",))


def chance_of_at_least(hits: int, trials: int, share: float) -> float:
    """Return P(X >= hits) of a binomial X: the exact upper tail."""
    if hits <= 0:
        return 1.0
    if share <= 0.0 or hits > trials:
        return 0.0
    if share >= 1.0:
        return 1.0
    log_p, log_q = math.log(share), math.log1p(-share)
    whole = math.lgamma(trials + 1)
    return min(
        1.0,
        math.fsum(
            math.exp(
                whole
                - math.lgamma(k + 1)
                - math.lgamma(trials - k + 1)
                + k * log_p
                + (trials - k) * log_q
            )
            for k in range(hits, trials + 1)
        ),
    )


@dataclass(frozen=True)
class _Check:
    """One tolerance: what was seen, whether it is broken, and whether chance cannot be why."""

    words: str
    broken: bool
    clear: bool = False


def _failures(summary: Summary, plan: ShadowPlan) -> _Check:
    hits, trials, most = summary.extra_failures, summary.samples, plan.max_extra_failures
    codes = ", ".join(f"{code} {count}" for code, count in summary.failure_codes.items())
    return _Check(
        f"the candidate failed {hits} of {trials} {plan.unit} that live answered"
        f"{f' ({codes})' if codes else ''}: {_told(hits, trials, most)}",
        share_of(hits, trials) > most,
        chance_of_at_least(hits, trials, most) < EARLY_CHANCE,
    )


def _labels(summary: Summary, plan: ShadowPlan) -> _Check:
    hits, trials, most = summary.disagreements, summary.compared, plan.max_label_disagreement
    return _Check(
        f"labels differ in {hits} of {trials} {plan.unit}: {_told(hits, trials, most)}",
        share_of(hits, trials) > most,
        chance_of_at_least(hits, trials, most) < EARLY_CHANCE,
    )


def _shifts(summary: Summary, plan: ShadowPlan) -> _Check:
    found, most = summary.probability_shift, plan.max_probability_shift
    p50, p95 = found["p50"] or 0.0, found["p95"] or 0.0
    return _Check(
        f"the probability moves by {p95:.4f} at p95 (p50 {p50:.4f}, most {found['max'] or 0:.4f}):"
        f" at most {most:.4f} is accepted",
        p95 > most,
        summary.compared >= MIN_EARLY_SAMPLES and p50 > most,
    )


def _worst_segments(summary: Summary, plan: ShadowPlan) -> _Check:
    most = plan.max_segment_disagreement
    judged = sorted((s for s in summary.segments if s.judged), key=lambda s: -s.share)
    broken = [
        s
        for s in judged
        if chance_of_at_least(s.disagreements, s.samples, most) * len(judged) < SEGMENT_CHANCE
    ]
    shown = [
        f"{s.feature} {s.segment} {s.disagreements} of {s.samples} ({s.share:.1%})"
        for s in (broken or judged)[:3]
    ]
    return _Check(
        f"of {len(judged)} segments with {MIN_SEGMENT_SAMPLES} {plan.unit} or more, labels differ"
        f" most in: {', '.join(shown) or 'none'}; at most {most:.1%} of a segment is accepted,"
        " and what chance may add to it",
        bool(broken),
    )


def _latency(summary: Summary, plan: ShadowPlan) -> _Check:
    live, candidate = summary.live_latency_ms["p95"] or 0.0, summary.candidate_latency_ms
    p50, p95 = candidate["p50"] or 0.0, candidate["p95"] or 0.0
    ratio = plan.max_latency_ratio or 1.0
    most = max(live * ratio, live + plan.latency_floor_ms)
    return _Check(
        f"the candidate answers in {p95:.1f} ms at p95, live in {live:.1f} ms:"
        f" at most {most:.1f} ms is accepted",
        p95 > most,
        summary.compared >= MIN_EARLY_SAMPLES and p50 > most,
    )


_CHECKS: Final[tuple[Callable[[Summary, ShadowPlan], _Check], ...]] = (
    _failures,
    _labels,
    _shifts,
    _worst_segments,
)


def _checks_of(plan: ShadowPlan) -> tuple[Callable[[Summary, ShadowPlan], _Check], ...]:
    return _CHECKS if plan.max_latency_ratio is None else (*_CHECKS, _latency)


def _told(hits: int, trials: int, most: float) -> str:
    return f"{share_of(hits, trials):.1%}, at most {most:.1%} is accepted"
