"""Subscriptions that end in Firehose.

AWS sends the matching events of a log group to a delivery stream as one gzip-compressed record
each time, with the subscription's role; a role that may not do so counts as a DeliveryErrors of
AWS/Logs ("Subscription filters with Amazon Data Firehose", CloudWatch Logs User Guide).
MiniStack 1.5.33 stores such a subscription and delivers nothing.
Seams: cloudwatch_logs._fanout_to_subscription_filters, _put_subscription_filter, _log_groups;
firehose._streams.
"""

import gzip
import json
import logging
import time
from typing import Any

from ministack.core.responses import error_response_json, get_account_id, get_region, new_uuid
from ministack.services import cloudwatch_logs, firehose

from local.aws.cloudwatch import emf
from local.aws.firehose import buffering
from local.aws.logs.filter_patterns import PatternError, compiled, is_json
from local.aws.permissions import role_allows
from local.aws.seams import seam

logger = logging.getLogger("local.aws.subscriptions")

_STREAM = ":deliverystream/"
# A record of Firehose has at most 1,000 KiB; a batch of log events at most 1 MiB before gzip.
_EVENTS = 1000


def install() -> None:
    """Deliver to Firehose, and refuse patterns that are none."""
    fan_out = seam(cloudwatch_logs, "_fanout_to_subscription_filters")
    put = seam(cloudwatch_logs, "_put_subscription_filter")
    seam(cloudwatch_logs, "_log_groups")
    seam(firehose, "_streams")

    def put_checked(data: dict[str, Any]) -> Any:
        pattern = data.get("filterPattern", "")
        try:
            if is_json(pattern):
                compiled(pattern)
        except PatternError as error:
            return error_response_json("InvalidParameterException", str(error), 400)
        return put(data)

    def fan_out_to_all(group: str, stream: str, events: list[dict[str, Any]]) -> None:
        fan_out(group, stream, events)
        found = cloudwatch_logs._log_groups.get(group) or {}
        for item in list((found.get("subscriptionFilters") or {}).values()):
            if _STREAM in item.get("destinationArn", ""):
                deliver(item, group, stream, events)

    cloudwatch_logs._put_subscription_filter = put_checked
    cloudwatch_logs._fanout_to_subscription_filters = fan_out_to_all


def deliver(item: dict[str, Any], group: str, stream: str, events: list[dict[str, Any]]) -> None:
    """Send the events that a subscription wants to its delivery stream."""
    matches = cloudwatch_logs._subscription_pattern_matches
    wanted = [event for event in events if matches(item["filterPattern"], event["message"])]
    if not wanted:
        return
    arn = item["destinationArn"]
    service = f"logs.{get_region()}.amazonaws.com"
    target = firehose._streams.get(arn.rpartition("/")[2])
    if target is None or not role_allows(service, item["roleArn"], "firehose:PutRecord", arn):
        logger.error("the subscription %s may not send to %s", item["filterName"], arn)
        dimensions = {
            "LogGroupName": group,
            "DestinationType": "Firehose",
            "FilterName": item["filterName"],
        }
        emf.record("AWS/Logs", "DeliveryErrors", dimensions, 1.0, "Count", time.time())
        return
    for start in range(0, len(wanted), _EVENTS):
        data = envelope(item["filterName"], group, stream, wanted[start : start + _EVENTS])
        buffering.put(target, [data])


def envelope(name: str, group: str, stream: str, events: list[dict[str, Any]]) -> bytes:
    """Return what Firehose gets of log events."""
    document = {
        "messageType": "DATA_MESSAGE",
        "owner": get_account_id(),
        "logGroup": group,
        "logStream": stream,
        "subscriptionFilters": [name],
        "logEvents": [
            {
                "id": new_uuid().replace("-", ""),
                "timestamp": event["timestamp"],
                "message": event["message"],
            }
            for event in events
        ],
    }
    return gzip.compress(json.dumps(document).encode(), compresslevel=1)
