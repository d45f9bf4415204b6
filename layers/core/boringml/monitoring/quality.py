"""How good a version was on the predictions whose labels are known, and whether it got worse."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from boringml.monitoring import quality_metrics as metrics
from boringml.monitoring.label_join import MILLISECONDS_A_DAY, Joined, moment
from boringml.monitoring.moving_window import safe_height
from boringml.monitoring.quality_metrics import METRICS, Estimate
from boringml.monitoring.quality_settings import QualitySettings

HOLDOUT: Final = "holdout"
BEFORE: Final = "days_before"
# Of the best day's share of labels: a day with less is not over yet, and its first labels may be
# of one kind.
SETTLED: Final = 0.5
# Of a mean day's predictions: a day with less says nothing of how many labels come. Ten calls that
# somebody tried and labelled are all of their day's.
BUSY: Final = 0.5
# Two comparisons share the chance of a false alarm. The difference of two adjacent windows moves
# 1.5 times as fast as a window, since its correlation falls as 1 - 1.5 |t|; that of a window and
# more days before moves less.
_PARTS: Final = 1 + 1.5


@dataclass(frozen=True)
class Holdout:
    """What a package's evaluation.json says: metrics, and the rows that they are of."""

    metrics: Mapping[str, float]
    positives: int
    negatives: int

    @classmethod
    def of(cls, evaluation: Mapping[str, Any]) -> "Holdout":
        """Return the holdout of a parsed evaluation.json.

        `positive_share` is that of all rows; the split is by a hash, so the holdout's is near it.
        """
        rows = int(evaluation["holdout_rows"])
        positives = round(rows * evaluation["positive_share"])
        return cls(evaluation["metrics"], max(positives, 1), max(rows - positives, 1))


@dataclass(frozen=True)
class Comparison:
    """A window's metric against another one; differences are gains, below 0 where it got worse.

    `low` and `high` bound the true difference, all looks of a window's time together. `told_from`
    is the smallest fall that could have been told: the tolerance and the interval's half.
    """

    against: str
    value: float
    difference: float
    low: float
    high: float
    told_from: float
    fell: bool


@dataclass(frozen=True)
class Window:
    """Settled days of predictions, from `begin` to before `end`, UTC days since 1970."""

    begin: int
    end: int

    def of(self, joined: Joined) -> Joined:
        """Return the predictions of its days."""
        return joined.where((joined.day >= self.begin) & (joined.day < self.end))


def settled_windows(joined: Joined, days: int) -> tuple[Window | None, Window | None]:
    """Return the window of the newest `days` settled days, and all before it; None of too few.

    Before it, at least as many days are due: fewer would move faster than the window. A day is
    settled once SETTLED of the best day's share of predictions is labelled, of days with BUSY of a
    mean day's predictions: labels come late, and the newest days would otherwise be judged by the
    few that come first.
    """
    found = settled_days(joined)
    if not found:
        return None, None
    newest, rest = Window(found[-days:][0], found[-1] + 1), found[:-days]
    return newest, Window(rest[0], rest[-1] + 1) if len(rest) >= days else None


def settled_days(joined: Joined) -> list[int]:
    """Return the UTC days since 1970 that are settled, oldest first."""
    if not len(joined.at):
        return []
    days, place = np.unique(joined.day, return_inverse=True)
    predictions = np.bincount(place)
    share = np.bincount(place, joined.label >= 0) / predictions
    best = share[predictions >= BUSY * predictions.mean()].max()
    return [int(day) for day in days[(share > 0) & (share >= SETTLED * best)]]


def enough(joined: Joined, least: int) -> bool:
    """Return whether there are `least` labels of each class."""
    return min(class_counts(joined)) >= least


def class_counts(joined: Joined) -> tuple[int, int]:
    """Return how many are labelled positive, and negative."""
    return int((joined.label == 1).sum()), int((joined.label == 0).sum())


def compare(
    now: Joined,
    before: Joined | None,
    holdout: Holdout | None,
    settings: QualitySettings,
) -> list[Comparison]:
    """Return what a window with enough labels is compared with: the holdout, the days before.

    A fall is told where the whole interval of the difference lies below minus the tolerance. The
    interval has the errors of both sides, so a holdout that was lucky is no alarm for ever, and is
    wide enough for a look at any time: see `moving_window`.
    """
    measure, more_is_better = METRICS[settings.metric]
    sign = 1.0 if more_is_better else -1.0
    height = safe_height(settings.false_alarms / _PARTS)
    known = now.labelled
    value = measure(known.label, known.probability)
    others = dict[str, Estimate]()
    if holdout is not None:
        others[HOLDOUT] = _estimate(holdout, settings.metric, value, len(known.at))
    if before is not None and enough(before, settings.min_labels):
        past = before.labelled
        others[BEFORE] = measure(past.label, past.probability)
    found = []
    for against, other in others.items():
        difference = sign * (value.value - other.value)
        half = height * float(np.hypot(value.error, other.error))
        found.append(
            Comparison(
                against=against,
                value=other.value,
                difference=difference,
                low=difference - half,
                high=difference + half,
                told_from=settings.tolerance + half,
                fell=difference + half < -settings.tolerance,
            )
        )
    return found


def measured(joined: Joined, threshold: float) -> dict[str, Any]:
    """Return counts and every metric of predictions, as JSON; None where there are too few.

    Intervals are `[low, high]` of 95 %, each for one look.
    """
    positives, negatives = class_counts(joined)
    counts = {
        "predictions": len(joined.at),
        "labelled": positives + negatives,
        "coverage": (positives + negatives) / len(joined.at) if len(joined.at) else None,
        "positives": positives,
        "negatives": negatives,
    }
    known = joined.labelled
    precision, recall = metrics.precision_recall(known.label, known.probability, threshold)
    shown: dict[str, Any] = dict.fromkeys(METRICS)
    shown |= {f"{name}_interval": None for name in METRICS}
    if min(positives, negatives) >= 2:
        for name, (measure, _) in METRICS.items():
            estimate = measure(known.label, known.probability)
            low, high = estimate.interval()
            top = 1.0 if name != "log_loss" else float("inf")
            shown[name] = estimate.value
            shown[f"{name}_interval"] = [max(0.0, low), min(top, high)]
    bins = metrics.reliability(known.label, known.probability)
    return {
        **counts,
        **shown,
        "calibration_error": metrics.calibration_error(bins) if bins else None,
        "precision": precision.value,
        "precision_interval": _listed(precision.interval()),
        "recall": recall.value,
        "recall_interval": _listed(recall.interval()),
    }


def reliability_of(joined: Joined) -> list[dict[str, Any]]:
    """Return the bins of a reliability diagram, as JSON."""
    known = joined.labelled
    return [asdict(one) for one in metrics.reliability(known.label, known.probability)]


def by_day(joined: Joined, threshold: float) -> list[dict[str, Any]]:
    """Return what `measured` says of each UTC day of predictions, oldest first, with its `date`."""
    return [
        {
            "date": moment(float(day) * MILLISECONDS_A_DAY).date().isoformat(),
            **measured(joined.where(joined.day == day), threshold),
        }
        for day in np.unique(joined.day)
    ]


def _estimate(holdout: Holdout, metric: str, window: Estimate, labels: int) -> Estimate:
    """Return the holdout's metric with an error: no scores of it are kept."""
    value = float(holdout.metrics[metric])
    if metric == "roc_auc":
        error = metrics.roc_auc_error(value, holdout.positives, holdout.negatives)
        return Estimate(value, error)
    # A mean of losses, whose spread is taken to be the window's.
    rows = holdout.positives + holdout.negatives
    return Estimate(value, window.error * float(np.sqrt(labels / rows)))


def _listed(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else list(interval)
