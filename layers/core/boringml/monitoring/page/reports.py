"""What the details of reports tell a page: each kind writes its own, this is all that reads them.

A report whose details lack something, or are of another form, shows less and breaks nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from boringml.monitoring.page import words
from boringml.monitoring.page.untyped import count_of, list_of, map_of, number_of, text_of
from boringml.monitoring.report import FINE, RAISED, Report


@dataclass(frozen=True)
class FeatureDrift:
    """How far a feature, or the prediction, is from its baseline.

    `drifted` is None where it was not evaluated; one that is not `watched` raises nothing.
    `baseline` and `window` are both distributions, bin by bin of `bins`, as shares of 1.
    """

    name: str
    drifted: bool | None
    watched: bool
    reasons: Sequence[str]
    psi: float | None
    limit: float | None
    distance: float | None
    distance_kind: str
    rows: int | None
    bins: Sequence[str] = ()
    baseline: Sequence[float] = ()
    window: Sequence[float] = ()


@dataclass(frozen=True)
class QualityDay:
    """A metric over one day's predictions whose labels are known: its interval, and how many."""

    day: date
    value: float | None
    low: float | None
    high: float | None
    predictions: int | None
    labelled: int | None


@dataclass(frozen=True)
class QualityView:
    """A version's quality: over the window that was judged, and day by day.

    `holdout` is what it scored before it was released; `coverage` the share of predictions whose
    label is known. `fell_against` names what it got worse than; all days that were compared begin
    at `compared_from` and end before `compared_to`.
    """

    version: int | None
    metric: str
    value: float | None
    low: float | None
    high: float | None
    labelled: int | None
    coverage: float | None
    holdout: float | None
    others: Sequence[tuple[str, float]]
    days: Sequence[QualityDay]
    fell_against: frozenset[str] = frozenset()
    compared_from: date | None = None
    compared_to: date | None = None


@dataclass(frozen=True)
class Spending:
    """What a model costs, in USD: by part, per 1,000 predictions, and by the month.

    `parts` are (name, units, unit, USD) of the look's time; `month` adds up to `month_usd`.
    """

    per_1000: float | None
    month_usd: float | None
    budget: float | None
    assumption: str | None
    parts: Sequence[tuple[str, float | None, str, float]]
    month: Sequence[tuple[str, float]]
    training: Mapping[str, Any]
    batch: Mapping[str, Any]


# Of what a version is measured by, besides the metric that it is judged by.
_OTHER_METRICS = ("roc_auc", "log_loss", "brier", "calibration_error", "precision", "recall")


def quality_of(report: Report) -> QualityView:
    """Return what a report of kind quality tells."""
    details = map_of(report.details)
    window, holdout = map_of(details.get("window")), map_of(details.get("holdout"))
    metric = text_of(details.get("metric"))
    low, high = _interval(window.get(f"{metric}_interval"))
    others = [
        (name, value)
        for name in _OTHER_METRICS
        if name != metric and (value := number_of(window.get(name))) is not None
    ]
    days = [day for item in list_of(details.get("days")) if (day := _day(map_of(item), metric))]
    compared = [map_of(item) for item in list_of(details.get("comparisons"))]
    return QualityView(
        version=report.version,
        metric=metric,
        value=number_of(window.get(metric)),
        low=low,
        high=high,
        labelled=count_of(window.get("labelled")),
        coverage=number_of(window.get("coverage")),
        holdout=number_of(holdout.get(metric)),
        others=others,
        days=days,
        fell_against=frozenset(
            text_of(one.get("against")) for one in compared if one.get("fell") is True
        ),
        compared_from=min((day.day for day in days), default=None),
        compared_to=_date(window.get("end")),
    )


def spending_of(report: Report) -> Spending:
    """Return what a report of kind cost tells."""
    details = map_of(report.details)
    month, budget = map_of(details.get("month")), map_of(details.get("budget"))
    parts = [
        (text_of(part.get("name")), number_of(part.get("units")), text_of(part.get("unit")), usd)
        for part in map(map_of, list_of(details.get("parts")))
        if (usd := number_of(part.get("usd"))) is not None
    ]
    assumption = month.get("assumption")
    return Spending(
        per_1000=number_of(map_of(details.get("per_1000_usd")).get("total")),
        month_usd=number_of(month.get("projected_usd")),
        budget=number_of(budget.get("monthly_usd")),
        assumption=assumption if isinstance(assumption, str) else None,
        parts=parts,
        month=[
            (name.removesuffix("_usd"), value)
            for name in ("serving_usd", "fixed_usd", "training_usd", "batch_usd")
            if (value := number_of(month.get(name))) is not None
        ],
        training=map_of(map_of(details.get("training")).get("last")),
        batch=map_of(map_of(details.get("batch")).get("last")),
    )


def _day(item: Mapping[str, Any], metric: str) -> QualityDay | None:
    day = _date(item.get("date"))
    if day is None:
        return None
    low, high = _interval(item.get(f"{metric}_interval"))
    counts = (count_of(item.get("predictions")), count_of(item.get("labelled")))
    return QualityDay(day, number_of(item.get(metric)), low, high, *counts)


def _date(value: object) -> date | None:
    try:
        return date.fromisoformat(text_of(value))
    except ValueError:
        return None


def _interval(value: Any) -> tuple[float | None, float | None]:
    found = list_of(value)
    return (number_of(found[0]), number_of(found[1])) if len(found) == 2 else (None, None)


def drift_of(report: Report) -> list[FeatureDrift]:
    """Return what a report of kind drift tells of each feature, and of the prediction."""
    details = map_of(report.details)
    return [
        _feature(name, found)
        for part in ("features", "outputs")
        for name, found in _named(details.get(part))
    ]


def _named(part: object) -> list[tuple[str, Mapping[str, Any]]]:
    """Return findings with their names, of {name: finding} or of a list of those with a name."""
    if isinstance(part, Mapping):
        return [(str(name), map_of(found)) for name, found in part.items()]
    return [(text_of(map_of(found).get("name")), map_of(found)) for found in list_of(part)]


def _feature(name: str, found: Mapping[str, Any]) -> FeatureDrift:
    status = found.get("status")
    bins = _bins(found)
    baseline = [number_of(share) or 0.0 for share in list_of(found.get("baseline_shares"))]
    window = [number_of(share) or 0.0 for share in list_of(found.get("window_shares"))]
    drawable = len(bins) == len(baseline) == len(window)
    if drawable and list_of(found.get("categories")):
        # A category that neither has, of a contract that allows dozens, is no bar.
        kept = [place for place in range(len(bins)) if baseline[place] or window[place]]
        bins = [bins[place] for place in kept]
        baseline = [baseline[place] for place in kept]
        window = [window[place] for place in kept]
    return FeatureDrift(
        name=name,
        drifted={FINE: False, RAISED: True}.get(text_of(status)),
        watched=found.get("watched") is not False,
        reasons=[text_of(reason) for reason in list_of(found.get("reasons"))],
        psi=number_of(found.get("psi")),
        limit=number_of(found.get("threshold")),
        distance=number_of(found.get("distance")),
        distance_kind=text_of(found.get("distance_kind")),
        rows=count_of(found.get("rows")),
        bins=bins if drawable else (),
        baseline=baseline if drawable else (),
        window=window if drawable else (),
    )


def _bins(found: Mapping[str, Any]) -> list[str]:
    """Return what each bin holds: a category, or the numbers between two edges."""
    if categories := list_of(found.get("categories")):
        return [text_of(name) for name in categories]
    edges = [
        words.number(edge)
        for edge in map(number_of, list_of(found.get("edges")))
        if edge is not None
    ]
    if not edges:
        return []
    between = [f"{low} to {high}" for low, high in pairwise(edges)]
    return [f"up to {edges[0]}", *between, f"above {edges[-1]}"]
