"""Every alarm says what to do, reaches somebody, and decides what missing data mean."""

import json
import re
from typing import Any

import pytest
import typer.main
import yaml

from boringml_cli.main import app
from tests.contract.template.test_wiring import RESOURCES, ROOT, Loader

TYPES = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
ALARMS = {
    identity: resource["Properties"]
    for identity, (_, _, resource) in RESOURCES.items()
    if resource["Type"] in TYPES
}
METRIC_ALARMS = {i: a for i, a in ALARMS.items() if "AlarmRule" not in a}
PAGES = {
    f"docs/runbooks/{path.name}": path.read_text()
    for path in (ROOT / "docs/runbooks").glob("*.md")
    if path.name != "README.md"
}
TEMPLATE = yaml.load((ROOT / "template.yaml").read_text(), Loader)
TEXT = (ROOT / "template.yaml").read_text()
MODELS = {
    path.parent.name: yaml.safe_load(path.read_text())
    for path in sorted((ROOT / "models").glob("*/model.yaml"))
}


def runbook(alarm: dict[str, Any]) -> str:
    found = re.search(r"\. Runbook: (docs/runbooks/[\w-]+\.md)$", alarm["AlarmDescription"])
    assert found, alarm["AlarmDescription"]
    return found[1]


def rung_by_a_composite(identity: str) -> bool:
    """Return whether the template of an alarm hands it to a composite alarm that has an action."""
    file, _, name = identity.partition(":")
    rules = [
        str(resource)
        for other, (_, _, resource) in RESOURCES.items()
        if other.startswith(f"{file}:")
        and (
            resource["Type"] == "AWS::CloudWatch::CompositeAlarm"
            or resource.get("Properties", {}).get("Location") == "watch.yaml"
        )
    ]
    return any(f'ALARM("${{{name}}}")' in rule for rule in rules)


@pytest.mark.parametrize("identity", ALARMS)
def test_an_alarm_names_a_runbook_that_names_it(identity: str) -> None:
    page = runbook(ALARMS[identity])
    assert page in PAGES
    # An e-mail has the alarm's name: whoever searches the runbooks for it finds its page.
    assert f"`{identity.partition(':')[2]}`" in PAGES[page]


def test_each_runbook_is_one_of_an_alarm() -> None:
    assert {runbook(alarm) for alarm in ALARMS.values()} == set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_a_runbook_says_what_whoever_is_woken_asks(page: str) -> None:
    asked = ("Look first", "A false alarm", "Do", "Over when")
    headings = re.findall(r"^## (.+)$", PAGES[page], re.MULTILINE)
    assert [heading for heading in asked if heading not in headings] == []
    first = PAGES[page].partition("## Look first")[2].partition("\n## ")[0]
    assert re.search(r"^```\n(boringml|aws) ", first, re.MULTILINE), "no command to paste"


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_runbook_are_there(page: str) -> None:
    command = typer.main.get_command(app)
    known = set(getattr(command, "commands", {}))
    assert set(re.findall(r"\bboringml ([a-z]+)", PAGES[page])) <= known


@pytest.mark.parametrize("identity", ALARMS)
def test_an_alarm_rings_itself_or_by_its_composite_alarm_and_not_by_both(identity: str) -> None:
    assert bool(ALARMS[identity].get("AlarmActions")) != rung_by_a_composite(identity)


@pytest.mark.parametrize("identity", METRIC_ALARMS)
def test_an_alarm_says_what_missing_data_mean(identity: str) -> None:
    assert METRIC_ALARMS[identity]["TreatMissingData"] in {"breaching", "notBreaching", "ignore"}


@pytest.mark.parametrize("identity", METRIC_ALARMS)
def test_an_alarm_looks_no_further_than_cloudwatch_does(identity: str) -> None:
    """PutMetricAlarm: a day in all for periods below an hour, a week for others."""
    alarm = METRIC_ALARMS[identity]
    if not isinstance(alarm.get("Period"), int) or not isinstance(alarm["EvaluationPeriods"], int):
        return  # a parameter: its own bound says it
    days = 7 if alarm["Period"] >= 3600 else 1
    assert alarm["Period"] * alarm["EvaluationPeriods"] <= days * 86_400
    assert alarm.get("DatapointsToAlarm", 1) <= alarm["EvaluationPeriods"]


def test_an_alarm_on_a_percentile_asks_for_enough_samples() -> None:
    """A percentile wants 10 / (1 - p) samples ("Percentile-based alarms and low data samples")."""
    for pattern in ("online", "async"):
        template = yaml.load((ROOT / f"patterns/{pattern}.yaml").read_text(), Loader)
        least = template["Parameters"]["SlowRequests"]["Default"]
        alarm = template["Resources"]["SlowAlarm"]["Properties"]
        (p95,) = [q for q in alarm["Metrics"] if q["Id"] == "p95"]
        assert least >= 10 / (1 - float(p95["MetricStat"]["Stat"].removeprefix("p")) / 100) - 1e-6
        assert "IF(FILL(requests, 0) >= ${SlowRequests}, p95, 0)" in str(alarm)


def test_each_look_that_a_schedule_asks_for_is_missed_when_it_does_not_run() -> None:
    alarm = TEMPLATE["Resources"]["LooksMissingAlarm"]
    assert alarm["Condition"] == "LooksBySchedule"
    assert TEMPLATE["Conditions"]["LooksBySchedule"] == [
        ["Environments", "Environment", "Monitoring"],
        "ENABLED",
    ]
    watched = {
        query["MetricStat"]["Metric"]["Dimensions"][0]["Value"]
        for query in alarm["Properties"]["Metrics"]
        if "MetricStat" in query
    }
    scheduled = {
        name
        for name, resource in TEMPLATE["Resources"].items()
        for event in (resource.get("Properties", {}).get("Events") or {}).values()
        if (event.get("Properties") or {}).get("State")
        == ["Environments", "Environment", "Monitoring"]
    }
    assert watched == scheduled
    assert len(watched) == 4
    ids = re.findall(r"FILL\((\w+), 0\)", str(alarm["Properties"]["Metrics"][0]["Expression"]))
    assert sorted(ids) == sorted(q["Id"] for q in alarm["Properties"]["Metrics"][1:])


def test_the_logical_ids_that_names_of_alarms_are_made_of_begin_with_a_capital() -> None:
    """By that boringml.adapters.alarms tells the stack boringml from the stack boringml-dev."""
    made = [
        identity.partition(":")[2]
        for identity, (_, _, resource) in RESOURCES.items()
        if resource["Type"] in (*TYPES, "AWS::Serverless::Application")
    ]
    assert made
    assert [name for name in made if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name)] == []


def pascal(name: str) -> str:
    return "".join(part.capitalize() for part in re.split(r"[^A-Za-z0-9]+", name))


def instances() -> dict[str, dict[str, Any]]:
    """Return the parameters of the instance of each model."""
    return {
        resource["Properties"]["Parameters"]["ModelName"]: resource["Properties"]["Parameters"]
        for resource in TEMPLATE["Resources"].values()
        if str(resource.get("Properties", {}).get("Location", "")).startswith("patterns/")
        and "ModelName" in resource["Properties"]["Parameters"]
    }


@pytest.mark.parametrize("model", MODELS)
def test_a_model_rings_at_the_team_that_owns_it(model: str) -> None:
    topic = instances()[model]["AlertsTopic"]
    assert topic == f"{pascal(MODELS[model]['owner'])}Team.Outputs.AlertsTopic"
    team = TEMPLATE["Resources"][topic.partition(".")[0]]
    assert team["Properties"]["Location"] == "patterns/team.yaml"


@pytest.mark.parametrize("model", MODELS)
def test_a_model_is_watched_as_it_declares(model: str) -> None:
    declared, given = MODELS[model], instances()[model]
    traffic = declared["monitoring"]["traffic"]
    switch = ["Environments", "Environment", "WatchTraffic"] if traffic["expected"] else "false"
    assert given["WatchTraffic"] == switch
    if traffic["expected"]:
        minutes = given.get("TrafficMinutes")
        hours = given.get("TrafficHours")
        assert traffic["minutes"] == (int(minutes) if minutes else 60 * int(hours))
    if "smoke" in declared["release"]:
        assert float(given["P95Millis"]) == declared["release"]["smoke"]["p95_ms"]


def test_traffic_is_watched_in_prod_alone() -> None:
    environments = TEMPLATE["Mappings"]["Environments"]
    watched = {name for name, values in environments.items() if values["WatchTraffic"] == "true"}
    assert watched == {"prod"}


@pytest.mark.parametrize("topic", ["template.yaml:AlertsTopic", "team.yaml:AlertsTopic"])
def test_cloudwatch_may_publish_to_a_topic_of_alarms(topic: str) -> None:
    """The local AWS does not ask the topic's policy."""
    _, _, policy = RESOURCES[topic.replace("AlertsTopic", "AlertsTopicPolicy")]
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    (alarms,) = [s for s in statements if s["Sid"] == "Alarms"]
    assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert (alarms["Action"], alarms["Resource"]) == ("sns:Publish", "AlertsTopic")
    assert json.dumps(alarms["Condition"]) == json.dumps(
        {"StringEquals": {"aws:SourceAccount": "AWS::AccountId"}}
    )
