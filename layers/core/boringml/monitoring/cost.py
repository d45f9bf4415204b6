"""Whether a model costs more than it should: projections, budgets and anomalies."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from typing import Any, Final

from boringml.governance.usage_cost import MONTH_DAYS, Usage

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)
# What a look reads: the day that it is about, and the week before it.
LOOK_BACK: Final = DAY + WEEK
# Shares of the budget that are told when the projection passes them.
THRESHOLDS: Final = (0.8, 1.0)

Hours = Mapping[datetime, Usage]


@dataclass(frozen=True)
class CostLimits:
    """The section monitoring.cost of model.yaml; without a budget none is passed."""

    monthly_budget_usd: float | None = None
    anomaly_ratio: float = 2.0
    min_predictions: int = 1000

    @classmethod
    def of(cls, declaration: Mapping[str, Any]) -> "CostLimits":
        """Return what model.yaml declares."""
        return cls(**declaration.get("monitoring", {}).get("cost", {}))


def usage_between(hours: Hours, begin: datetime, end: datetime) -> Usage:
    """Return the usage of the hours that begin in [begin, end)."""
    found = (usage for at, usage in hours.items() if begin <= at < end)
    return reduce(Usage.__add__, found, Usage())


@dataclass(frozen=True)
class Projection:
    """The usage of a month of 30 days, and the sentence that says what it assumes."""

    usage: Usage
    assumption: str


def project(hours: Hours, end: datetime) -> Projection:
    """Return a month's usage from the last week, or from the last day where a week is not known.

    A week is known when its first day, or what was before, has usage.
    """
    days, told = (1, "the last 24 hours, times 30")
    if any(at < end - WEEK + DAY and usage != Usage() for at, usage in hours.items()):
        days, told = (7, "the last 7 days, times 30/7")
    usage = usage_between(hours, end - timedelta(days=days), end)
    return Projection(_times(usage, MONTH_DAYS / days), told)


def per_1000(usd: float, predictions: float) -> float | None:
    """Return an amount per 1,000 predictions, None where there were none."""
    return usd / predictions * 1000 if predictions else None


def budget_reasons(projected_usd: float, limits: CostLimits) -> list[str]:
    """Return `budget_80` and `budget_100`, as far as a month's projection passes them."""
    budget = limits.monthly_budget_usd
    if budget is None:
        return []
    return [f"budget_{share * 100:.0f}" for share in THRESHOLDS if projected_usd > share * budget]


@dataclass(frozen=True)
class Rate:
    """What predictions cost in a time, without what costs by the month."""

    predictions: float
    usd: float


def anomaly_reasons(day: Rate, before: Rate, limits: CostLimits) -> list[str]:
    """Return `anomaly` where 1,000 predictions cost too many times what they cost before.

    Either time needs `min_predictions`, since a cold start among ten requests is no anomaly.
    Parts that cost by the month are left out: they would weigh more when fewer people ask.
    """
    if min(day.predictions, before.predictions) < limits.min_predictions:
        return []
    now, then = per_1000(day.usd, day.predictions), per_1000(before.usd, before.predictions)
    return ["anomaly"] if now and then and now > limits.anomaly_ratio * then else []


def share_table(models: Mapping[str, Hours], table: Hours) -> dict[str, dict[datetime, Usage]]:
    """Return the usage of several models, each with its part of the table that they share.

    An hour's units go to those who were asked in it, by their predictions; what the table took
    in an hour without any (a sweep, a look at a job) is no model's.
    """
    asked = {
        at: sum(hours[at].predictions for hours in models.values() if at in hours) for at in table
    }
    found = {model: dict(hours) for model, hours in models.items()}
    for hours in found.values():
        for at in hours.keys() & table.keys():
            if asked[at]:
                hours[at] += _times(table[at], hours[at].predictions / asked[at])
    return found


def _times(usage: Usage, factor: float) -> Usage:
    return Usage(**{name: value * factor for name, value in vars(usage).items()})
