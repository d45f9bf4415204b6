"""Look at what each model costs: once an hour, or when asked."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3

from boringml.adapters import declarations
from boringml.adapters.batch_runs import BatchRuns
from boringml.adapters.billed_things import BilledThings
from boringml.adapters.dynamodb_table import DynamoTable
from boringml.adapters.event_bus import EventBus
from boringml.adapters.monitoring_reports import MonitoringReports
from boringml.adapters.object_store import ObjectStore
from boringml.adapters.registry_table import RegistryTable
from boringml.adapters.serving_function import ServingFunction
from boringml.adapters.usage_metrics import Served, UsageMetrics
from boringml.governance.prices import Prices
from boringml.governance.usage_cost import Machine, Usage
from boringml.monitoring.cost import LOOK_BACK, CostLimits, share_table
from boringml.monitoring.cost_report import Serving
from boringml.monitoring.each_model import looks_failed
from boringml.monitoring.measure_cost import Jobs, Teller, last_hour, measure_cost, parse_end
from boringml.package.reader import Package
from boringml.settings import load
from boringml.steps import run_step

# Of the table of jobs: its units are counted apart from the table's own.
_JOBS_INDEXES = ("open",)


@dataclass(frozen=True)
class Settings:
    registry_table: str
    lake_bucket: str
    packages_bucket: str
    batch_runs_table: str
    jobs_table: str
    metrics_namespace: str
    stack_name: str
    served_models: str
    log_retention_days: int
    aws_region: str


@cache
def _settings() -> Settings:
    return load(Settings, os.environ)


@cache
def _jobs() -> Jobs:
    settings, dynamodb = _settings(), boto3.client("dynamodb")
    registry = RegistryTable(dynamodb, settings.registry_table)
    packages = ObjectStore(boto3.client("s3"), settings.packages_bucket)
    runs = BatchRuns(DynamoTable(dynamodb, settings.batch_runs_table), lambda: datetime.now(UTC))
    return Jobs(
        versions=registry.versions,
        package=lambda version: Package(
            packages.folder(version.package_uri), version.package_digest
        ),
        scored_since=runs.scored_since,
        newest_batch=runs.newest,
    )


@cache
def _teller() -> Teller:
    settings = _settings()
    lake = ObjectStore(boto3.client("s3"), settings.lake_bucket)
    return Teller(
        reports=MonitoringReports(lake),
        publish=EventBus(boto3.client("events"), settings.stack_name).publish,
        write=sys.stdout.write,
        namespace=settings.metrics_namespace,
    )


def _serving_of(end: datetime) -> Callable[[str], Serving | None]:
    """Return a function that says what serves a model; None of a model without a function."""
    settings = _settings()
    cloudwatch, functions = boto3.client("cloudwatch"), boto3.client("lambda")
    usage = UsageMetrics(cloudwatch, settings.metrics_namespace, settings.stack_name)
    things = BilledThings(cloudwatch, settings.metrics_namespace, settings.stack_name)
    begin = end - LOOK_BACK
    dashboards, served = {}, {}
    for model, told in json.loads(settings.served_models).items():
        dashboards[model] = told.pop("dashboards", 0)
        served[model] = Served(model, **told)

    @cache
    def shared() -> dict[str, dict[datetime, Usage]]:
        """Return the hours of models with a queue: each has a part of the table of jobs."""
        queued = {model: usage.hours(one, begin, end) for model, one in served.items() if one.queue}
        return share_table(
            queued, usage.table_hours(settings.jobs_table, _JOBS_INDEXES, begin, end)
        )

    def serving(model: str) -> Serving | None:
        if (one := served.get(model)) is None:
            return None
        hours = shared()[model] if one.queue else usage.hours(one, begin, end)
        memory_mb, architecture = ServingFunction(functions, one.function).size("live")
        machine = Machine(
            memory_mb=memory_mb,
            architecture=architecture,
            retention_days=settings.log_retention_days,
        )
        return Serving(machine, hours, things.fixed(one, dashboards[model]))

    return serving


def _measure_cost(event: Mapping[str, Any]) -> dict[str, Any]:
    now = datetime.now(UTC)
    end = parse_end(event["end"]) if "end" in event else last_hour(now)
    serving, prices = _serving_of(end), Prices.load()
    names = event.get("models", declarations.models())
    looks: dict[str, str] = {}
    failed: dict[str, Exception] = {}
    for model in names:
        try:
            report = measure_cost(
                model,
                end,
                CostLimits.of(declarations.declaration(model)),
                serving(model),
                _jobs(),
                _teller(),
                region=_settings().aws_region,
                prices=prices,
                now=now,
            )
        except Exception as error:  # noqa: BLE001 - raised below, once all models had their turn
            failed[model] = error
        else:
            looks[model] = report.status
    if failed:
        raise looks_failed(failed, len(names))
    return {"end": end.isoformat(), "looks": looks}


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return {"end", "looks": {model: status}}, of the models in `event` or of all.

    Raises `Refused` with the code `looks_failed` where a look failed, after all others.
    """
    return run_step("measure_cost", _measure_cost, event, context.aws_request_id)
