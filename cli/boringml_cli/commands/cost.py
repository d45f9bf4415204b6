"""`boringml cost [MODEL]`."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from boringml.adapters.monitoring_reports import MonitoringReports
from boringml.adapters.object_store import ObjectStore
from boringml.errors import BoringError
from boringml.monitoring.measure_cost import last_hour
from boringml.monitoring.report import COST, Report
from boringml_cli import wording
from boringml_cli.session import Session, session_of

_HOUR = timedelta(hours=1)
# Looks are hourly: an older one is no answer to what a model costs now.
_DAYS = 2


def cost(
    context: typer.Context,
    model: Annotated[str | None, typer.Argument(help="A model, by part; without it, all.")] = None,
    now: Annotated[
        bool, typer.Option("--now", help="Look now, at the 24 hours up to the end of this one.")
    ] = False,
) -> None:
    """What models cost: predictions, batch rows, a training run, a month, and the budget."""
    session = session_of(context)
    models = [session.known(model)] if model else session.registry.models()
    until = last_hour(datetime.now(UTC)) + _HOUR
    if now:
        _look(session, models, until)
    reports = [_newest(session, name, until) for name in models]
    document = {
        "stack": session.stack,
        "models": [report.document() for report in reports if report is not None],
    }
    tables = [_summary(session.stack, dict(zip(models, reports, strict=True)), datetime.now(UTC))]
    if model and reports[0] is not None:
        tables += [_parts(reports[0]), _jobs(reports[0])]
    session.output.show(document, *tables)


def _look(session: Session, models: list[str], end: datetime) -> None:
    answer = session.client("lambda").invoke(
        FunctionName=session.found("MeasureCostFunction"),
        Payload=json.dumps({"models": models, "end": end.isoformat()}),
    )
    told = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise BoringError("look_failed", f"The look failed: {told.get('errorMessage')}.", 502)


def _newest(session: Session, model: str, until: datetime) -> Report | None:
    lake = ObjectStore(session.client("s3"), session.found("LakeBucket"))
    found = MonitoringReports(lake).newest(model, COST, until, _DAYS, most=1)
    return found[-1] if found else None


def _summary(stack: str, reports: dict[str, Report | None], now: datetime) -> Table:
    table = Table(
        "model",
        "24 hours to",
        "1,000 predictions",
        "month",
        "budget",
        "training run",
        "1,000 batch rows",
        "state",
        title=f"Costs of {stack} in USD",
        caption="\n".join(_assumptions(reports)) or None,
    )
    for model, report in reports.items():
        if report is None:
            table.add_row(model, wording.NOTHING, *[""] * 5, "no look yet: boringml cost --now")
        elif "month" not in report.details:
            table.add_row(model, _until(report, now), *[wording.NOTHING] * 5, escape(report.says))
        else:
            table.add_row(model, _until(report, now), *_amounts(report.details), report.status)
    return table


def _until(report: Report, now: datetime) -> str:
    """Return up to when a look saw; of an hour that is not over, what there was of it."""
    if report.end <= now:
        return wording.moment(report.end)
    return f"{wording.moment(report.end - _HOUR)} and since"


def _assumptions(reports: Mapping[str, Report | None]) -> Iterator[str]:
    """Yield what a month is projected from, once for all models of which it is the same."""
    found: dict[str, list[str]] = {}
    for model, report in reports.items():
        if report and (month := report.details.get("month")):
            found.setdefault(month["assumption"], []).append(model)
    for assumption, models in found.items():
        yield escape(f"month of {', '.join(models)}: {assumption}")


def _amounts(details: Mapping[str, Any]) -> list[str]:
    rate, budget = details["per_1000_usd"], details["budget"]
    training, batch = details["training"]["last"], details["batch"]["last"]
    return [
        _usd(rate and rate["total"]),
        _usd(details["month"]["projected_usd"]),
        f"{wording.share(budget['share'])} of {budget['monthly_usd']:g}"
        if budget["share"] is not None
        else wording.NOTHING,
        _usd(training and training["cost_usd"]),
        _usd(batch and batch["per_1000_rows_usd"]),
    ]


def _parts(report: Report) -> Table:
    table = Table("part", "units", "unit", "USD each", "USD", "1,000 predictions", "price of")
    rate = report.details.get("per_1000_usd") or {}
    dates = {price["part"]: price for price in report.details.get("prices", [])}
    for part in report.details.get("parts", []):
        price = dates[part["name"]]
        table.add_row(
            part["name"],
            f"{part['units']:.6g}",
            part["unit"],
            f"{part['unit_usd']:.6g}",
            _usd(part["usd"]),
            _usd(rate.get(part["name"])),
            price["as_of"] + (" (old)" if price["older_than_a_year"] else ""),
        )
    return table


def _jobs(report: Report) -> Table:
    table = Table("", "", show_header=False)
    table.add_row("says", escape(report.says))
    if "month" in report.details:
        table.add_row("projected from", report.details["month"]["assumption"])
    for kind in ("training", "batch"):
        for name, value in ((report.details.get(kind) or {}).get("last") or {}).items():
            table.add_row(f"{kind}.{name}", escape(str(value)))
    return table


def _usd(value: float | None) -> str:
    return wording.NOTHING if value is None else f"{value:.4g}"
