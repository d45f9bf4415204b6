"""Look at what each model costs: measure, keep the report, say it to CloudWatch, tell a rise."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from boringml.batch.open_batch import HeldRun
from boringml.errors import BoringError
from boringml.governance.prices import Prices
from boringml.governance.usage_cost import MONTH_DAYS
from boringml.metric_line import metric_line
from boringml.monitoring.cost import DAY, CostLimits
from boringml.monitoring.cost_report import (
    Findings,
    JobCosts,
    Serving,
    batch_last,
    cost_report,
    training_last,
)
from boringml.monitoring.report import Report
from boringml.package.reader import Package
from boringml.registry.records import ModelVersion
from boringml.registry.trained import trained

_MONTH = timedelta(days=MONTH_DAYS)


class Reports(Protocol):
    """Where looks are kept."""

    def put(self, report: Report) -> str:
        """Keep a look."""

    def newest(self, model: str, kind: str, until: datetime, days: int, most: int) -> list[Report]:
        """Return the newest looks, oldest first."""


@dataclass(frozen=True)
class Jobs:
    """Where training runs and batches are told."""

    versions: Callable[[str], Sequence[ModelVersion]]
    package: Callable[[ModelVersion], Package]
    scored_since: Callable[[str, datetime], Sequence[HeldRun]]
    newest_batch: Callable[[str], HeldRun | None]


@dataclass(frozen=True)
class Teller:
    """Who is told: the lake, the event bus, and the log that metrics are made of."""

    reports: Reports
    publish: Callable[[str, Mapping[str, Any]], None]
    write: Callable[[str], Any]
    namespace: str


def last_hour(now: datetime) -> datetime:
    """Return the end of the last whole hour: its metrics are there by then, or nearly."""
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def parse_end(text: str) -> datetime:
    """Return the end of a look that somebody asks for. Raises BoringError `end_invalid` (422)."""
    try:
        end = datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        end = datetime.max.replace(tzinfo=UTC)
    if end != last_hour(end):
        raise BoringError("end_invalid", f"end is {text!r}: give a whole hour, in UTC.", 422)
    return end


def measure_cost(
    model: str,
    end: datetime,
    limits: CostLimits,
    serving: Serving | None,
    jobs: Jobs,
    teller: Teller,
    *,
    region: str,
    prices: Prices,
    now: datetime,
) -> Report:
    """Return the look at a model's day before `end`, after it was told.

    Where a price is not known nothing is reckoned, and the look says which. The same look again
    replaces what it was and tells no rise twice. Raises what its sources raise.
    """
    try:
        found = Findings(
            model,
            end,
            limits,
            serving,
            training=_training(jobs, model, end),
            batch=_batch(jobs, model, end),
        )
        report = cost_report(found, region=region, prices=prices)
    except BoringError as error:
        if error.code != "price_unknown":
            raise
        report = Report(
            "cost", model, None, end - DAY, end, "not_evaluated", error.message, {"reasons": []}
        )
    _tell_rise(report, teller)
    teller.reports.put(report)
    teller.write(metric_line(teller.namespace, {"model": model}, _metrics(report), now=now))
    return report


def _metrics(report: Report) -> dict[str, float]:
    # What was not evaluated is not fine: the alarm keeps its state.
    if report.status == "not_evaluated":
        return {"cost_evaluated": 0}
    rate = report.details["per_1000_usd"]
    return {
        "cost_usd": report.details["hour_usd"],
        **({"cost_per_1000_usd": rate["total"]} if rate else {}),
        "cost_evaluated": 1,
        "cost_raised": int(report.status == "raised"),
    }


def _tell_rise(report: Report, teller: Teller) -> None:
    """Publish CostRaised for reasons that the look before did not have: once, not every hour."""
    reasons = report.details["reasons"]
    if not reasons:
        return
    before = teller.reports.newest(report.model, report.kind, report.end, 2, 1)
    known = before[-1].details.get("reasons", []) if before else []
    new = [reason for reason in reasons if reason not in known]
    if new:
        detail = {
            "model": report.model,
            "reasons": new,
            "says": report.says,
            "projected_usd": report.details["month"]["projected_usd"],
            "budget_usd": report.details["budget"]["monthly_usd"],
            "at": report.end.isoformat(),
        }
        teller.publish("CostRaised", detail)


def _training(jobs: Jobs, model: str, end: datetime) -> JobCosts:
    versions = trained(jobs.versions(model))
    if not versions:
        return JobCosts()
    recent = [one for one in versions if end - _MONTH <= one.registered_at]
    newest = versions[-1]
    last: dict[str, Any] = {"version": newest.number, "job_name": newest.job_name}
    last["cost_usd"] = newest.cost_usd
    try:
        job = jobs.package(newest).manifest["training"]
        last = training_last(newest.number, newest.cost_usd, job)
    except BoringError as error:
        if error.code != "object_missing":
            raise  # the package of an old version may be gone; one that was changed is a matter
    return JobCosts(len(recent), sum(one.cost_usd for one in recent), last)


def _batch(jobs: Jobs, model: str, end: datetime) -> JobCosts:
    summaries = [run.summary for run in jobs.scored_since(model, end - _MONTH) if run.summary]
    newest = jobs.newest_batch(model)
    return JobCosts(
        len(summaries),
        # A run whose price nobody knew has none: docs/flows/cost.md.
        sum(one["cost_usd"] or 0.0 for one in summaries),
        batch_last(newest.summary) if newest and newest.summary else None,
    )
