"""One look at what a model costs, as a report."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from boringml.governance.prices import Prices
from boringml.governance.usage_cost import (
    MONTH_HOURS,
    Fixed,
    Machine,
    Part,
    Usage,
    fixed_parts,
    serving_parts,
    total,
)
from boringml.monitoring.cost import (
    DAY,
    HOUR,
    LOOK_BACK,
    CostLimits,
    Hours,
    Rate,
    anomaly_reasons,
    budget_reasons,
    per_1000,
    project,
    usage_between,
)
from boringml.monitoring.report import Report

_DAY_HOURS = 24


@dataclass(frozen=True)
class Serving:
    """A model's function: what it runs on, its usage by hour of eight days, what is fixed."""

    machine: Machine
    hours: Hours
    fixed: Fixed


@dataclass(frozen=True)
class JobCosts:
    """What a model's training runs, or batches, cost.

    `usd` is the sum of the last 30 days; `last` tells the newest as JSON, None where none was.
    """

    count: int = 0
    usd: float = 0.0
    last: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Findings:
    """What is known of a model when it is looked at."""

    model: str
    end: datetime
    limits: CostLimits
    serving: Serving | None = None
    training: JobCosts = field(default_factory=JobCosts)
    batch: JobCosts = field(default_factory=JobCosts)


def training_last(version: int, cost_usd: float, job: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is told of the training run of a version, from its manifest's section training.

    Spot is billed for less time than the job trained: the share that was saved is the difference.
    """
    trained, billed = job["training_seconds"], job["billable_seconds"]
    return {
        "version": version,
        "job_name": job["job_name"],
        "instance_type": job["instance_type"],
        "training_seconds": trained,
        "billable_seconds": billed,
        "spot_saving": round(max(0.0, 1 - billed / trained), 4) if trained else 0.0,
        "cost_usd": cost_usd,
        "price_source": job["price_source"],
    }


def batch_last(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is told of a batch, from its summary; a row is one that came in."""
    cost, rows = summary["cost_usd"], summary["rows_in"]
    return {
        "run": summary["run"],
        "date": summary["date"],
        "engine": summary["engine"],
        "rows_in": rows,
        "cost_usd": cost,
        "per_1000_rows_usd": None if cost is None else per_1000(cost, rows),
        "price_source": summary["price_source"],
    }


def cost_report(found: Findings, *, region: str, prices: Prices) -> Report:
    """Return the look at the day before `end`, with the projection of a month.

    `details` is told in docs/flows/cost.md. Raises BoringError `price_unknown`.
    """
    begin = found.end - DAY
    serving = _Costs(found.serving, found.end, region, prices)
    month = {
        "serving_usd": total(serving.month),
        "fixed_usd": total(serving.fixed_month),
        "training_usd": found.training.usd,
        "batch_usd": found.batch.usd,
    }
    projected = sum(month.values())
    before = Rate(serving.before.predictions, total(serving.before_parts))
    today = Rate(serving.day.predictions, total(serving.day_parts))
    reasons = budget_reasons(projected, found.limits)
    reasons += anomaly_reasons(today, before, found.limits)
    budget = found.limits.monthly_budget_usd
    return Report(
        kind="cost",
        model=found.model,
        version=None,
        begin=begin,
        end=found.end,
        status="raised" if reasons else "fine",
        says=_says(serving, projected, found.limits, reasons, before),
        details={
            "reasons": reasons,
            "usage": vars(serving.day),
            "parts": [
                _part(part) for part in (*serving.day_parts, *serving.fixed_day) if part.units
            ],
            "variable_usd": total(serving.day_parts),
            "fixed_usd": total(serving.fixed_day),
            "hour_usd": total((*serving.hour_parts, *serving.fixed_hour)),
            "per_1000_usd": serving.per_1000(),
            "per_1000_before_usd": per_1000(before.usd, before.predictions),
            "month": {**month, "projected_usd": projected, "assumption": serving.assumption},
            "budget": {
                "monthly_usd": budget,
                "share": projected / budget if budget else None,
            },
            "training": _jobs(found.training),
            "batch": _jobs(found.batch),
            "prices": _prices((*serving.day_parts, *serving.fixed_day), found.end),
        },
    )


class _Costs:
    """The costs of serving in each of the times that a look is about; empty without a function."""

    def __init__(self, serving: Serving | None, end: datetime, region: str, prices: Prices) -> None:
        hours = serving.hours if serving else {}
        fixed = serving.fixed if serving else Fixed()
        projection = project(hours, end)
        self.assumption = projection.assumption
        self.day = usage_between(hours, end - DAY, end)
        self.before = usage_between(hours, end - LOOK_BACK, end - DAY)

        def cost(usage: Usage) -> tuple[Part, ...]:
            if serving is None:
                return ()
            return serving_parts(usage, serving.machine, region=region, prices=prices)

        def standing(length: float) -> tuple[Part, ...]:
            return fixed_parts(fixed, length, region=region, prices=prices) if serving else ()

        self.hour_parts = cost(usage_between(hours, end - HOUR, end))
        self.day_parts = cost(self.day)
        self.before_parts = cost(self.before)
        self.month = cost(projection.usage)
        self.fixed_hour = standing(1)
        self.fixed_day = standing(_DAY_HOURS)
        self.fixed_month = standing(MONTH_HOURS)

    def per_1000(self) -> dict[str, float] | None:
        """Return what 1,000 predictions of the day cost, by part, None where there were none."""
        count = self.day.predictions
        if not count:
            return None
        parts = {part.name: part.usd / count * 1000 for part in self.day_parts if part.units}
        fixed = {part.name: part.usd / count * 1000 for part in self.fixed_day if part.units}
        variable = total(self.day_parts) / count * 1000
        standing = total(self.fixed_day) / count * 1000
        return {**parts, **fixed, "variable": variable, "total": variable + standing}


def _says(
    serving: _Costs, projected: float, limits: CostLimits, reasons: list[str], before: Rate
) -> str:
    rate = serving.per_1000()
    told = []
    if "anomaly" in reasons and rate is not None:
        then = per_1000(before.usd, before.predictions) or 0
        told.append(
            f"1,000 predictions cost {rate['variable']:.4f} USD in the last 24 hours, "
            f"{rate['variable'] / then:.1f} times the {then:.4f} USD of the week before."
        )
    elif rate is not None:
        told.append(f"1,000 predictions cost {rate['total']:.4f} USD in the last 24 hours.")
    else:
        told.append("Nobody asked in the last 24 hours.")
    month = f"A month is projected at {projected:.2f} USD"
    if limits.monthly_budget_usd:
        share = projected / limits.monthly_budget_usd
        month += f", {share:.0%} of the budget of {limits.monthly_budget_usd:.2f} USD"
    return " ".join([*told, month + "."])


def _part(part: Part) -> dict[str, Any]:
    return {
        "name": part.name,
        "units": part.units,
        "unit": part.unit,
        "unit_usd": part.price.usd,
        "usd": part.usd,
    }


def _jobs(costs: JobCosts) -> dict[str, Any]:
    return {
        "runs_30_days": costs.count,
        "usd_30_days": costs.usd,
        "last": dict(costs.last) if costs.last is not None else None,
    }


def _prices(parts: Iterable[Part], at: datetime) -> list[dict[str, Any]]:
    return [
        {
            "part": part.name,
            "usd": part.price.usd,
            "unit": part.unit,
            "as_of": part.price.as_of,
            "source": part.price.source,
            "older_than_a_year": part.price.is_old(at.date()),
        }
        for part in parts
        if part.units
    ]
