"""Reports are read as they were written, and lie where they are looked for."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from boringml.adapters.monitoring_reports import MonitoringReports
from boringml.errors import BoringError
from boringml.monitoring.report import DRIFT, FINE, NOT_EVALUATED, QUALITY, Report
from tests.unit.monitoring.lake import MemoryLake

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def report(end: datetime = NOON, version: int | None = 3, kind: str = DRIFT) -> Report:
    begin = end - timedelta(hours=1)
    return Report(kind, "credit", version, begin, end, FINE, "All is well.", {"psi": 0.01})


def test_a_report_survives_its_document() -> None:
    assert Report.parse(json.loads(json.dumps(report().document()))) == report()


@pytest.mark.parametrize("change", [{"kind": "mood"}, {"status": "good"}, {"end": "noon"}])
def test_what_is_no_report_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(BoringError, match="report_invalid"):
        Report.parse(report().document() | change)


def test_a_window_ends_after_it_begins() -> None:
    with pytest.raises(BoringError, match="report_invalid"):
        Report(DRIFT, "credit", 1, NOON, NOON, NOT_EVALUATED, "No time.")


def test_the_same_look_is_kept_once_and_versions_apart() -> None:
    reports = MonitoringReports(MemoryLake())  # type: ignore[arg-type]
    for version in (3, 3, 4):
        reports.put(report(version=version))
    assert [item.version for item in reports.newest("credit", DRIFT, NOON, 1)] == [3, 4]


def test_the_newest_reports_come_oldest_first_over_midnight() -> None:
    reports = MonitoringReports(MemoryLake())  # type: ignore[arg-type]
    hours = [NOON - timedelta(hours=hour) for hour in (30, 14, 13, 2, 1, 0)]
    for end in hours:
        reports.put(report(end))
    reports.put(report(kind=QUALITY))
    assert [item.end for item in reports.newest("credit", DRIFT, NOON, 7, most=4)] == hours[-4:]
    assert [item.end for item in reports.newest("credit", DRIFT, NOON, 1)] == hours[-3:]
    assert reports.newest("churn", DRIFT, NOON, 7) == []


def test_a_look_at_many_versions_is_read_whole_and_by_their_numbers() -> None:
    reports = MonitoringReports(MemoryLake())  # type: ignore[arg-type]
    versions = [2, *range(88, 101)]
    for end in (NOON - timedelta(hours=1), NOON):
        for version in versions:
            reports.put(report(end, version, QUALITY))
    found = reports.newest("credit", QUALITY, NOON, 7, most=1)
    assert [(item.end, item.version) for item in found] == [(NOON, number) for number in versions]
