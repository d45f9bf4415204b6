"""Alarms: dimensions, missing data, and the event of a change of state.

AWS evaluates an alarm over the metric of its own dimension set, M out of N periods, treats missing
data as TreatMissingData says, does so as time passes, and sends every change of state to the
default event bus ("Alarm events and EventBridge"). A Lambda function may be an action,
where its policy allows it.
MiniStack 1.5.33 evaluates over all dimension sets together, over one window, only when
PutMetricData is called, knows no missing data, sends no event, and tells SNS topics only.
Here the periods end now, where those of AWS end at full minutes: an alarm rings sooner.
An alarm may watch an expression: metric_math.
Seams: cloudwatch._evaluate_alarm, _dispatch_alarm_actions, _evaluate_all_alarms and their helpers;
eventbridge._put_events, _dispatch_to_lambda.
"""

import json
import logging
import math
import threading
import time
from datetime import UTC, datetime
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch, eventbridge

from local.aws.cloudwatch.metric_math import returned, value_of
from local.aws.permissions import policy_allows
from local.aws.seams import seam

logger = logging.getLogger("local.aws.alarms")

EVALUATION_SECONDS = 1.0
# Points are stored nearly in order of time: one may come so much later than its neighbours.
LATE_SECONDS = 120.0
COMPARISONS = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
MISSING = {"breaching": True, "notBreaching": False}
ALARMS = "lambda.alarms.cloudwatch.amazonaws.com"
ACTIONS = {
    "ALARM": "AlarmActions",
    "OK": "OKActions",
    "INSUFFICIENT_DATA": "InsufficientDataActions",
}


def period_values(alarm: dict[str, Any], now: float) -> list[float | None]:
    """Return the statistic of each period, the newest first, None where it has no data."""
    length, count = alarm.get("Period", 60), alarm.get("EvaluationPeriods", 1)
    queries = alarm.get("Metrics")
    if not queries:
        statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
        return metric_values(alarm, statistic, length, count, now)
    series = {
        query["Id"]: metric_values(
            query["MetricStat"]["Metric"], query["MetricStat"]["Stat"], length, count, now
        )
        for query in queries
        if "MetricStat" in query
    }
    (watched,) = [query for query in queries if returned(query)]
    expression = watched.get("Expression") or watched["Id"]
    return [
        value_of(expression, {name: values[index] for name, values in series.items()})
        for index in range(count)
    ]


def metric_values(
    metric: dict[str, Any], statistic: str, length: int, count: int, now: float
) -> list[float | None]:
    """Return the statistic of a metric in each of `count` periods of `length` seconds."""
    length, count = int(length), int(count)
    dimensions = {item["Name"]: str(item["Value"]) for item in metric.get("Dimensions") or []}
    key = (metric["Namespace"], metric["MetricName"], cloudwatch._dims_key(dimensions))
    points = recent(cloudwatch._metrics.get(key) or [], now - count * length)
    # One pass: an alarm may look at many periods, and each point is in one of them.
    periods: list[list[dict[str, Any]]] = [[] for _ in range(count)]
    for point in points:
        index = math.floor((now - point["Timestamp"]) / length)
        if 0 <= index < count:
            periods[index].append(point)
    return [
        cloudwatch._stat_value(cloudwatch._calc_stats(inside), statistic, inside)
        if inside
        else None
        for inside in periods
    ]


def recent(points: list[dict[str, Any]], begin: float) -> list[dict[str, Any]]:
    """Return the points since `begin`, without a walk through all that were ever stored."""
    found = []
    for point in reversed(points):
        if point["Timestamp"] < begin - LATE_SECONDS:
            break
        found.append(point)
    return found


def state_of(alarm: dict[str, Any], values: list[float | None]) -> str:
    """Return the state that the values of the alarm's periods give it."""
    treatment = alarm.get("TreatMissingData") or "missing"
    if all(value is None for value in values) and treatment not in MISSING:
        return str(alarm["StateValue"]) if treatment == "ignore" else "INSUFFICIENT_DATA"
    breaches = COMPARISONS[alarm["ComparisonOperator"]]
    judged = [
        MISSING.get(treatment, False) if value is None else breaches(value, alarm["Threshold"])
        for value in values
    ]
    needed = alarm.get("DatapointsToAlarm") or len(values)
    return "ALARM" if sum(judged) >= needed else "OK"


def evaluate(alarm: dict[str, Any]) -> None:
    """Give a metric alarm the state of this moment, and tell of a change."""
    if not alarm.get("Metrics") and not (alarm.get("Namespace") and alarm.get("MetricName")):
        return
    now = time.time()
    values = period_values(alarm, now)
    old, new = alarm["StateValue"], state_of(alarm, values)
    if new == old:
        return
    shown = ", ".join("no data" if value is None else f"{value:g}" for value in values)
    reason = f"{alarm['ComparisonOperator']} {alarm['Threshold']:g}: {shown}"
    alarm.update(StateValue=new, StateReason=reason, StateUpdatedTimestamp=int(now))
    cloudwatch._record_history(alarm["AlarmName"], old, new, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old, new, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def event_of(alarm: dict[str, Any], old: str, new: str, reason: str) -> dict[str, Any]:
    """Return the detail of a "CloudWatch Alarm State Change" event."""
    moment = datetime.now(UTC).isoformat(timespec="milliseconds")
    detail: dict[str, Any] = {
        "alarmName": alarm["AlarmName"],
        "state": {"value": new, "reason": reason, "timestamp": moment},
        "previousState": {"value": old},
        "configuration": {"description": alarm.get("AlarmDescription", "")},
    }
    if alarm.get("AlarmRule"):
        detail["configuration"]["alarmRule"] = alarm["AlarmRule"]
    elif alarm.get("Metrics"):
        detail["configuration"]["metrics"] = [query_of(query) for query in alarm["Metrics"]]
    elif alarm.get("MetricName"):
        statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic")
        stat = {"metric": metric_of(alarm), "period": alarm.get("Period"), "stat": statistic}
        detail["configuration"]["metrics"] = [{"id": "m1", "metricStat": stat, "returnData": True}]
    return detail


def metric_of(metric: dict[str, Any]) -> dict[str, Any]:
    """Return a metric as an alarm's event has it."""
    return {
        "namespace": metric["Namespace"],
        "name": metric["MetricName"],
        "dimensions": {item["Name"]: item["Value"] for item in metric.get("Dimensions") or []},
    }


def query_of(query: dict[str, Any]) -> dict[str, Any]:
    """Return a query of metric math as an alarm's event has it."""
    told = {"id": query["Id"], "returnData": returned(query)}
    if "Expression" in query:
        return {**told, "expression": query["Expression"]}
    stat = query["MetricStat"]
    shown = {
        "metric": metric_of(stat["Metric"]),
        "period": int(stat["Period"]),
        "stat": stat["Stat"],
    }
    return {**told, "metricStat": shown}


def install() -> None:
    """Evaluate alarms as AWS does, every second, and send their events."""
    for name in ("_evaluate_alarm", "_metrics", "_dims_key", "_calc_stats", "_stat_value"):
        seam(cloudwatch, name)
    for name in ("_record_history", "_evaluate_parent_alarms", "_evaluate_all_alarms"):
        seam(cloudwatch, name)
    put_events = seam(eventbridge, "_put_events")
    tell_function = seam(eventbridge, "_dispatch_to_lambda")
    tell_topics = seam(cloudwatch, "_dispatch_alarm_actions")

    def dispatch(alarm: dict[str, Any], old: str, new: str, reason: str) -> None:
        tell_topics(alarm, old, new, reason)
        detail = event_of(alarm, old, new, reason)
        entry = {
            "Source": "aws.cloudwatch",
            "DetailType": "CloudWatch Alarm State Change",
            "Resources": [alarm["AlarmArn"]],
            "Detail": json.dumps(detail),
        }
        put_events({"Entries": [entry]}, allow_aws_source=True)
        if alarm.get("ActionsEnabled", True):
            for action in alarm.get(ACTIONS[new]) or []:
                if ":function:" in action and policy_allows(ALARMS, action, alarm["AlarmArn"]):
                    content = {"source": "aws.cloudwatch", "alarmArn": alarm["AlarmArn"]}
                    tell_function(action, json.dumps({**content, "alarmData": detail}))

    cloudwatch._evaluate_alarm = evaluate
    cloudwatch._dispatch_alarm_actions = dispatch
    threading.Thread(target=evaluate_forever, name="alarms", daemon=True).start()


def evaluate_forever() -> None:
    """Evaluate the alarms of every account and Region, every second."""
    while True:
        time.sleep(EVALUATION_SECONDS)
        for account, region in {key[:2] for key in list(cloudwatch._alarms._data)}:
            with request_scope(account, region):
                cloudwatch._evaluate_all_alarms()
