"""How far two answers to the same requests lie apart.

Serves the shadow of a release (live against candidate) and a migration (an existing endpoint
against live): docs/flows/shadow.md.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from boringml.release.segments import segment_of

# Fewer requests say too little of a segment.
MIN_SEGMENT_SAMPLES = 30
# As many failing codes as a summary tells.
_SHOWN = 5


@dataclass(frozen=True)
class Answer:
    """What one side said of one record: label and P(positive), or the code of its failure.

    `latency_ms` is None where nobody waited for it: of a row of a batch.
    """

    latency_ms: float | None
    prediction: str | None = None
    probability: float | None = None
    failure: str | None = None


@dataclass(frozen=True)
class Pair:
    """Two answers to one record. `features` are the key features that may be known."""

    id: str
    live: Answer
    candidate: Answer
    features: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Pair":
        """Return the pair that `dataclasses.asdict` made `document` of."""
        live, candidate = Answer(**document["live"]), Answer(**document["candidate"])
        return cls(document["id"], live, candidate, document["features"])

    @property
    def differs(self) -> bool:
        """Whether two labels are told."""
        return self.live.prediction != self.candidate.prediction

    @property
    def shift(self) -> float:
        """|candidate - live| of two probabilities."""
        return abs((self.candidate.probability or 0.0) - (self.live.probability or 0.0))


@dataclass(frozen=True)
class Segment:
    """Requests with one value, or one range, of a key feature. Few of them are not `judged`."""

    feature: str
    segment: str
    samples: int
    disagreements: int
    share: float
    judged: bool


@dataclass(frozen=True)
class Summary:
    """What a set of pairs shows.

    `samples` are the requests that live answered; of these the candidate failed
    `extra_failures`, and `compared` have two answers, which all further numbers are of.
    `probability_shift` has quantiles of |candidate - live|, latencies are in milliseconds; of
    nothing compared, quantiles and ratio are None.
    """

    samples: int
    live_failures: int
    extra_failures: int
    extra_failure_share: float
    failure_codes: Mapping[str, int]
    compared: int
    disagreements: int
    label_disagreement: float
    probability_shift: Mapping[str, float | None]
    live_latency_ms: Mapping[str, float | None]
    candidate_latency_ms: Mapping[str, float | None]
    latency_ratio: float | None
    segments: Sequence[Segment]


def summarise(
    pairs: Iterable[Pair], key_features: Sequence[str], baseline: Mapping[str, Any]
) -> Summary:
    """Return what pairs show. `baseline` is `features` of a package's baseline.json.

    Segments are the categories of a key feature as they are, and the baseline's quantile bins of
    a numeric one; a feature without a baseline has its own values.
    """
    answered = []
    live_failures = 0
    for pair in pairs:
        if pair.live.failure is None:
            answered.append(pair)
        else:
            live_failures += 1
    failures = Counter(p.candidate.failure for p in answered if p.candidate.failure is not None)
    compared = [pair for pair in answered if pair.candidate.failure is None]
    differing = [pair for pair in compared if pair.differs]
    shifts = sorted(pair.shift for pair in compared)
    before = _latencies(pair.live for pair in compared)
    after = _latencies(pair.candidate for pair in compared)
    extra = failures.total()
    return Summary(
        samples=len(answered),
        live_failures=live_failures,
        extra_failures=extra,
        extra_failure_share=share_of(extra, len(answered)),
        failure_codes=dict(failures.most_common(_SHOWN)),
        compared=len(compared),
        disagreements=len(differing),
        label_disagreement=share_of(len(differing), len(compared)),
        probability_shift=_quantiles(shifts, p50=0.5, p95=0.95, p99=0.99, max=1.0),
        live_latency_ms=_quantiles(before, p50=0.5, p95=0.95),
        candidate_latency_ms=_quantiles(after, p50=0.5, p95=0.95),
        latency_ratio=_ratio(quantile(after, 0.95), quantile(before, 0.95)),
        segments=_segments(compared, key_features, baseline),
    )


def quantile(ordered: Sequence[float], share: float) -> float | None:
    """Return a quantile of sorted values by the nearest-rank method; None of no values."""
    if not ordered:
        return None
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def share_of(part: int, whole: int) -> float:
    """Return part / whole, and 0 of nothing."""
    return part / whole if whole else 0.0


def _segments(
    compared: Sequence[Pair], key_features: Sequence[str], baseline: Mapping[str, Any]
) -> list[Segment]:
    """Return the segments of each key feature that requests have, most requests first."""
    found: list[Segment] = []
    for name in key_features:
        samples: Counter[str] = Counter()
        differing: Counter[str] = Counter()
        for pair in compared:
            if name in pair.features:
                segment = segment_of(pair.features[name], baseline.get(name))
                samples[segment] += 1
                differing[segment] += pair.differs
        found.extend(
            Segment(
                name,
                segment,
                count,
                differing[segment],
                differing[segment] / count,
                count >= MIN_SEGMENT_SAMPLES,
            )
            for segment, count in samples.most_common()
        )
    return found


def _latencies(answers: Iterable[Answer]) -> list[float]:
    return sorted(answer.latency_ms for answer in answers if answer.latency_ms is not None)


def _quantiles(ordered: Sequence[float], **shares: float) -> dict[str, float | None]:
    return {name: quantile(ordered, share) for name, share in shares.items()}


def _ratio(after: float | None, before: float | None) -> float | None:
    return after / before if after is not None and before else None
