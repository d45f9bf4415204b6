"""A look: which rows beside which baseline, what is kept, what is told, and what is trained for."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from boringml.adapters.monitoring_reports import MonitoringReports
from boringml.batch.open_batch import HeldRun
from boringml.batch.run import SCORED, BatchRun
from boringml.errors import BoringError
from boringml.monitoring.baseline import categorical_baseline, numeric_baseline
from boringml.monitoring.drift_looks import look_at_all, window_end
from boringml.monitoring.drift_report import metrics_of
from boringml.monitoring.drift_settings import DriftSettings
from boringml.monitoring.measure_drift import DriftWatch
from boringml.monitoring.report import DRIFT, FINE, NOT_EVALUATED, RAISED
from boringml.monitoring.window import Rows
from boringml.package import layout
from boringml.package.manifest import build_manifest, canonical, measure, package_digest
from boringml.registry.records import OPEN, RunClaim
from tests.unit.monitoring.lake import MemoryLake
from tests.unit.monitoring.test_drift import SETTINGS

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
MODELS = Path(__file__).parents[3] / "models"
CONTRACT = json.loads((MODELS / "credit/contract.json").read_text())
GRADES = CONTRACT["request"]["properties"]["sub_grade"]["enum"]
BASELINE = {
    "features": {
        "int_rate": numeric_baseline(np.random.default_rng(1).normal(12, 4, 4000).tolist()),
        "sub_grade": categorical_baseline(GRADES[:10] * 400, GRADES),
        "annual_inc": numeric_baseline([5e4, 6e4, 7e4] * 1000),
    },
    "probability": numeric_baseline([0.01, 0.02, 0.03, 0.04] * 250),
    "prediction": categorical_baseline(["good"] * 900 + ["bad"] * 100, ["good", "bad"]),
}
FILES = dict.fromkeys(layout.FILES, b"x") | {
    layout.CONTRACT: json.dumps(CONTRACT).encode(),
    layout.BASELINE: json.dumps(BASELINE).encode(),
}
MANIFEST = build_manifest(
    model="credit",
    runtime="onnx",
    contract_version="1.0.0",
    files={name: measure(content) for name, content in FILES.items()},
    libraries={},
    python="3.12.0",
    git_commit="unknown",
    data={"digest": "sha256:" + "0" * 64, "rows": 1, "files": []},
    seed=1,
    parameters={},
)
STORED = {**FILES, layout.MANIFEST: canonical(MANIFEST)}


def traffic(rows: int, moved: float = 0) -> Rows:
    rng = np.random.default_rng(5)
    return Rows(
        {
            "int_rate": rng.normal(12 + moved, 4, rows).tolist(),
            "sub_grade": rng.choice(GRADES[:10], rows).tolist(),
            "annual_inc": [None] * rows,
        },
        rng.choice(["good", "bad"], rows, p=[0.9, 0.1]).tolist(),
        rng.choice([0.01, 0.02, 0.03, 0.04], rows).tolist(),
    )


@dataclass
class World:
    """Everything that a look asks, and what it told."""

    traffic: Rows = field(default_factory=lambda: traffic(500))
    live: int | None = 3
    batch: HeldRun | None = None
    trained: RunClaim | None = None
    stored: Mapping[str, bytes] = field(default_factory=lambda: STORED)
    events: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    trainings: list[tuple[str, str]] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    lake: MemoryLake = field(default_factory=MemoryLake)

    def served(self, *asked: Any) -> Iterator[Rows]:
        self.asked.append(asked)
        for start in range(0, len(self.traffic.predictions), 64):
            part = slice(start, start + 64)
            features = {name: column[part] for name, column in self.traffic.features.items()}
            answers = self.traffic.predictions[part], self.traffic.probabilities[part]
            yield Rows(features, *answers)

    def scored(self, run: BatchRun, document: Any) -> Iterator[Rows]:
        self.asked.append(run)
        yield replace(self.traffic, predictions=(), probabilities=())
        yield replace(self.traffic, features={})

    @property
    def reports(self) -> MonitoringReports:
        return MonitoringReports(self.lake)  # type: ignore[arg-type]

    def watch(self) -> DriftWatch:
        version = SimpleNamespace(
            package_uri="s3://packages/p/", package_digest=package_digest(MANIFEST)
        )
        return DriftWatch(
            registry=SimpleNamespace(  # type: ignore[arg-type]
                alias=lambda _model, _name: self.live,
                version=lambda _model, _number: version,
                newest_run=lambda _model: self.trained,
            ),
            package=lambda _uri: self.stored.__getitem__,
            served=SimpleNamespace(rows=self.served),
            scored=SimpleNamespace(rows=self.scored),
            newest_batch=lambda _model: self.batch,
            reports=self.reports,
            publish=lambda kind, detail: self.events.append((kind, detail)),
            train=lambda model, name: self.trainings.append((model, name)),
        )

    def look(self, settings: DriftSettings = SETTINGS, *, served: bool = True) -> Any:
        return self.watch().look_at("credit", settings, NOON, served)


def test_traffic_as_in_training_is_fine_and_kept_and_nothing_is_told() -> None:
    world = World()
    report = world.look()
    assert (report.status, report.version, report.end) == (FINE, 3, NOON)
    # annual_inc and the other key features: sensitive, or not in this baseline.
    assert report.details["unseen"] == ["term", "annual_inc"]
    assert report.details["evaluated"] == ["int_rate", "sub_grade", "prediction", "probability"]
    assert world.reports.newest("credit", DRIFT, NOON, 1) == [report]
    assert (world.events, world.trainings) == ([], [])
    assert metrics_of(report) == {"drift_evaluated": 1, "drift_share": 0}
    window = (NOON - timedelta(hours=24), NOON)
    assert world.asked == [("credit", 3, *window, ["int_rate", "sub_grade"])]
    assert report.says == (
        "The 4 watched inputs and answers of credit version 3 are as in training "
        "(500 predictions in 24 h)."
    )


def test_drift_is_kept_told_and_trained_for_only_where_that_is_allowed() -> None:
    world = World(traffic(500, moved=2))
    report = world.look()
    assert (report.status, report.details["drifted"]) == (RAISED, ["int_rate"])
    assert metrics_of(report) == {"drift_evaluated": 1, "drift_share": 0.25}
    ((kind, detail),) = world.events
    assert kind == "DriftDetected"
    assert (detail["model"], detail["version"], detail["features"]) == ("credit", 3, ["int_rate"])
    assert detail["report"] in world.lake.objects
    assert detail["says"].startswith(
        "1 of 4 watched inputs and answers of credit version 3 drifted"
    )
    assert world.trainings == []
    world.look(replace(SETTINGS, retrain=True))
    assert world.trainings == [("credit", "drift-credit-20261125T120000")]


@pytest.mark.parametrize(
    ("hours", "status", "trains"),
    [(1, "succeeded", False), (167, "failed", False), (169, "succeeded", True), (500, OPEN, False)],
)
def test_after_any_training_drift_starts_none_until_it_has_cooled_down(
    hours: int, status: str, trains: bool
) -> None:
    claim = RunClaim(
        model="credit",
        trigger_id="s3-x",
        execution_arn="arn",
        claimed_at=NOON - timedelta(hours=hours),
        status=status,
    )
    world = World(traffic(500, moved=2), trained=claim)
    world.look(replace(SETTINGS, retrain=True))
    assert bool(world.trainings) is trains
    assert len(world.events) == 1


def test_too_few_rows_are_said_to_be_too_few() -> None:
    world = World(traffic(199, moved=9))
    report = world.look()
    assert (report.status, report.details["share"]) == (NOT_EVALUATED, None)
    assert report.says == (
        "Drift of credit version 3 was not evaluated: 199 predictions in 24 h, and 200 are needed."
    )
    assert metrics_of(report) == {"drift_evaluated": 0}
    assert world.events == []


def test_without_a_live_version_there_is_nothing_to_look_at() -> None:
    report = World(live=None).look()
    assert (report.status, report.version) == (NOT_EVALUATED, None)
    assert report.says == "Drift of credit was not evaluated: no version is live."


def test_a_package_that_was_changed_is_no_baseline() -> None:
    other = json.dumps(BASELINE | {"rows": 1}).encode()
    with pytest.raises(BoringError, match="digest_mismatch"):
        World(stored={**STORED, layout.BASELINE: other}).look()


def batch(opened: datetime, version: int = 3) -> HeldRun:
    run = BatchRun("credit", "abc", 1, "2026-11-25", version, "s3://p/", "sha256:0", "map")
    return HeldRun(
        run=run, execution_arn="x", status=SCORED, opened_at=opened, summary={"seconds": 60}
    )


def test_a_batch_is_looked_at_once_with_its_sensitive_features_and_stands_until_the_next() -> None:
    opened = NOON - timedelta(hours=3)
    world = World(traffic(500, moved=2), batch=batch(opened))
    report = world.look(served=False)
    assert (report.status, report.begin) == (RAISED, opened)
    assert report.end == opened + timedelta(seconds=60)
    assert "annual_inc" in report.details["drifted"]
    assert report.details["run"] == "abc-1"
    assert "500 rows of batch abc-1" in report.says
    assert world.look(served=False) == report
    assert (len(world.asked), len(world.events)) == (1, 1)
    world.look(replace(SETTINGS, psi=0.5), served=False)
    assert len(world.asked) == 2


@pytest.mark.parametrize(
    ("held", "why"),
    [
        (None, "no batch was scored in 24 h"),
        (batch(NOON - timedelta(hours=25)), "no batch was scored in 24 h"),
        (batch(NOON - timedelta(hours=1), version=2), "scored by version 2, live is 3"),
    ],
)
def test_a_batch_that_is_not_of_now_is_not_looked_at(held: HeldRun | None, why: str) -> None:
    world = World(batch=held)
    report = world.look(served=False)
    assert (report.status, world.asked) == (NOT_EVALUATED, [])
    assert why in report.says


def test_a_window_ends_with_the_last_full_hour_that_is_all_in_the_lake() -> None:
    assert window_end(None, NOON + timedelta(minutes=14)) == NOON - timedelta(hours=1)
    assert window_end(None, NOON + timedelta(minutes=15)) == NOON
    assert window_end("2026-11-25T13:00:00+01:00", NOON) == NOON
    for bad in ("noon", "2026-11-25T13:00:00"):
        with pytest.raises(BoringError, match="time_invalid"):
            window_end(bad, NOON)


def test_a_look_that_fails_keeps_no_other_from_being_done_and_is_told_at_the_end() -> None:
    section = {"patterns": ["online"], "monitoring": {"drift": SETTINGS.document()}}
    declared: dict[str, Any] = {
        "bad": section,
        "credit": section,
        "unwatched": {"patterns": ["online"]},
        "wrong": {"patterns": ["batch"], "monitoring": {"drift": {"psi": 1}}},
    }
    world, lines = World(), list[str]()

    def look_at(model: str, *asked: Any) -> Any:
        if model == "bad":
            raise RuntimeError("no lake")
        return world.watch().look_at(model, *asked)

    with pytest.raises(BoringError) as failed:
        look_at_all(declared, NOON, look_at, lines.append, "BoringML/one")
    assert failed.value.code == "looks_failed"
    assert "2 of 4 looks: bad: RuntimeError: no lake; wrong: " in failed.value.message
    (line,) = map(json.loads, lines)
    assert (line["model"], line["drift_share"], line["drift_evaluated"]) == ("credit", 0, 1)
    assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "BoringML/one"
    found = look_at_all({"credit": section}, NOON, look_at, lines.append, "BoringML/one")
    assert (found["credit"]["status"], found["credit"]["version"]) == (FINE, 3)


def test_the_models_of_the_repository_ask_for_looks() -> None:
    from boringml.adapters.declarations import declaration, models

    settings = {name: DriftSettings.of(declaration(name)) for name in models()}
    assert all(settings.values())
    assert not any(one.retrain for one in settings.values() if one)
