"""One world told day by day, by the code that is deployed: files of labels in, reports out.

The lake is memory; everything else, Parquet and CSV, joins, reports and events, is what runs in
AWS. Some labels come twice, contradict themselves, are corrected later, or are none.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.monitoring.quality_stream import DAY, HOUR, Stream
from benchmarks.monitoring.quality_world import Pool
from boringml.adapters import declarations
from boringml.adapters.labels_table import LabelsTable
from boringml.adapters.monitoring_reports import MonitoringReports
from boringml.adapters.object_store import StoredObject
from boringml.adapters.predictions_lake import PredictionsLake
from boringml.errors import BoringError
from boringml.monitoring.labels import LabelRules
from boringml.monitoring.measure_quality import QualityMeasurer
from boringml.monitoring.record_labels import LabelRecorder
from boringml.monitoring.report import NOT_EVALUATED, RAISED, Report

START = datetime(2026, 1, 1, tzinfo=UTC)
TWICE, CONTRADICTED, CORRECTED, NONE = 0.03, 0.005, 0.01, 0.002
# The prediction log is delivered so often, a file each; a day has whole ones.
DELIVERED_HOURS = 6


class MemoryLake:
    """What is used of an ObjectStore."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def write(self, key: str, content: bytes) -> None:
        """Store an object."""
        self.objects[key] = content

    def read(self, key: str) -> bytes:
        """Return an object."""
        if key not in self.objects:
            raise BoringError("object_missing", key, 404)
        return self.objects[key]

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """Yield the objects under a prefix."""
        for key in sorted(key for key in self.objects if key.startswith(prefix)):
            yield StoredObject(key, len(self.objects[key]), START)

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects."""
        for key in keys:
            del self.objects[key]


@dataclass
class Story:
    """A world, its clock, and what was said in it."""

    pool: Pool
    stream: Stream
    declaration: Mapping[str, Any]
    now: datetime = START
    sent: dict[str, int] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.contract = declarations.contract(self.pool.model)
        decision = self.contract["decision"]
        self.words = (decision["negative"], decision["positive"])
        lake: Any = MemoryLake()
        self.lake = lake
        rules = LabelRules.of(self.declaration, self.contract)
        self.recorder = LabelRecorder(LabelsTable(lake), lambda _model: rules, lambda: self.now)
        self.reports = MonitoringReports(lake)
        self.measurer = QualityMeasurer(
            labels=LabelsTable(lake),
            predictions=PredictionsLake(lake),
            reports=self.reports,
            live_of=lambda _model: 1,
            holdout_of=lambda _model, _version: self.pool.holdout,
            publish=self._publish,
            write=lambda _line: None,
            namespace="BoringML/benchmark",
        )
        self.random = np.random.default_rng(4)
        self.later: dict[int, list[dict[str, str]]] = {}
        for name in ("rows", "labels", "twice", "contradicted", "corrected", "none"):
            self.sent[name] = 0

    def pass_hour(self, hour: int) -> None:
        """Let an hour go by: its predictions are delivered, its labels are sent."""
        self.now = START + timedelta(hours=hour + 1)
        if (hour + 1) % DELIVERED_HOURS == 0:
            self._deliver(hour + 1 - DELIVERED_HOURS, hour + 1)
        rows = self._labels(hour)
        if rows:
            sink = io.StringIO()
            writer = csv.DictWriter(sink, ["request_id", "at", "label"])
            writer.writeheader()
            writer.writerows(rows)
            key = f"labels/{self.pool.model}/{hour:05d}.csv"
            self.files.append(sink.getvalue())
            receipt = self.recorder.record_file(key, "v1", sink.getvalue().encode())
            if receipt.received != len(rows) or receipt.received != receipt.accepted + sum(
                receipt.refused.values()
            ):
                raise RuntimeError(f"rows of labels were lost: {receipt}")
            self.sent["rows"] += len(rows)

    def look(self) -> Report:
        """Return what a look says now."""
        (report,) = self.measurer.measure(self.declaration, self.contract, self.now, "benchmark")
        return report

    def _publish(self, name: str, detail: Mapping[str, Any]) -> None:
        self.events.append({"name": name, "at": self.now.isoformat(), **detail})

    def _deliver(self, first_hour: int, last_hour: int) -> None:
        begin, end = np.searchsorted(self.stream.at, [first_hour * HOUR, last_hour * HOUR])
        if begin == end:
            return
        count, first = end - begin, int(START.timestamp() * 1000)
        table = pa.table(
            {
                "at": pa.array(self.stream.at[begin:end] + first, pa.timestamp("ms", tz="UTC")),
                "request_id": [f"r{number}" for number in range(begin, end)],
                "record": pa.array(np.zeros(count), pa.int32()),
                "model_version": ["1"] * count,
                "stage": ["v1"] * count,
                "code": pa.nulls(count, pa.string()),
                "probability": self.stream.scores[begin:end],
            }
        )
        sink = io.BytesIO()
        pq.write_table(table, sink)
        day = START + timedelta(hours=first_hour)
        key = f"predictions/model={self.pool.model}/date={day:%Y-%m-%d}/{first_hour:05d}.parquet"
        self.lake.write(key, sink.getvalue())

    def _labels(self, hour: int) -> list[dict[str, str]]:
        known = np.flatnonzero(self.stream.known_at // HOUR == hour)
        rows = self.later.pop(hour, [])
        for number in known:
            truth = int(self.stream.labels[number])
            at = START + timedelta(milliseconds=int(self.stream.known_at[number]))
            row = self._row(int(number), at, truth)
            chance = self.random.random()
            self.sent["labels"] += 1
            if chance < TWICE:
                rows += [row, row]
                self.sent["twice"] += 1
            elif chance < TWICE + CONTRADICTED:
                rows += [row, self._row(int(number), at, 1 - truth)]
                self.sent["contradicted"] += 1
            elif chance < TWICE + CONTRADICTED + CORRECTED:
                rows.append(self._row(int(number), at, 1 - truth))
                right = self._row(int(number), at + timedelta(hours=5), truth)
                self.later.setdefault(hour + 6, []).append(right)
                self.sent["corrected"] += 1
            elif chance < TWICE + CONTRADICTED + CORRECTED + NONE:
                rows.append({**row, "label": "perhaps"})
                self.sent["none"] += 1
            else:
                rows.append(row)
        return rows

    def _row(self, number: int, at: datetime, label: int) -> dict[str, str]:
        return {"request_id": f"r{number}", "at": at.isoformat(), "label": self.words[label]}


def told(pool: Pool, declaration: Mapping[str, Any], per_day: int, fall: int) -> dict[str, Any]:
    """Return the story of a fall at the beginning of a day, until a look told it, and how.

    Looks are daily at midnight until the day before the labels of the fall come, then hourly.
    """
    stream = Stream(pool, fall + 25, per_day, np.random.default_rng(6), broken_from=fall)
    story = Story(pool, stream, declaration)
    days, raised, hour = [], None, 0
    while raised is None:
        story.pass_hour(hour)
        hour += 1
        if hour % 24 and hour < (fall + 6) * 24:
            continue
        report = story.look()
        if hour % 24 == 0 or report.status == RAISED:
            days.append(_day(hour, report))
        if report.status == RAISED:
            raised = report
    late = raised.details["days"]
    return {
        "model": pool.model,
        "per_day": per_day,
        "fall_at_day": fall,
        "told_at_hour": hour,
        "days_after_the_fall": round(hour / 24 - fall, 2),
        "says": raised.says,
        "event": story.events[0],
        "events": len(story.events),
        "comparisons": raised.details["comparisons"],
        "sent": story.sent,
        "labels": raised.details["labels"],
        "days": days,
        "calibration": raised.details["calibration"],
        "at_the_end": [{name: day[name] for name in _SHOWN} for day in late],
        "counted_by_hand": _independent(story),
    }


_SHOWN = ("date", "predictions", "labelled", "coverage", "roc_auc", "roc_auc_interval")


def _day(hour: int, report: Report) -> dict[str, Any]:
    window = report.details["window"]
    newest = [day for day in report.details["days"] if day["labelled"]]
    return {
        "hour": hour,
        "status": report.status,
        "says": report.says,
        "window": [window["begin"], window["end"]] if report.status != NOT_EVALUATED else None,
        "labelled": window["labelled"],
        "coverage_of_all_days": round(
            sum(day["labelled"] for day in report.details["days"])
            / sum(day["predictions"] for day in report.details["days"]),
            4,
        ),
        "newest_day_with_labels": newest[-1]["date"] if newest else None,
        "roc_auc": window["roc_auc"],
        "roc_auc_interval": window["roc_auc_interval"],
    }


def _independent(story: Story) -> dict[str, int]:
    """Return the labels that should count within the horizon, read from the files one by one."""
    horizon = story.declaration["monitoring"]["quality"]["horizon_days"]
    first = (story.now - timedelta(days=horizon)).date()
    last: dict[str, tuple[str, set[str]]] = {}
    for content in story.files:
        for row in csv.DictReader(io.StringIO(content)):
            if row["label"] not in story.words:
                continue
            at, labels = last.get(row["request_id"], ("", set()))
            if row["at"] > at:
                last[row["request_id"]] = (row["at"], {row["label"]})
            elif row["at"] == at:
                labels.add(row["label"])
    days = story.stream.at // DAY
    used = sum(
        len(labels) == 1 and START.date() + timedelta(days=int(days[int(name[1:])])) >= first
        for name, (_, labels) in last.items()
    )
    return {"used": used}


def dumped(document: Any) -> str:
    """Return JSON with numbers as short as they are read."""
    rounded = json.loads(json.dumps(document), parse_float=lambda text: round(float(text), 4))
    return json.dumps(rounded, indent=1) + "\n"
