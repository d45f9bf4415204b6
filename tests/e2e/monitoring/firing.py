"""How an alarm is made to ring: by what it is about, else by the data that it watches.

Periods of the local AWS end now, so data of the past are put where an alarm wants several.
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.config import Config

from boringml.serving.prediction_log import PredictionLog, load_failure_line
from local.datasets import credit_records
from tests.e2e.conftest import Stack

# The ways, as the ledger names them.
MADE = "made to happen"
LINE = "by the line that our code writes"
DATA = "by metric data"
CHILDREN = "by its children"

# Seconds. Within the newest minute, and old enough to be over soon; and within the newest five.
NEWEST_AGE = 30.0
SLOW_AGE = 90.0
OWN = "BoringML/"
MACHINES = {
    "TrainFailedAlarm": "TrainStateMachine",
    "ReleaseFailedAlarm": "ReleaseStateMachine",
    "RollbackFailedAlarm": "RollbackStateMachine",
    "BatchFailedAlarm": "BatchStateMachine",
}
QUEUES = {
    "DeadEventsAlarm": "DeadEventsQueue",
    "DeadCallbacksAlarm": "CallbackDeadQueue",
    "DeadJobsAlarm": "ReviewsJobDeadQueue",
}


def logical_id(name: str) -> str:
    """Return the name that a template gives an alarm."""
    return name.rsplit("-", 2)[-2]


def ages(alarm: Mapping[str, Any], period: float, newest: float = NEWEST_AGE) -> list[float]:
    """Return how old data must be to breach so many periods as it takes, the oldest first."""
    wanted = int(alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"])
    return [index * period + newest for index in reversed(range(wanted))]


def breach(alarm: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (namespace, datum) that breach an alarm on one metric, or a sum, in enough periods."""
    beyond = {
        "GreaterThanOrEqualToThreshold": alarm["Threshold"],
        "GreaterThanThreshold": alarm["Threshold"] + 1,
    }[alarm["ComparisonOperator"]]
    # Of several metrics that are added up, one is enough.
    stats = [each["MetricStat"] for each in alarm.get("Metrics", ()) if "MetricStat" in each]
    metric, period = (stats[0]["Metric"], stats[0]["Period"]) if stats else (alarm, alarm["Period"])
    for age in ages(alarm, period):
        yield metric["Namespace"], datum(metric["MetricName"], metric["Dimensions"], beyond, age)


def datum(name: str, dimensions: Any, value: float, age: float) -> dict[str, Any]:
    """Return a datum of PutMetricData, `age` seconds old."""
    moment = datetime.now(UTC) - timedelta(seconds=age)
    return {"MetricName": name, "Dimensions": dimensions, "Value": value, "Timestamp": moment}


def predictions(
    model: str, namespace: str, count: int, *, failed: bool, latency_ms: float, age: float
) -> list[str]:
    """Return the lines of so many predictions, `age` seconds old."""
    constants = {"model": model, "model_version": "0", "function_version": "$LATEST"}
    log = PredictionLog(constants, namespace)
    code = "internal_error" if failed else None
    text = log.lines('"stage":null', [], code=code, failed=failed, latency_ms=latency_ms)
    return [aged(text, age)] * count


def aged(line: str, age: float) -> str:
    """Return a line as it was written some seconds ago."""
    found = json.loads(line)
    found["_aws"]["Timestamp"] -= int(age * 1000)
    return json.dumps(found)


def in_order(alarms: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return alarms as they are to be fired: what is put into one metric, the oldest first."""
    return sorted(alarms, key=lambda alarm: logical_id(alarm["AlarmName"]) != "SlowAlarm")


@dataclass(frozen=True)
class Firing:
    """The stack whose alarms ring, with the log group and function of each model that has one."""

    stack: Stack
    groups: Mapping[str, str]
    functions: Mapping[str, str]
    namespace: str = f"{OWN}e2e-one"

    def fire(self, alarm: Mapping[str, Any], model: str) -> str:
        """Make an alarm ring, and return how. `model` is "" for one of the platform."""
        match logical_id(alarm["AlarmName"]):
            case kind if kind in MACHINES:
                self.fail(MACHINES[kind])
                return MADE
            case kind if kind in QUEUES:
                self.send(QUEUES[kind])
                return MADE
            case "ThrottlesAlarm":
                # Of the minutes before by data; this one's are real.
                self.put(list(breach(alarm))[:-1])
                self.throttle(self.functions[model], int(alarm["Threshold"]))
                return MADE
            case "SlowAlarm":
                self.slow_down(alarm, model)
                return LINE
            case "LiveFailuresAlarm":
                self.fail_live(alarm, model, int(alarm["Threshold"]))
                return LINE
            case "OutageAlarm" if model == "credit":
                # Lambda takes none of them, so that no line and no error of ours tells it.
                self.ask_in_vain(self.most_of(alarm, "failures"))
                return MADE
            case "OutageAlarm":
                self.fail_live(alarm, model, self.most_of(alarm, "attempts"))
                return LINE
            case "LoadFailuresAlarm":
                self.load_nothing(model)
                return LINE
        self.put(breach(alarm))
        return DATA

    def client(self, service: str) -> Any:
        """Return a client of the local AWS."""
        return self.stack.local_aws.client(service)

    def put(self, data: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Publish metric data. AWS would refuse its own namespaces; the local AWS takes them."""
        by_namespace: dict[str, list[dict[str, Any]]] = {}
        for namespace, found in data:
            by_namespace.setdefault(namespace, []).append(found)
        for namespace, found in by_namespace.items():
            # The oldest first, as metrics come.
            found.sort(key=lambda one: one["Timestamp"])
            for index in range(0, len(found), 100):
                self.client("cloudwatch").put_metric_data(
                    Namespace=namespace, MetricData=found[index : index + 100]
                )

    def write(self, group: str, lines: Sequence[str]) -> None:
        """Write lines to a log group of the stack, as a function does."""
        logs, stream = self.client("logs"), f"firing-{time.monotonic_ns()}"
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line} for line in lines]
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)

    def send(self, queue: str) -> None:
        """Put a message on a queue of the stack."""
        self.client("sqs").send_message(QueueUrl=self._queue(queue), MessageBody="nobody's")

    def clear(self, queue: str) -> None:
        """Take our message off again."""
        sqs, url = self.client("sqs"), self._queue(queue)
        for message in sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=1
        ).get("Messages", []):
            if message["Body"] == "nobody's":
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def _queue(self, name: str) -> str:
        return self.stack.outputs.get(name) or self.stack.resource(name)

    def fail(self, machine: str) -> None:
        """Start an execution for a model that nobody has; it fails."""
        name = f"nobody-{time.monotonic_ns()}"
        self.stack.start(machine, name, json.dumps({"model": "nobody", "version": 1, "why": "-"}))

    def throttle(self, function: str, times: int) -> None:
        """Invoke a function while it may run nowhere, and take the refusal for an answer."""
        once = Config(retries={"total_max_attempts": 1})
        client = self.stack.local_aws.client("lambda", config=once)
        with self.taking_nothing(function):
            for _ in range(times):
                try:
                    client.invoke(FunctionName=function, Payload=b"{}")
                except client.exceptions.TooManyRequestsException:
                    continue
                raise AssertionError(f"{function} ran")

    @contextmanager
    def taking_nothing(self, function: str) -> Iterator[None]:
        """Let a function run nowhere, for a while."""
        client = self.client("lambda")
        client.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
        try:
            yield
        finally:
            client.delete_function_concurrency(FunctionName=function)

    def most_of(self, alarm: Mapping[str, Any], counted: str) -> int:
        """Return how many must fail to be half of all: other tests may just have asked, too.

        `counted` is the id of a metric of the alarm that has a value for each request.
        """
        (stat,) = [q["MetricStat"] for q in alarm["Metrics"] if q["Id"] == counted]
        metric, now = stat["Metric"], datetime.now(UTC)
        points = self.client("cloudwatch").get_metric_statistics(
            Namespace=metric["Namespace"],
            MetricName=metric["MetricName"],
            Dimensions=metric["Dimensions"],
            Statistics=["SampleCount"],
            Period=60,
            StartTime=now - timedelta(seconds=int(stat["Period"]) + NEWEST_AGE),
            EndTime=now,
        )["Datapoints"]
        return max(int(alarm["Threshold"]), int(sum(one["SampleCount"] for one in points)) + 1)

    def ask_in_vain(self, times: int) -> None:
        """Ask the model credit while its function takes nothing: the API answers 5xx."""
        with self.taking_nothing(self.functions["credit"]):
            for _ in range(times):
                answer = self.stack.api.predict("credit", credit_records(slice(1))[0])
                assert answer.status >= 500, answer

    def fail_live(self, alarm: Mapping[str, Any], model: str, count: int) -> None:
        """Let so many requests fail, by their lines; Lambda counted them as invoked."""
        live = [q["MetricStat"]["Metric"] for q in alarm["Metrics"] if "MetricStat" in q]
        self.put(
            (one["Namespace"], datum(one["MetricName"], one["Dimensions"], value, NEWEST_AGE))
            for one in live
            if one["Namespace"] == "AWS/Lambda"
            for value in [count if one["MetricName"] == "Invocations" else 0.0]
        )
        lines = predictions(model, self.namespace, count, failed=True, latency_ms=1, age=NEWEST_AGE)
        self.write(self.groups[model], lines)

    def slow_down(self, alarm: Mapping[str, Any], model: str) -> None:
        """Let 200 requests in each of two periods take longer than was promised."""
        for age in ages(alarm, 300, SLOW_AGE):
            lines = predictions(
                model,
                self.namespace,
                200,
                failed=False,
                latency_ms=alarm["Threshold"] + 1,
                age=age,
            )
            self.write(self.groups[model], lines)

    def load_nothing(self, model: str) -> None:
        """Let a version refuse to start, by its line."""
        fields = {"model": model, "code": "package_missing", "message": "-"}
        self.write(self.groups[model], [load_failure_line(fields, self.namespace)])
