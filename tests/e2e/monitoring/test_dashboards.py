"""The dashboards of the deployed stack: filled in, they are what CloudWatch takes."""

import json

import jsonschema
import pytest

from local.paths import ROOT
from tests.e2e.conftest import Stack
from tests.e2e.monitoring.test_alarms import alarms_of

pytestmark = pytest.mark.local_aws

SCHEMA = json.loads((ROOT / "dashboards/dashboard.schema.json").read_text())


def test_each_dashboard_is_in_the_grammar_and_shows_each_alarm(stack: Stack) -> None:
    cloudwatch = stack.local_aws.client("cloudwatch")
    names = [
        entry["DashboardName"]
        for entry in cloudwatch.list_dashboards(DashboardNamePrefix="e2e-one-")["DashboardEntries"]
    ]
    assert len(names) == 4
    bodies = [
        json.loads(cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"]) for name in names
    ]
    for body in bodies:
        jsonschema.Draft202012Validator(SCHEMA).validate(body)
        assert "${MetricsNamespace}" not in json.dumps(body)
    shown = {
        arn
        for body in bodies
        for widget in body["widgets"]
        for arn in widget["properties"].get("alarms", [])
    }
    assert shown == {alarm["AlarmArn"] for alarm in alarms_of(stack)}
    (series,) = {
        entry[0]["expression"]
        for body in bodies
        for widget in body["widgets"]
        for entry in widget["properties"].get("metrics", [])
        if isinstance(entry[0], dict) and 'model="credit"' in entry[0]["expression"]
    }
    assert series.startswith('SEARCH(\'{"BoringML/e2e-one","model",')
