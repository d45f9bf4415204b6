"""What the benchmark of control counts, and what it draws."""

from xml.etree import ElementTree

import boto3
import pytest
from moto import mock_aws

from benchmarks.growth import control, control_plot
from boringml.adapters.registry_table import RegistryTable
from tests.unit.registry.samples import TABLE

REPORT = {
    "registry": {
        "rows": [
            {"clients": n, "models": m, "writes_per_second": 10.0 * n, "reads_per_second": 50.0 * n}
            for n in (1, 2, 4)
            for m in (n, 1)
        ]
    },
    "jobs": [{"pool": 2, "jobs_per_second": 3.0}, {"pool": 5, "jobs_per_second": 7.0}],
    "release": [
        {"requests_per_second": 5.0, "harmed_seconds": None},
        {"requests_per_second": 50.0, "harmed_seconds": 12.0},
    ],
    "simulation": [
        {"failures": 0.12, "requests_per_minute": 30, "minutes": None},
        {"failures": 0.12, "requests_per_minute": 300, "minutes": [7, 8]},
        {"failures": 1.0, "requests_per_minute": 300, "minutes": [4, 4]},
    ],
}


def test_calls_and_items_of_a_write_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        dynamodb = boto3.client("dynamodb")
        dynamodb.create_table(TableName="registry", **TABLE)
        meter = control.Meter(dynamodb)
        table = RegistryTable(dynamodb, "registry")
        table.register_version(control.version_of("own-1", 1), by="test", why="to count")
        assert meter.calls["TransactWriteItems"] == 1
        assert meter.calls["items in transactions"] >= 2
        meter.calls.clear()
        table.route("own-1")
        assert meter.calls.total() == 1
        assert [one.number for one in table.versions("own-1")] == [1]


def test_more_harm_is_found_sooner_and_more_traffic_helps() -> None:
    control.RATES, before = (300, 3000), control.RATES
    try:
        found = {(r["failures"], r["requests_per_minute"]): r for r in control.simulated()}
    finally:
        control.RATES = before
    minutes = {key: row["minutes"] for key, row in found.items()}
    assert minutes[1.0, 300] <= minutes[0.12, 300]
    assert minutes[0.12, 3000] <= minutes[0.12, 300]
    assert all(row["harm"] == control.RUNS for (f, _), row in found.items() if f >= 0.12)


def test_the_plot_is_a_picture_whatever_is_missing() -> None:
    picture = ElementTree.fromstring(control_plot.drawn(REPORT))
    texts = [one.text for one in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert "writes, one model" in texts
    assert "12.0% fail" in texts
