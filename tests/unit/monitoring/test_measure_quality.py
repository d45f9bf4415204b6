"""A look at quality: what is judged, what is told, once, and what is not evaluated."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from boringml.adapters.monitoring_reports import MonitoringReports
from boringml.errors import BoringError
from boringml.monitoring.label_join import Predictions, milliseconds, names_of_requests
from boringml.monitoring.label_rows import table_of
from boringml.monitoring.labels import Label
from boringml.monitoring.measure_quality import QualityMeasurer
from boringml.monitoring.quality import Holdout
from boringml.monitoring.report import FINE, NOT_EVALUATED, QUALITY, RAISED, Report
from tests.unit.monitoring.lake import MemoryLake

START = datetime(2026, 11, 1, tzinfo=UTC)
QUALITY_OF = {
    "metric": "roc_auc",
    "tolerance": 0.01,
    "min_labels": 50,
    "window_days": 3,
    "horizon_days": 20,
}
DECLARATION = {
    "name": "credit",
    "patterns": ["online"],
    "monitoring": {"quality": QUALITY_OF},
}
CONTRACT = {"decision": {"positive": "bad", "negative": "good", "threshold": 0.5}}
PER_DAY = 1000
# What scores of this separation are worth, and how often a case is bad.
GOOD, WORSE, SHARE = 1.2, 0.85, 0.25
HOLDOUT = Holdout({"roc_auc": 0.80}, 1000, 3000)


class World:
    """Days of predictions whose labels come a week late, all in memory."""

    def __init__(self, separations: dict[int, float], late: int = 7, version: int = 1) -> None:
        random = np.random.default_rng(3)
        self.late = late
        self.days: dict[date, Predictions] = {}
        self.labels: list[Label] = []
        self.merged: list[date] = []
        for number, separation in separations.items():
            truth = random.random(PER_DAY) < SHARE
            scores = 1 / (1 + np.exp(-(random.standard_normal(PER_DAY) + separation * truth - 1)))
            begin = START + timedelta(days=number)
            at = milliseconds(begin) + np.arange(PER_DAY) * 80_000
            ids = [f"{number}-{place}" for place in range(PER_DAY)]
            names = names_of_requests(pa.array(ids), pa.array(np.zeros(PER_DAY), pa.int32()))
            versions = np.full(PER_DAY, version)
            self.days[begin.date()] = Predictions(names, at, versions, scores)
            known = begin + timedelta(days=late, hours=12)
            for id_, bad in zip(ids, truth, strict=True):
                word = "bad" if bad else "good"
                self.labels.append(Label(known, word, bool(bad), request_id=id_))
        self.now = START

    def read(self, model: str, first: date, last: date) -> Any:
        arrived = [one for one in self.labels if one.at <= self.now]
        return table_of([one for one in arrived if first <= one.at.date() <= last], self.now)

    def merge(self, model: str, day: date) -> int:
        self.merged.append(day)
        return 0

    def requests(self, model: str, first: date, last: date) -> Iterator[Predictions]:
        for day, found in sorted(self.days.items()):
            if first <= day <= last:
                seen = found.at <= milliseconds(self.now)
                if seen.any():
                    yield Predictions(
                        found.names.filter(pa.array(seen)),
                        found.at[seen],
                        found.version[seen],
                        found.probability[seen],
                    )

    def scores(self, model: str, first: date, last: date) -> Iterator[Predictions]:
        raise AssertionError("an online model has none")


class Watch:
    """A measurer over a world, with what it said."""

    def __init__(self, world: World, holdout: Holdout | None = HOLDOUT) -> None:
        self.world = world
        self.events: list[tuple[str, Any]] = []
        self.lines: list[Any] = []
        self.reports = MonitoringReports(MemoryLake())  # type: ignore[arg-type]
        self.measurer = QualityMeasurer(
            world,
            world,
            self.reports,
            live_of=lambda _model: 1,
            holdout_of=lambda _model, _version: holdout,
            publish=lambda name, detail: self.events.append((name, detail)),
            write=lambda line: self.lines.append(json.loads(line)),
            namespace="ns",
        )

    def look(self, day: float, **quality: Any) -> Report:
        self.world.now = START + timedelta(days=day)
        declaration = {**DECLARATION, "monitoring": {"quality": {**QUALITY_OF, **quality}}}
        (report,) = self.measurer.measure(declaration, CONTRACT, self.world.now, "i-1")
        return report


def test_before_labels_come_nothing_is_evaluated_and_nothing_fell() -> None:
    watch = Watch(World(dict.fromkeys(range(10), GOOD)))
    report = watch.look(5.999)
    assert report.status == NOT_EVALUATED
    assert report.says == (
        "Version 1 of credit was not evaluated: 0 known cases of 'bad' and 0 others of 6000 "
        "predictions, and 50 of each are needed."
    )
    (line,) = watch.lines
    assert (line["quality_evaluated"], line["label_coverage"]) == (0, 0.0)
    assert (report.details["fell"], line["quality_fell"]) == (None, 0)
    assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["model"]]


def test_a_good_model_is_fine_and_its_days_have_their_numbers() -> None:
    watch = Watch(World(dict.fromkeys(range(14), GOOD)))
    report = watch.look(13.9)
    assert (report.status, watch.events) == (FINE, [])
    window = report.details["window"]
    assert (window["begin"], window["end"]) == ("2026-11-05", "2026-11-08")
    assert (window["predictions"], window["labelled"], window["coverage"]) == (3000, 3000, 1.0)
    coverage = {day["date"]: day["coverage"] for day in report.details["days"]}
    assert (coverage["2026-11-07"], coverage["2026-11-08"], len(coverage)) == (1.0, 0.0, 14)
    low, high = window["roc_auc_interval"]
    assert low < 0.80 < high
    assert {one["against"] for one in report.details["comparisons"]} == {"holdout", "days_before"}
    assert watch.lines[0]["quality_fell"] == 0
    assert watch.reports.newest("credit", QUALITY, watch.world.now, 1) == [report]


def test_late_labels_change_the_numbers_of_a_day_that_was_looked_at_before() -> None:
    watch = Watch(World(dict.fromkeys(range(9), GOOD)))
    first = {day["date"]: day["labelled"] for day in watch.look(7.4).details["days"]}
    later = {day["date"]: day["labelled"] for day in watch.look(7.6).details["days"]}
    assert (first["2026-11-01"], later["2026-11-01"]) == (0, 1000)


def test_days_that_no_look_merged_are_merged_with_the_next_day() -> None:
    world = World({0: GOOD})
    watch = Watch(world)
    watch.look(13.5)
    today = (START + timedelta(days=13)).date()
    assert world.merged == [today, today - timedelta(days=1)]
    world.merged.clear()
    watch.look(14.01)
    assert len(set(world.merged)) == QUALITY_OF["horizon_days"] + 1  # type: ignore[operator]


def test_a_fall_is_told_once_while_it_lasts_and_again_after_it_was_over() -> None:
    separations = {n: WORSE if 6 <= n < 10 else GOOD for n in range(20)}
    watch = Watch(World(separations))
    told = {}
    for hour in range(13 * 24, 27 * 24, 12):
        report = watch.look(hour / 24)
        told[hour / 24] = report.status
    raised = [day for day, status in told.items() if status == RAISED]
    assert raised
    assert raised[0] >= 13.5  # the first labels of day 6 come then
    assert [name for name, _ in watch.events] == ["QualityFell"]
    detail = watch.events[0][1]
    assert (detail["model"], detail["version"], detail["metric"]) == ("credit", 1, "roc_auc")
    assert detail["value"] < detail["baseline"] - 0.01
    assert "got worse: ROC AUC" in detail["says"]
    assert told[26.5] == FINE
    assert {line.get("quality_fell") for line in watch.lines} == {0, 1}


def test_a_fall_that_labels_leave_in_doubt_lasts_and_is_no_news() -> None:
    watch = Watch(World({n: 0.2 if n >= 4 else GOOD for n in range(20)}))
    watch.look(13.9)
    doubt = watch.look(14.9, min_labels=5000)
    watch.look(15.9)
    assert (doubt.status, doubt.details["fell"]) == (NOT_EVALUATED, True)
    assert [line["quality_fell"] for line in watch.lines] == [1, 1, 1]
    assert [line["quality_evaluated"] for line in watch.lines] == [1, 0, 1]
    assert len(watch.events) == 1


def test_the_fall_of_a_version_ends_with_it_and_the_next_has_its_own() -> None:
    watch = Watch(World({n: 0.2 if n >= 4 else GOOD for n in range(14)}))
    watch.look(13.9)
    # What was promoted in its place predicted since, and has no labels yet.
    world = watch.world
    day = (START + timedelta(days=13)).date()
    found = world.days[day]
    versions = np.where(found.at > milliseconds(START + timedelta(days=13.5)), 2, 1)
    world.days[day] = Predictions(found.names, found.at, versions, found.probability)
    object.__setattr__(watch.measurer, "live_of", lambda _model: 2)
    world.now = START + timedelta(days=13.95)
    old, new = watch.measurer.measure(DECLARATION, CONTRACT, world.now, "i")
    assert (old.status, new.status) == (RAISED, NOT_EVALUATED)
    assert [(line["model_version"], line["quality_fell"]) for line in watch.lines] == [
        ("1", 1),
        ("2", 0),
    ]
    # And back again: what was known of the first is known still, and was told.
    object.__setattr__(watch.measurer, "live_of", lambda _model: 1)
    world.now = START + timedelta(days=13.97)
    watch.measurer.measure(DECLARATION, CONTRACT, world.now, "i")
    assert watch.lines[-1]["quality_fell"] == 1
    assert len(watch.events) == 1


def test_a_small_fall_within_the_tolerance_is_none() -> None:
    watch = Watch(World({n: WORSE if n >= 4 else GOOD for n in range(14)}))
    assert watch.look(13.9, tolerance=0.3).status == FINE


def test_too_few_of_one_class_are_not_evaluated() -> None:
    watch = Watch(World(dict.fromkeys(range(14), WORSE)))
    assert watch.look(13.9, min_labels=5000).status == NOT_EVALUATED
    assert watch.events == []


def test_without_a_holdout_or_a_past_there_is_nothing_to_compare_with() -> None:
    watch = Watch(World({0: GOOD}, late=1), holdout=None)
    report = watch.look(3)
    assert report.status == NOT_EVALUATED
    assert report.says.endswith("and nothing to compare with.")
    assert report.details["window"]["roc_auc"] is not None


def test_loss_metrics_fall_by_rising() -> None:
    bold = World({n: 0.2 if n >= 4 else GOOD for n in range(14)})
    holdout = Holdout({"log_loss": 0.48, "brier": 0.15}, 1000, 3000)
    for metric in ("log_loss", "brier"):
        report = Watch(bold, holdout).look(13.9, metric=metric)
        assert report.status == RAISED, metric
        assert all(one["difference"] < 0 for one in report.details["comparisons"])


def test_versions_are_judged_apart_and_live_is_the_one_that_counts() -> None:
    world = World(dict.fromkeys(range(7), GOOD), late=1)
    other = World(dict.fromkeys(range(7), 0.0), late=1, version=2)
    world.days |= {day + timedelta(days=7): found for day, found in other.days.items()}
    watch = Watch(world)
    for number, (day, found) in enumerate(sorted(world.days.items())):
        if number >= 7:
            moved = found.at + 7 * 86_400_000
            ids = pa.array([f"v2-{name}" for name in found.names.to_pylist()])
            world.days[day] = Predictions(ids, moved, found.version, found.probability)
            world.labels += [
                Label(
                    START + timedelta(days=number + 1),
                    "bad" if place % 4 == 0 else "good",
                    place % 4 == 0,
                    request_id=f"v2-{number - 7}-{place}",
                )
                for place in range(PER_DAY)
            ]
    world.now = START + timedelta(days=16)
    first, second = watch.measurer.measure(DECLARATION, CONTRACT, world.now, "i")
    assert (first.version, first.status) == (1, FINE)
    assert (second.version, second.status) == (2, RAISED)
    assert (watch.events, watch.lines[0]["model_version"]) == ([], "1")


def test_nothing_predicted_is_no_report() -> None:
    watch = Watch(World({}))
    assert watch.measurer.measure(DECLARATION, CONTRACT, START, "i") == []
    assert watch.lines == []


def test_a_model_that_does_not_declare_it_is_not_looked_at() -> None:
    with pytest.raises(BoringError, match="quality_not_measured"):
        Watch(World({})).measurer.measure({"name": "x"}, CONTRACT, START, "i")


def test_a_report_is_kept_after_its_event_so_that_none_is_lost() -> None:
    watch = Watch(World({n: 0.2 if n >= 4 else GOOD for n in range(14)}))

    def refuse(name: str, detail: Any) -> None:
        raise BoringError("event_refused", "Not now.", 503)

    object.__setattr__(watch.measurer, "publish", refuse)
    with pytest.raises(BoringError, match="event_refused"):
        watch.look(13.9)
    assert watch.reports.newest("credit", QUALITY, watch.world.now, 2) == []
