"""What one look at quality says: a report for each version, the event of a fall, the metrics."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from boringml.metric_line import metric_line
from boringml.monitoring import quality
from boringml.monitoring.label_join import MILLISECONDS_A_DAY, Joined, moment
from boringml.monitoring.quality import Comparison, Holdout, Window
from boringml.monitoring.quality_settings import QualitySettings
from boringml.monitoring.report import FINE, NOT_EVALUATED, QUALITY, RAISED, Report

# What people call them.
_WORDS: Final = {"roc_auc": "ROC AUC", "log_loss": "log loss", "brier": "Brier score"}
_AGAINST: Final = {
    quality.HOLDOUT: "on its holdout",
    quality.BEFORE: "on the days before",
}
_METRICS: Final = {
    "roc_auc": "quality_roc_auc",
    "log_loss": "quality_log_loss",
    "brier": "quality_brier",
    "calibration_error": "quality_calibration_error",
    "precision": "quality_precision",
    "recall": "quality_recall",
    "coverage": "label_coverage",
    "labelled": "labels_joined",
}


@dataclass(frozen=True)
class Look:
    """What one look at a model is made of. `threshold` and `positive` are the contract's."""

    model: str
    now: datetime
    settings: QualitySettings
    threshold: float
    positive: str

    def report(
        self, joined: Joined, version: int, holdout: Holdout | None, known: bool | None = None
    ) -> Report:
        """Return the report of a version, of all predictions within the horizon.

        `known` is whether it had fallen by the newest look that could tell. `details`: `evaluated`,
        `fell` (the same after this look; None before the first that could tell), `metric`,
        `threshold`, `window` (its days, and what `quality.measured` says), `days_before`,
        `comparisons` (`quality.Comparison`), `holdout` (its metrics), `calibration` (bins), `days`
        (newest numbers of each day of predictions: late labels change them until the horizon), and
        `labels`, where all labels of the model went.
        """
        ours = joined.of_version(version)
        window, before = quality.settled_windows(ours, self.settings.window_days)
        now = window.of(ours) if window else ours
        past = before.of(ours) if before else None
        compared: list[Comparison] = []
        evaluated = quality.enough(now, self.settings.min_labels)
        if evaluated:
            compared = quality.compare(now, past, holdout, self.settings)
        numbers = quality.measured(now, self.threshold)
        status = NOT_EVALUATED if not compared else FINE
        if any(one.fell for one in compared):
            status = RAISED
        begin, end = self._span(ours, window)
        return Report(
            QUALITY,
            self.model,
            version,
            begin,
            # A report lies by the end of its look, so that each look has its own.
            self.now,
            status,
            self._says(status, version, numbers, compared),
            {
                "evaluated": bool(compared),
                "fell": status == RAISED if compared else known,
                "metric": self.settings.metric,
                "tolerance": self.settings.tolerance,
                "min_labels": self.settings.min_labels,
                "threshold": self.threshold,
                "window": {"begin": _date(begin), "end": _date(end), **numbers},
                "days_before": past and quality.measured(past, self.threshold),
                "comparisons": [asdict(one) for one in compared],
                "holdout": holdout and dict(holdout.metrics),
                "calibration": quality.reliability_of(now),
                "days": quality.by_day(ours, self.threshold),
                "labels": joined.fate.document(),
            },
        )

    def _span(self, ours: Joined, window: Window | None) -> tuple[datetime, datetime]:
        if window:
            end = moment(window.end * MILLISECONDS_A_DAY)
            return moment(window.begin * MILLISECONDS_A_DAY), min(end, self.now)
        first = ours.day.min() * MILLISECONDS_A_DAY if len(ours.at) else 0
        earliest = self.now - timedelta(days=self.settings.horizon_days)
        return (moment(first) if first else earliest), self.now

    def _says(
        self,
        status: str,
        version: int,
        numbers: Mapping[str, Any],
        compared: Sequence[Comparison],
    ) -> str:
        who, least = f"Version {version} of {self.model}", self.settings.min_labels
        if status == NOT_EVALUATED:
            known = f"{numbers['positives']} known cases of {self.positive!r} and "
            known += f"{numbers['negatives']} others of {numbers['predictions']} predictions"
            if min(numbers["positives"], numbers["negatives"]) >= least:
                return f"{who} was not evaluated: there are {known}, and nothing to compare with."
            return f"{who} was not evaluated: {known}, and {least} of each are needed."
        word = _WORDS[self.settings.metric]
        value = numbers[self.settings.metric]
        low, high = numbers[f"{self.settings.metric}_interval"]
        told = f"{word} {value:.3f} ({low:.3f} to {high:.3f}) over {numbers['labelled']} labelled"
        told += f" of {numbers['predictions']} predictions"
        fallen = [one for one in compared if one.fell]
        shown = " and ".join(
            f"{one.value:.3f} {_AGAINST[one.against]}" for one in (fallen or compared)
        )
        if status == RAISED:
            return f"{who} got worse: {told}, against {shown}."
        least_told = min(one.told_from for one in compared)
        told += f"; {shown}; a fall of {least_told:.3f} would be told."
        return f"{who} is as good as expected: {told}"


def event_of(report: Report) -> dict[str, Any]:
    """Return the event QualityFell of a report that is raised."""
    details = report.details
    fallen = [one for one in details["comparisons"] if one["fell"]]
    told = min(fallen, key=lambda one: one["difference"])
    return {
        "model": report.model,
        "version": report.version,
        "metric": details["metric"],
        "value": details["window"][details["metric"]],
        "baseline": told["value"],
        "against": told["against"],
        "difference": told["difference"],
        "labelled": details["window"]["labelled"],
        "says": report.says,
    }


def metrics_line(report: Report, namespace: str, request_id: str) -> str:
    """Return the log line of a look at the version that counts, which is also its metrics (EMF).

    One dimension, `model`. `quality_evaluated` is 1 or 0; `quality_fell` is what is known of this
    version, 1 or 0, and 0 before it could be evaluated: an alarm that rang for another version ends
    with it. What is None is absent.
    """
    window = report.details["window"]
    values: dict[str, float] = {
        "quality_evaluated": int(report.status != NOT_EVALUATED),
        "quality_fell": int(bool(fell(report))),
    }
    values |= {to: window[name] for name, to in _METRICS.items() if window[name] is not None}
    return metric_line(
        namespace,
        {
            "kind": "quality",
            "request_id": request_id,
            "model": report.model,
            "model_version": str(report.version),
            "status": report.status,
            "says": report.says,
        },
        values,
        level="WARN" if report.status == RAISED else "INFO",
    )


def look_at(
    look: Look,
    joined: Joined,
    live: int | None,
    holdout_of: Callable[[int], Holdout | None],
    known: Mapping[int | None, bool | None],
) -> tuple[list[Report], Report | None]:
    """Return a report of each version that predicted within the horizon, and the one that counts.

    `known` is what `fell` said of each before. The one that counts is live's, else that of the
    newest version; None where nothing was predicted.
    """
    versions = [int(version) for version in np.unique(joined.version) if version > 0]
    reports = [
        look.report(joined, version, holdout_of(version), known.get(version))
        for version in versions
    ]
    by_version = {report.version: report for report in reports}
    return reports, by_version.get(live, reports[-1] if reports else None)


def fell(report: Report) -> bool | None:
    """Return whether a version had fallen by the newest look that could tell; None before it.

    A night without labels leaves a fall in doubt. It has not ended then, and is no news afterwards.
    """
    known: bool | None = report.details["fell"]
    return known


def _date(moment_: datetime) -> str:
    return moment_.date().isoformat()
