"""Each alarm of the deployed stack is made to ring, and whoever should hear of it does."""

import json
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from local.paths import ROOT
from tests.contract.template.test_wiring import Loader
from tests.e2e.conftest import Stack
from tests.e2e.monitoring.firing import CHILDREN, QUEUES, Firing, in_order, logical_id

pytestmark = pytest.mark.local_aws

PREFIX = "e2e-one-"
MODELS = {"CreditOnline": "credit", "ReviewsAsync": "reviews", "ChurnBatch": "churn"}
TEAMS = {"credit": "CreditRiskTeam", "reviews": "CustomerVoiceTeam", "churn": "CustomerCareTeam"}
Alarm = dict[str, Any]


def model_of(alarm: Alarm) -> str | None:
    """Return the model that an alarm is of, None of the platform's."""
    found = [model for part, model in MODELS.items() if f"-{part}-" in alarm["AlarmName"]]
    return found[0] if found else None


def label(alarm: Alarm) -> str:
    """Return an alarm as people call it."""
    return f"{model_of(alarm) or 'platform'}: {logical_id(alarm['AlarmName'])}"


def alarms_of(stack: Stack, prefix: str = PREFIX) -> list[Alarm]:
    """Return the alarms of the stack and its nested ones, composite ones too."""
    pages = stack.local_aws.client("cloudwatch").get_paginator("describe_alarms")
    return [
        alarm
        for page in pages.paginate(
            AlarmNamePrefix=prefix, AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        for alarm in (*page["MetricAlarms"], *page["CompositeAlarms"])
    ]


class Listener:
    """A queue that topics tell of alarms, and what it heard."""

    def __init__(self, stack: Stack, topics: set[str]) -> None:
        self._sqs = stack.local_aws.client("sqs")
        sns = stack.local_aws.client("sns")
        name = f"alarms-{uuid.uuid4().hex[:8]}"
        arn = f"arn:aws:sqs:us-east-1:000000000000:{name}"
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": sorted(topics)}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        created = self._sqs.create_queue(QueueName=name, Attributes={"Policy": policy})
        self._url = created["QueueUrl"]
        for topic in topics:
            sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        # Rings, as (alarm, topic).
        self.rung: Counter[tuple[str, str]] = Counter()

    def listen(self) -> None:
        """Take what has come."""
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in messages:
                body = json.loads(message["Body"])
                told = json.loads(body["Message"])
                # Our own events are told there as well.
                if told.get("NewStateValue") == "ALARM":
                    self.rung[told["AlarmName"], body["TopicArn"]] += 1
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])


class Ledger:
    """How each alarm was fired, and after how many seconds it was seen to ring."""

    def __init__(self) -> None:
        self._how: dict[str, tuple[str, str, float]] = {}
        self.seconds: dict[str, float] = {}

    def note(self, alarm: Alarm, how: str, begin: float) -> None:
        """Note how an alarm is fired."""
        self._how[alarm["AlarmName"]] = (label(alarm), how, begin)

    def see(self, rung: set[str]) -> None:
        """Note which rang by now."""
        now = time.monotonic()
        for name in rung & self._how.keys():
            self.seconds.setdefault(name, now - self._how[name][2])

    def whole(self) -> bool:
        """Return whether all rang."""
        return self.seconds.keys() == self._how.keys()

    def lines(self) -> Iterator[str]:
        """Yield a line for each alarm."""
        for name, (shown, how, _) in sorted(self._how.items(), key=lambda item: item[1]):
            seconds = self.seconds.get(name)
            rang = "did not ring" if seconds is None else f"{seconds:5.1f} s"
            yield f"{shown:36} {how:34} {rang}"


def rung_since(stack: Stack, begin: datetime) -> set[str]:
    """Return the alarms that went to ALARM since then, though they be over."""
    pages = stack.local_aws.client("cloudwatch").get_paginator("describe_alarm_history")
    return {
        item["AlarmName"]
        for page in pages.paginate(
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            HistoryItemType="StateUpdate",
            StartDate=begin,
            PaginationConfig={"PageSize": 100},
        )
        for item in page["AlarmHistoryItems"]
        if item["HistorySummary"].endswith("to ALARM")
    }


def settled_alarms(stack: Stack, seconds: float = 5) -> list[Alarm]:
    """Return the alarms once no state has changed for so long: each is looked at every second."""
    alarms: list[Alarm] = []
    seen: dict[str, str] = {}
    since = time.monotonic()

    def settled() -> bool:
        nonlocal alarms, seen, since
        alarms = alarms_of(stack)
        now = {alarm["AlarmName"]: alarm["StateValue"] for alarm in alarms}
        if now != seen:
            seen, since = now, time.monotonic()
        return time.monotonic() - since > seconds

    stack.until(settled, "what other tests did is seen", 120)
    return alarms


def test_each_alarm_rings_once_at_its_team(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger, cloudwatch = Ledger(), stack.local_aws.client("cloudwatch")
    alarms = settled_alarms(stack)
    composites = [alarm for alarm in alarms if "AlarmRule" in alarm]
    listener = Listener(stack, {action for alarm in alarms for action in alarm["AlarmActions"]})
    firing = Firing(
        stack,
        {"credit": log_group(stack, "CreditOnline"), "reviews": log_group(stack, "ReviewsAsync")},
        {"credit": stack.outputs["CreditFunction"], "reviews": stack.outputs["ReviewsFunction"]},
    )

    listener.listen()
    listener.rung.clear()
    begin = datetime.now(UTC).replace(microsecond=0)  # as fine as the local AWS keeps it
    # What other tests left ringing would ring no more: where its data still say so, it does now.
    for alarm in alarms:
        if alarm["StateValue"] == "ALARM":
            cloudwatch.set_alarm_state(
                AlarmName=alarm["AlarmName"], StateValue="OK", StateReason="a test begins"
            )

    for composite in composites:
        ledger.note(composite, CHILDREN, time.monotonic())
    for alarm in in_order(alarm for alarm in alarms if "AlarmRule" not in alarm):
        fired = time.monotonic()
        ledger.note(alarm, firing.fire(alarm, model_of(alarm) or ""), fired)

    ringing = {alarm["AlarmName"] for alarm in alarms if alarm["AlarmActions"]}

    def all_rang() -> bool:
        ledger.see(rung_since(stack, begin))
        listener.listen()
        return ledger.whole() and ringing <= {name for name, _ in listener.rung}

    try:
        stack.until(all_rang, "all alarms rang", 90)
    finally:
        for queue in QUEUES.values():
            firing.clear(queue)
        with capsys.disabled():
            print("\n" + "\n".join(ledger.lines()))

    # Each at the topic of its team, and once: a child of a composite alarm by that alone.
    assert {name for name, _ in listener.rung} == ringing
    for alarm in alarms:
        if alarm["AlarmActions"]:
            (topic,) = alarm["AlarmActions"]
            model = model_of(alarm)
            assert (TEAMS[model] in topic) if model else ("Team" not in topic)
            assert listener.rung[alarm["AlarmName"], topic] == 1, label(alarm)
    assert {model_of(alarm) for alarm in composites} == set(TEAMS)

    # A promotion of another test must not be taken back for ours.
    def live_is_fine() -> bool:
        return all(
            alarm["StateValue"] == "OK"
            for alarm in alarms_of(stack)
            if logical_id(alarm["AlarmName"]) == "LiveFailuresAlarm"
        )

    stack.until(live_is_fine, "the alarms on live are over", 90)


def log_group(stack: Stack, nested: str) -> str:
    """Return the log group of the prediction log of a nested stack."""
    cloudformation = stack.local_aws.client("cloudformation")
    outputs = cloudformation.describe_stacks(StackName=stack.resource(nested))["Stacks"][0]
    found = {item["OutputKey"]: item["OutputValue"] for item in outputs["Outputs"]}
    return str(found["PredictLogGroup"])


def test_looks_that_nobody_asks_for_are_an_alarm(stack: Stack) -> None:
    """It is made where schedules are on: here by its own words, over functions that are made up."""
    name = f"looks-{uuid.uuid4().hex[:8]}"
    alarm = yaml.load((ROOT / "template.yaml").read_text(), Loader)["Resources"][
        "LooksMissingAlarm"
    ]
    properties = {**alarm["Properties"], "AlarmActions": []}
    cloudformation = stack.local_aws.client("cloudformation")
    body = {"Resources": {"Looks": {"Type": alarm["Type"], "Properties": properties}}}
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(body))
    waiter = cloudformation.get_waiter("stack_create_complete")
    waiter.wait(StackName=name, WaiterConfig={"Delay": 0.2, "MaxAttempts": 150})

    def state() -> str:
        return str(alarms_of(stack, name)[0]["StateValue"])

    stack.until(lambda: state() == "ALARM", "no look was ever asked for", 30)
    # What the four are called here: the logical ids that the template refers to.
    asked = [q["MetricStat"]["Metric"] for q in properties["Metrics"] if "MetricStat" in q]
    cloudwatch = stack.local_aws.client("cloudwatch")
    for metric in asked:
        assert state() == "ALARM", "one is missing"
        data = {"MetricName": "Invocations", "Dimensions": metric["Dimensions"], "Value": 1}
        cloudwatch.put_metric_data(Namespace="AWS/Lambda", MetricData=[data])
    stack.until(lambda: state() == "OK", "all of them ran", 30)


def test_no_traffic_is_an_alarm_where_traffic_is_expected(stack: Stack) -> None:
    """It is made in prod alone: here by its template, with a window of a minute."""
    name = f"watch-{uuid.uuid4().hex[:8]}"
    sns, cloudwatch = stack.local_aws.client("sns"), stack.local_aws.client("cloudwatch")
    topic = sns.create_topic(Name=name)["TopicArn"]
    listener = Listener(stack, {topic})
    namespace = f"BoringML/{name}"
    given = {
        "ModelName": "quiet",
        "MetricsNamespace": namespace,
        "AlertsTopic": topic,
        "AnswersRule": "FALSE",
        "WatchTraffic": "true",
        "TrafficPeriods": "1",
    }
    cloudformation = stack.local_aws.client("cloudformation")
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=(ROOT / "patterns/watch.yaml").read_text(),
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()],
        Capabilities=["CAPABILITY_AUTO_EXPAND"],
    )
    waiter = cloudformation.get_waiter("stack_create_complete")
    waiter.wait(StackName=name, WaiterConfig={"Delay": 0.2, "MaxAttempts": 150})

    def states() -> dict[str, str]:
        found = alarms_of(stack, name)
        return {logical_id(alarm["AlarmName"]): alarm["StateValue"] for alarm in found}

    stack.until(lambda: states()["UnhealthyAlarm"] == "ALARM", "nobody asked", 30)

    def told() -> bool:
        listener.listen()
        return [logical_id(alarm) for alarm, _ in listener.rung] == ["UnhealthyAlarm"]

    stack.until(told, "its team was told", 30)
    asked = {
        "MetricName": "requests",
        "Dimensions": [{"Name": "model", "Value": "quiet"}],
        "Value": 1,
    }
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[asked])
    stack.until(lambda: states()["NoTrafficAlarm"] == "OK", "somebody asked", 30)
    assert states()["UnhealthyAlarm"] == "OK"
