"""Metrics out of log lines, and alarms on them."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.server import LocalAWS
from tests.integration.local.conftest import MakeFunction, deploy_template, unique, until

NAMESPACE = "BoringML"
EMF = """
import json, time
def handler(event, context):
    print(json.dumps({"_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [
        {"Namespace": "BoringML", "Dimensions": [["Model"], ["Model", "Version"], []],
         "Metrics": [{"Name": event["metric"], "Unit": "Milliseconds"}]}]},
        "Model": "credit", "Version": "3", event["metric"]: event["values"]}))
"""


def statistics(
    local_aws: LocalAWS, metric: str, dimensions: dict[str, str], namespace: str = NAMESPACE
) -> dict[str, Any]:
    """Return Sum, SampleCount and p50 of a metric over the last hours, or an empty mapping."""
    now = datetime.now(UTC)
    points = local_aws.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Statistics=["Sum", "SampleCount"],
        ExtendedStatistics=["p50"],
        Period=86400,
        StartTime=now - timedelta(days=2),
        EndTime=now + timedelta(hours=1),
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
    )["Datapoints"]
    return points[-1] if points else {}


def test_an_emf_line_is_one_metric_per_dimension_set(
    local_aws: LocalAWS, make_function: MakeFunction, invoke: Callable[..., Any]
) -> None:
    metric = unique("latency")
    invoke(make_function(EMF), {"metric": metric, "values": [1, 2, 30]})
    for dimensions in ({"Model": "credit"}, {"Model": "credit", "Version": "3"}, {}):
        found = statistics(local_aws, metric, dimensions)
        assert (found["Sum"], found["SampleCount"]) == (33, 3)
        assert found["Unit"] == "Milliseconds"
        assert found["ExtendedStatistics"]["p50"] == 2
    assert statistics(local_aws, metric, {"Model": "other"}) == {}


def test_a_value_that_is_seen_again_counts_again(
    local_aws: LocalAWS, make_function: MakeFunction, invoke: Callable[..., Any]
) -> None:
    metric = unique("latency")
    function = make_function(EMF)
    for values in ([1, 2, 2], [2, 30, 30, 30, 30]):
        invoke(function, {"metric": metric, "values": values})
    found = statistics(local_aws, metric, {"Model": "credit"})
    assert (found["Sum"], found["SampleCount"]) == (127, 8)
    assert found["ExtendedStatistics"]["p50"] == 16


def log_line(local_aws: LocalAWS, message: str) -> None:
    """Write one line to a new log group."""
    logs = local_aws.client("logs")
    group = unique("group")
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    event = {"timestamp": int(time.time() * 1000), "message": message}
    logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=[event])


@pytest.mark.parametrize(
    "change",
    [{"Model": 3}, {"Model": None}, {"Value": "12"}, {"Value": list(range(101))}],
)
def test_an_emf_line_that_breaks_the_specification_is_counted_as_invalid(
    local_aws: LocalAWS, change: dict[str, Any]
) -> None:
    metric = unique("invalid")
    before = statistics(local_aws, "EMFValidationErrors", {}, "AWS/Logs").get("Sum", 0)
    directive = {"Namespace": NAMESPACE, "Dimensions": [["Model"]], "Metrics": [{"Name": metric}]}
    aws = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
    changed = {metric if key == "Value" else key: value for key, value in change.items()}
    log_line(local_aws, json.dumps({"_aws": aws, "Model": "credit", metric: 1, **changed}))
    assert statistics(local_aws, "EMFValidationErrors", {}, "AWS/Logs")["Sum"] == before + 1
    assert statistics(local_aws, metric, {"Model": "credit"}) == {}


class Alarm:
    """An alarm on a metric of its own, and the events of its changes."""

    def __init__(self, local_aws: LocalAWS, **options: Any) -> None:
        self.name = unique("alarm")
        self._cloudwatch = local_aws.client("cloudwatch")
        self._sqs = local_aws.client("sqs")
        self._queue = self._sqs.create_queue(QueueName=self.name)["QueueUrl"]
        events = local_aws.client("events")
        pattern = {"source": ["aws.cloudwatch"], "detail": {"alarmName": [self.name]}}
        events.put_rule(Name=self.name, EventPattern=json.dumps(pattern))
        arn = f"arn:aws:sqs:us-east-1:000000000000:{self.name}"
        events.put_targets(Rule=self.name, Targets=[{"Id": "queue", "Arn": arn}])
        self._cloudwatch.put_metric_alarm(
            AlarmName=self.name,
            Namespace=NAMESPACE,
            MetricName=self.name,
            Dimensions=[{"Name": "Model", "Value": "credit"}],
            **{
                "Statistic": "Sum",
                "Period": 10,
                "EvaluationPeriods": 1,
                "Threshold": 1,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                **options,
            },
        )

    def put(self, value: float, model: str = "credit", age: float = 0) -> None:
        """Publish a value, `age` seconds old."""
        moment = datetime.now(UTC) - timedelta(seconds=age)
        dimensions = [{"Name": "Model", "Value": model}]
        self._cloudwatch.put_metric_data(
            Namespace=NAMESPACE,
            MetricData=[
                {
                    "MetricName": self.name,
                    "Value": value,
                    "Timestamp": moment,
                    "Dimensions": dimensions,
                }
            ],
        )

    def state(self) -> str:
        """Return the state of the alarm."""
        alarms = self._cloudwatch.describe_alarms(AlarmNames=[self.name])["MetricAlarms"]
        return str(alarms[0]["StateValue"])

    def event(self) -> Any:
        """Return the next event of a change, waiting for it."""

        def receive() -> Any:
            return self._sqs.receive_message(QueueUrl=self._queue, WaitTimeSeconds=1).get(
                "Messages"
            )

        message = until(receive)[0]
        self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return json.loads(message["Body"])


def test_an_alarm_looks_at_its_own_dimensions_only(local_aws: LocalAWS) -> None:
    alarm = Alarm(local_aws)
    alarm.put(5, model="other")
    assert alarm.state() == "INSUFFICIENT_DATA"
    alarm.put(5)
    assert alarm.state() == "ALARM"


def test_a_change_of_an_alarm_is_an_event(local_aws: LocalAWS) -> None:
    alarm = Alarm(local_aws)
    alarm.put(5)
    event = alarm.event()
    assert event["detail-type"] == "CloudWatch Alarm State Change"
    detail = event["detail"]
    assert (detail["previousState"]["value"], detail["state"]["value"]) == (
        "INSUFFICIENT_DATA",
        "ALARM",
    )
    metric = detail["configuration"]["metrics"][0]["metricStat"]["metric"]
    assert metric["dimensions"] == {"Model": "credit"}


@pytest.mark.parametrize(
    ("treatment", "state"),
    [
        ("missing", "INSUFFICIENT_DATA"),
        ("ignore", "INSUFFICIENT_DATA"),
        ("breaching", "ALARM"),
        ("notBreaching", "OK"),
    ],
)
def test_missing_data_counts_as_the_alarm_says(
    local_aws: LocalAWS, treatment: str, state: str
) -> None:
    assert Alarm(local_aws, TreatMissingData=treatment).state() == state


def test_an_alarm_needs_m_of_n_periods(local_aws: LocalAWS) -> None:
    alarm = Alarm(local_aws, EvaluationPeriods=3, DatapointsToAlarm=2)
    alarm.put(5)
    alarm.put(0, age=12)
    assert alarm.state() == "OK"
    alarm.put(5, age=22)
    assert alarm.state() == "ALARM"


def test_an_alarm_recovers_when_time_has_passed_with_no_request(local_aws: LocalAWS) -> None:
    alarm = Alarm(local_aws, TreatMissingData="notBreaching")
    assert alarm.event()["detail"]["state"]["value"] == "OK"
    alarm.put(5, age=8)
    assert alarm.event()["detail"]["state"]["value"] == "ALARM"
    assert alarm.event()["detail"]["state"]["value"] == "OK"


def test_an_alarm_tells_a_function(
    local_aws: LocalAWS, make_function: MakeFunction, invoke: Callable[..., Any]
) -> None:
    name = make_function("def handler(event, context): print('told', event['alarmArn'])\n")
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    local_aws.client("lambda").add_permission(
        FunctionName=name,
        StatementId="alarm",
        Action="lambda:InvokeFunction",
        Principal="lambda.alarms.cloudwatch.amazonaws.com",
        SourceAccount="000000000000",
    )
    alarm = Alarm(local_aws, AlarmActions=[arn])
    alarm.put(5)
    logs = local_aws.client("logs")

    def told() -> Any:
        groups = logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"]
        return (
            groups
            and logs.filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern="told")[
                "events"
            ]
        )

    assert alarm.name in until(told)[0]["message"]


@pytest.mark.parametrize(
    ("state", "metric"), [("Succeed", "ExecutionsSucceeded"), ("Fail", "ExecutionsFailed")]
)
def test_executions_are_counted_by_how_they_end(
    local_aws: LocalAWS, role: str, state: str, metric: str
) -> None:
    client = local_aws.client("stepfunctions")
    definition = {"StartAt": "End", "States": {"End": {"Type": state}}}
    arn = client.create_state_machine(
        name=unique("machine"), definition=json.dumps(definition), roleArn=role
    )["stateMachineArn"]
    client.start_execution(stateMachineArn=arn)
    dimensions = {"StateMachineArn": arn}
    for name in ("ExecutionsStarted", metric):
        found = until(lambda name=name: statistics(local_aws, name, dimensions, "AWS/States"))
        assert found["Sum"] == 1


def test_messages_of_a_queue_are_counted(local_aws: LocalAWS) -> None:
    sqs, name = local_aws.client("sqs"), unique("queue")
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="one")
    metric, dimensions = "ApproximateNumberOfMessagesVisible", {"QueueName": name}
    assert until(lambda: statistics(local_aws, metric, dimensions, "AWS/SQS"))["Sum"] >= 1


class MathAlarm:
    """An alarm of a template on an expression over two metrics, a and b."""

    def __init__(self, local_aws: LocalAWS, expression: str) -> None:
        self._cloudwatch = local_aws.client("cloudwatch")
        self._namespace = unique("math")
        queries = [
            {
                "Id": name,
                "ReturnData": False,
                "MetricStat": {
                    "Metric": {"Namespace": self._namespace, "MetricName": name},
                    "Period": 10,
                    "Stat": "Sum",
                },
            }
            for name in ("a", "b")
        ]
        alarm = {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "Metrics": [{"Id": "c", "Expression": expression}, *queries],
                "EvaluationPeriods": 1,
                "Threshold": 5,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "TreatMissingData": "notBreaching",
            },
        }
        outputs = {"Name": {"Value": {"Ref": "Alarm"}}}
        template = {"Resources": {"Alarm": alarm}, "Outputs": outputs}
        self.name = deploy_template(local_aws, unique("alarms"), template)["Name"]

    def put(self, **values: float) -> None:
        """Publish values of metrics."""
        self._cloudwatch.put_metric_data(
            Namespace=self._namespace,
            MetricData=[{"MetricName": name, "Value": value} for name, value in values.items()],
        )

    def state(self) -> str:
        """Return the state of the alarm."""
        alarms = self._cloudwatch.describe_alarms(AlarmNames=[self.name])["MetricAlarms"]
        return str(alarms[0]["StateValue"])


SHARE = "IF(FILL(a, 0) / b >= 0.05, FILL(a, 0), 0)"


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({"a": 5, "b": 100}, "ALARM"),
        ({"a": 4, "b": 4}, "OK"),  # all fail, but few
        ({"a": 5, "b": 101}, "OK"),  # enough, but a small share
        ({"b": 100}, "OK"),
        ({"a": 100}, "OK"),  # no data
        ({"a": 100, "b": 0}, "OK"),  # no data: nothing is divided by 0
    ],
)
def test_an_alarm_of_a_template_may_watch_an_expression(
    local_aws: LocalAWS, values: dict[str, float], state: str
) -> None:
    alarm = MathAlarm(local_aws, SHARE)
    until(lambda: alarm.state() == "OK")
    alarm.put(**values)
    assert alarm.state() == state


@pytest.mark.parametrize(
    "expression",
    ["SUM(METRICS())", "a AND b", "ANOMALY_DETECTION_BAND(a)", "a ** b", "d", "a > b > 1"],
)
def test_an_expression_that_is_not_emulated_is_refused(
    local_aws: LocalAWS, expression: str
) -> None:
    with pytest.raises(Exception, match="Waiter StackCreateComplete failed"):
        MathAlarm(local_aws, expression)


class Composite:
    """A composite alarm of a template over two others, and the queue that its topic tells."""

    def __init__(self, local_aws: LocalAWS, rule: str, **properties: Any) -> None:
        self._cloudwatch = local_aws.client("cloudwatch")
        self._sqs = local_aws.client("sqs")
        self._stack = unique("composite")
        sns = local_aws.client("sns")
        topic = sns.create_topic(Name=self._stack)["TopicArn"]
        arn = f"arn:aws:sqs:us-east-1:000000000000:{self._stack}"
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._queue = self._sqs.create_queue(QueueName=self._stack, Attributes={"Policy": policy})[
            "QueueUrl"
        ]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        children = {
            name: {
                "Type": "AWS::CloudWatch::Alarm",
                "Properties": {
                    "Namespace": self._stack,
                    "MetricName": name,
                    "Statistic": "Sum",
                    "Period": 10,
                    "EvaluationPeriods": 1,
                    "Threshold": 1,
                    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                    "TreatMissingData": "notBreaching",
                },
            }
            for name in ("A", "B")
        }
        composite = {
            "Type": "AWS::CloudWatch::CompositeAlarm",
            "Properties": {
                "AlarmDescription": "both",
                "AlarmRule": {"Fn::Sub": rule},
                "AlarmActions": [topic],
                **properties,
            },
        }
        outputs = {name: {"Value": {"Ref": name}} for name in ("A", "B", "Composite")}
        outputs["Arn"] = {"Value": {"Fn::GetAtt": ["Composite", "Arn"]}}
        self._template = {"Resources": {**children, "Composite": composite}, "Outputs": outputs}
        self.outputs = deploy_template(local_aws, self._stack, self._template)

    def put(self, metric: str, age: float = 0) -> None:
        """Publish what makes a child ring, `age` seconds old."""
        moment = datetime.now(UTC) - timedelta(seconds=age)
        datum: Any = {"MetricName": metric, "Value": 1, "Timestamp": moment}
        self._cloudwatch.put_metric_data(Namespace=self._stack, MetricData=[datum])

    def state(self) -> str:
        """Return the state of the composite alarm."""
        alarms = self._cloudwatch.describe_alarms(
            AlarmNames=[self.outputs["Composite"]], AlarmTypes=["CompositeAlarm"]
        )["CompositeAlarms"]
        return str(alarms[0]["StateValue"])

    def told(self) -> list[str]:
        """Return the states that the topic told of, waiting for one."""

        def receive() -> Any:
            answer = self._sqs.receive_message(
                QueueUrl=self._queue, WaitTimeSeconds=1, MaxNumberOfMessages=10
            )
            return answer.get("Messages")

        messages = until(receive)
        for message in messages:
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        bodies = [json.loads(message["Body"]) for message in messages]
        return [json.loads(body["Message"])["NewStateValue"] for body in bodies]

    def delete(self, local_aws: LocalAWS) -> None:
        """Delete the stack."""
        client = local_aws.client("cloudformation")
        client.delete_stack(StackName=self._stack)
        client.get_waiter("stack_delete_complete").wait(
            StackName=self._stack, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300}
        )

    def change(self, local_aws: LocalAWS, rule: str) -> None:
        """Give it another rule."""
        self._template["Resources"]["Composite"]["Properties"]["AlarmRule"] = {"Fn::Sub": rule}
        deploy_template(local_aws, self._stack, self._template, update=True)


@pytest.mark.parametrize(
    ("rule", "puts", "state"),
    [
        ('ALARM("${A}") OR ALARM("${B}")', "B", "ALARM"),
        ('ALARM("${A}") AND ALARM("${B}")', "B", "OK"),
        ('ALARM("${A}") AND ALARM("${B}")', "AB", "ALARM"),
        ('ALARM("${A}") AND NOT ALARM("${B}")', "AB", "OK"),
        ('FALSE OR ALARM("${A}")', "A", "ALARM"),
    ],
)
def test_a_composite_alarm_of_a_template_follows_its_children(
    local_aws: LocalAWS, rule: str, puts: str, state: str
) -> None:
    composite = Composite(local_aws, rule)
    assert composite.state() == "OK"
    for metric in puts:
        composite.put(metric)
    assert composite.state() == state


def test_a_composite_alarm_rings_once_for_all_of_its_children(local_aws: LocalAWS) -> None:
    composite = Composite(local_aws, 'ALARM("${A}") OR ALARM("${B}")')
    composite.put("A")
    composite.put("B")
    assert composite.told() == ["ALARM"]
    until(lambda: composite.state() == "OK")
    composite.put("B")
    assert composite.told() == ["ALARM"]


def test_a_composite_alarm_keeps_its_state_and_takes_another_rule(local_aws: LocalAWS) -> None:
    composite = Composite(local_aws, 'ALARM("${A}")')
    composite.put("B")
    assert composite.state() == "OK"
    composite.change(local_aws, 'ALARM("${B}")')
    assert composite.state() == "ALARM"
    assert composite.outputs["Arn"].endswith(f":alarm:{composite.outputs['Composite']}")
    composite.delete(local_aws)
    names = [composite.outputs[name] for name in ("A", "Composite")]
    found = local_aws.client("cloudwatch").describe_alarms(
        AlarmNames=names, AlarmTypes=["CompositeAlarm", "MetricAlarm"]
    )
    assert (found["MetricAlarms"], found["CompositeAlarms"]) == ([], [])


@pytest.mark.parametrize(
    ("rule", "properties"),
    [
        ('ALARM("nobody")', {}),
        ('ALARM("${A}") XOR ALARM("${B}")', {}),
        ('ALARM("${A}")', {"ActionsSuppressor": "x", "ActionsSuppressorWaitPeriod": 60}),
    ],
)
def test_a_composite_alarm_that_would_not_work_is_refused(
    local_aws: LocalAWS, rule: str, properties: dict[str, Any]
) -> None:
    with pytest.raises(Exception, match="Waiter StackCreateComplete failed"):
        Composite(local_aws, rule, **properties)
