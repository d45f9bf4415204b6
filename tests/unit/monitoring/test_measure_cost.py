"""A look at what a model costs: the report, its metrics, and the event of a rise."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from boringml.adapters.monitoring_reports import MonitoringReports
from boringml.batch.open_batch import HeldRun
from boringml.batch.run import SCORED, BatchRun
from boringml.errors import BoringError
from boringml.governance.prices import Prices
from boringml.governance.usage_cost import Fixed, Machine, Usage
from boringml.monitoring.cost import CostLimits
from boringml.monitoring.cost_report import Serving
from boringml.monitoring.measure_cost import Jobs, Teller, last_hour, measure_cost, parse_end
from boringml.monitoring.report import Report
from boringml.registry.records import ModelVersion
from tests.unit.monitoring.lake import MemoryLake
from tests.unit.registry.samples import package

END = datetime(2026, 11, 26, 12, tzinfo=UTC)
ARM = Machine(memory_mb=1024, architecture="arm64", retention_days=14)
# 20,000 predictions of a day by hand, in tests/unit/governance/test_usage_cost.py: 0.08697 USD.
DAY = Usage(
    predictions=20_000,
    invocations=20_000,
    billed_ms=197_400,
    init_ms=17_400,
    api_requests=20_000,
    log_bytes=21_600_000,
)
FIXED = Fixed(metrics=14, alarm_metrics=7, dashboards=1)
SERVING = Serving(ARM, {END - timedelta(hours=1): DAY}, FIXED)
TRAINING = {
    "job_name": "job-2",
    "instance_type": "ml.m5.large",
    "billable_seconds": 90,
    "training_seconds": 300,
    "price_source": "a bill",
}
SUMMARY = {
    "run": "one",
    "date": "2026-11-25",
    "engine": "map",
    "rows_in": 7043,
    "cost_usd": 0.007043,
    "price_source": "a bill",
}


class Packaged:
    def __init__(self) -> None:
        self.manifest = {"training": TRAINING}


@dataclass
class World:
    """What a look reads, in memory, and what it tells."""

    versions: list[ModelVersion] = field(default_factory=list)
    runs: list[HeldRun] = field(default_factory=list)
    events: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    missing: str | None = None

    def __post_init__(self) -> None:
        self.reports = MonitoringReports(MemoryLake())  # type: ignore[arg-type]

    def package(self, version: ModelVersion) -> Any:
        if self.missing:
            raise BoringError(self.missing, "It is not there.", 404)
        return Packaged()

    def look(
        self,
        limits: CostLimits = CostLimits(),  # noqa: B008 - it never changes
        serving: Serving | None = SERVING,
        end: datetime = END,
        region: str = "us-east-1",
    ) -> Report:
        jobs = Jobs(
            versions=lambda _model: self.versions,
            package=self.package,
            scored_since=lambda _model, since: [run for run in self.runs if run.opened_at >= since],
            newest_batch=lambda _model: self.runs[-1] if self.runs else None,
        )
        teller = Teller(
            reports=self.reports,
            publish=lambda kind, detail: self.events.append((kind, detail)),
            write=self.lines.append,
            namespace="BoringML/test",
        )
        return measure_cost(
            "credit",
            end,
            limits,
            serving,
            jobs,
            teller,
            region=region,
            prices=Prices.load(),
            now=END + timedelta(minutes=10),
        )

    def metrics(self) -> dict[str, float]:
        line = json.loads(self.lines[-1])
        names = [metric["Name"] for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
        assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["model"]]
        assert line["model"] == "credit"
        return {name: line[name] for name in names}


def version(number: int, days_ago: float) -> ModelVersion:
    return ModelVersion(
        **vars(package(number, cost_usd=0.5)),
        number=number,
        registered_at=END - timedelta(days=days_ago),
        registered_by="train",
    )


def batch(days_ago: float, summary: Mapping[str, Any] = SUMMARY) -> HeldRun:
    run = BatchRun(**dict.fromkeys(BatchRun.__dataclass_fields__, "x"))  # type: ignore[arg-type]
    opened = END - timedelta(days=days_ago)
    return HeldRun(
        run=run, execution_arn="a", status=SCORED, opened_at=opened, summary=dict(summary)
    )


def test_a_day_of_twenty_thousand_predictions() -> None:
    world = World([version(1, 40), version(2, 3)], [batch(31), batch(1)])
    details = world.look(CostLimits(monthly_budget_usd=20)).details
    assert details["variable_usd"] == pytest.approx(0.08697192891)
    # 14 metrics at 0.30, 7 metrics of alarms at 0.10 and a dashboard at 3: 7.90 a month.
    assert details["fixed_usd"] == pytest.approx(7.9 / 30)
    assert details["hour_usd"] == pytest.approx(0.08697192891 + 7.9 / 720)
    rate = details["per_1000_usd"]
    assert rate["api"] == pytest.approx(0.0035)
    assert rate["variable"] == pytest.approx(0.0043485964455)
    assert rate["metrics"] == pytest.approx(4.2 / 30 / 20)
    assert rate["total"] == pytest.approx(0.0043485964455 + 7.9 / 600)
    month = details["month"]
    assert month["serving_usd"] == pytest.approx(30 * 0.08697192891)
    assert month["fixed_usd"] == pytest.approx(7.9)
    assert (month["training_usd"], month["batch_usd"]) == (0.5, pytest.approx(0.007043))
    assert month["projected_usd"] == pytest.approx(30 * 0.08697192891 + 7.9 + 0.507043)
    assert month["assumption"] == "the last 24 hours, times 30"
    assert details["budget"]["share"] == pytest.approx(month["projected_usd"] / 20)
    assert sum(part["usd"] for part in details["parts"]) == pytest.approx(
        details["variable_usd"] + details["fixed_usd"]
    )


def test_what_jobs_cost_is_told() -> None:
    details = World([version(2, 3)], [batch(1)]).look().details
    assert details["training"]["last"]["spot_saving"] == 0.7
    assert details["training"]["last"]["billable_seconds"] == 90
    assert (details["training"]["runs_30_days"], details["training"]["usd_30_days"]) == (1, 0.5)
    assert details["batch"]["last"]["per_1000_rows_usd"] == pytest.approx(0.001)


def test_each_price_is_told_with_its_date_and_whether_it_is_old() -> None:
    prices = World().look().details["prices"]
    assert {price["part"] for price in prices} >= {"requests", "duration", "init", "api", "logs"}
    assert all(price["source"] and price["unit"] and price["usd"] for price in prices)
    ages = {price["part"]: price["older_than_a_year"] for price in prices}
    assert (ages["logs"], ages["api"]) == (False, True)


def test_the_look_says_it_in_words_and_metrics() -> None:
    world = World()
    report = world.look(CostLimits(monthly_budget_usd=20))
    assert report.status == "fine"
    assert report.says == (
        "1,000 predictions cost 0.0175 USD in the last 24 hours. "
        "A month is projected at 10.51 USD, 53% of the budget of 20.00 USD."
    )
    found = world.metrics()
    assert found["cost_usd"] == report.details["hour_usd"]
    assert found["cost_per_1000_usd"] == report.details["per_1000_usd"]["total"]
    assert (found["cost_evaluated"], found["cost_raised"]) == (1, 0)
    assert world.reports.newest("credit", "cost", END, 1) == [report]
    assert world.events == []


def test_nobody_asked() -> None:
    world = World()
    report = world.look(serving=replace(SERVING, hours={}))
    assert report.says.startswith("Nobody asked in the last 24 hours. A month is projected at 7.90")
    assert report.details["per_1000_usd"] is None
    assert "cost_per_1000_usd" not in world.metrics()


def test_a_model_without_a_function_costs_its_jobs() -> None:
    world = World([version(1, 1)], [batch(1)])
    details = world.look(serving=None).details
    assert details["parts"] == []
    assert details["month"]["projected_usd"] == pytest.approx(0.507043)


def test_a_rise_is_told_once_and_told_again_when_it_is_another() -> None:
    world = World()
    for hour, budget in ((0, 12.0), (1, 12.0), (2, 10.0), (3, 10.0)):
        world.look(CostLimits(monthly_budget_usd=budget), end=END + timedelta(hours=hour))
    assert [(kind, detail["reasons"]) for kind, detail in world.events] == [
        ("CostRaised", ["budget_80"]),
        ("CostRaised", ["budget_100"]),
    ]
    assert world.events[0][1]["model"] == "credit"
    assert world.metrics()["cost_raised"] == 1


def test_a_rise_that_came_again_is_told_again() -> None:
    world = World()
    for hour, budget in ((0, 12.0), (1, 100.0), (2, 12.0)):
        world.look(CostLimits(monthly_budget_usd=budget), end=END + timedelta(hours=hour))
    assert len(world.events) == 2


def test_predictions_that_cost_three_times_as_much_are_an_anomaly() -> None:
    before = {END - timedelta(days=3): DAY}
    dear = replace(DAY, billed_ms=40 * DAY.billed_ms)
    world = World()
    now = {END - timedelta(hours=2): dear}
    report = world.look(serving=Serving(ARM, {**before, **now}, FIXED))
    assert (report.status, report.details["reasons"]) == ("raised", ["anomaly"])
    assert "times the 0.0043 USD of the week before" in report.says


def test_without_a_price_nothing_is_reckoned_and_the_look_says_which() -> None:
    world = World()
    report = world.look(region="eu-west-1")
    assert report.status == "not_evaluated"
    assert "no price of Lambda on arm64 in eu-west-1" in report.says
    # Nothing that an alarm could take for fine.
    assert world.metrics() == {"cost_evaluated": 0}


def test_a_copy_of_a_version_was_not_trained_and_cost_nothing() -> None:
    copy = replace(version(3, 1), job_name="job-2", cost_usd=0.5)
    training = World([version(1, 40), version(2, 3), copy]).look().details["training"]
    assert (training["last"]["version"], training["last"]["job_name"]) == (2, "job-2")
    assert (training["runs_30_days"], training["usd_30_days"]) == (1, 0.5)


def test_a_package_that_is_gone_is_no_reason_not_to_look() -> None:
    world = World([version(2, 3)], missing="object_missing")
    assert world.look().details["training"]["last"]["cost_usd"] == 0.5
    changed = World([version(2, 3)], missing="digest_mismatch")
    with pytest.raises(BoringError, match="digest_mismatch"):
        changed.look()


def test_a_look_ends_with_a_whole_hour() -> None:
    assert last_hour(END + timedelta(minutes=59)) == END
    assert parse_end("2026-11-26T13:00:00+01:00") == END
    for text in ("2026-11-26T12:30:00+00:00", "noon"):
        with pytest.raises(BoringError, match="end_invalid"):
            parse_end(text)
