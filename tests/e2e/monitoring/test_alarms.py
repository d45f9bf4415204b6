"""Each alarm of the deployed stack is made to ring, and whoever should hear of it does."""

import json
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.paths import ROOT
from tests.e2e.conftest import Stack
from tests.e2e.monitoring.firing import (
    CHILDREN,
    DATA,
    LINE,
    MACHINES,
    MADE,
    QUEUES,
    Firing,
    breach,
    logical_id,
)

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
                if told["NewStateValue"] == "ALARM":
                    self.rung[told["AlarmName"], body["TopicArn"]] += 1
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])


class Ledger:
    """How each alarm was fired, and after how many seconds it rang."""

    def __init__(self) -> None:
        self._how: dict[str, tuple[str, str, float]] = {}
        self.seconds: dict[str, float] = {}

    def fire(self, alarm: Alarm, how: str, act: Callable[[], object]) -> None:
        """Fire an alarm."""
        begin = time.monotonic()
        act()
        self._how[alarm["AlarmName"]] = (label(alarm), how, begin)

    def see(self, alarms: list[Alarm]) -> None:
        """Note which are in ALARM by now."""
        now = time.monotonic()
        for alarm in alarms:
            name = alarm["AlarmName"]
            if alarm["StateValue"] == "ALARM" and name in self._how:
                self.seconds.setdefault(name, now - self._how[name][2])

    def lines(self) -> Iterator[str]:
        """Yield a line for each alarm."""
        for name, (shown, how, _) in sorted(self._how.items(), key=lambda item: item[1]):
            yield f"{shown:36} {how:34} {self.seconds[name]:5.1f} s"


def test_each_alarm_rings_once_at_its_team(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    firing, ledger, cloudwatch = Firing(stack), Ledger(), stack.local_aws.client("cloudwatch")
    alarms = alarms_of(stack)
    metric_alarms = [alarm for alarm in alarms if "AlarmRule" not in alarm]
    composites = [alarm for alarm in alarms if "AlarmRule" in alarm]
    ringing = {action for alarm in alarms for action in alarm["AlarmActions"]}
    listener = Listener(stack, ringing)
    groups = {"credit": "CreditOnline", "reviews": "ReviewsAsync"}
    group = {model: log_group(stack, nested) for model, nested in groups.items()}
    functions = {"credit": "CreditFunction", "reviews": "ReviewsFunction"}

    # What other tests left ringing would ring no more.
    for alarm in alarms:
        if alarm["StateValue"] == "ALARM":
            cloudwatch.set_alarm_state(
                AlarmName=alarm["AlarmName"], StateValue="OK", StateReason="a test begins"
            )
    listener.listen()
    listener.rung.clear()

    for composite in composites:
        ledger.fire(composite, CHILDREN, lambda: None)
    data = []
    for alarm in metric_alarms:
        kind, model = logical_id(alarm["AlarmName"]), model_of(alarm)
        if kind in MACHINES:
            ledger.fire(alarm, MADE, lambda kind=kind: firing.fail(MACHINES[kind]))
        elif kind in QUEUES:
            ledger.fire(alarm, MADE, lambda kind=kind: firing.send(QUEUES[kind]))
        elif kind == "LiveFailuresAlarm":
            act = lambda a=alarm, m=model: firing.fail_live(a, m, group[m])  # noqa: E731
            ledger.fire(alarm, LINE, act)
        elif kind == "SlowAlarm":
            act = lambda a=alarm, m=model: firing.slow_down(a, m, group[m])  # noqa: E731
            ledger.fire(alarm, LINE, act)
        elif kind == "LoadFailuresAlarm":
            ledger.fire(alarm, LINE, lambda m=model: firing.load_nothing(m, group[m]))
        elif kind == "ThrottlesAlarm":
            data += list(breach(alarm))[:-1]  # of the minutes before; this one's are real
            function = stack.outputs[functions[model]]
            ledger.fire(alarm, MADE, lambda f=function: firing.throttle(f, 5))
        else:
            data += breach(alarm)
            ledger.fire(alarm, DATA, lambda: None)
    firing.put(data)

    def all_rang() -> bool:
        ledger.see(alarms_of(stack))
        listener.listen()
        told = {name for name, _ in listener.rung}
        wanted = {alarm["AlarmName"] for alarm in alarms if alarm["AlarmActions"]}
        return ledger.seconds.keys() == {a["AlarmName"] for a in alarms} and wanted <= told

    try:
        stack.until(all_rang, "all alarms rang", 90)
    finally:
        silent = [label(a) for a in alarms if a["AlarmName"] not in ledger.seconds]
        for queue in QUEUES.values():
            firing.clear(queue)
    assert silent == []

    with capsys.disabled():
        print("\n" + "\n".join(ledger.lines()))
    # Each at the topic of its team, and what has a composite alarm by that alone, once.
    heard = {name for name, _ in listener.rung}
    assert heard == {alarm["AlarmName"] for alarm in alarms if alarm["AlarmActions"]}
    for alarm in alarms:
        if alarm["AlarmActions"]:
            (topic,) = alarm["AlarmActions"]
            model = model_of(alarm)
            assert (TEAMS[model] in topic) if model else ("Team" not in topic)
            assert listener.rung[alarm["AlarmName"], topic] == 1, label(alarm)
    assert len(composites) == len(MODELS)

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
