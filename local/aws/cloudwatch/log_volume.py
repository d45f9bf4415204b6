"""Metrics of log groups: how much comes in.

AWS counts the events and their bytes, uncompressed, by LogGroupName, and for the whole account
("Monitoring usage with CloudWatch metrics", CloudWatch Logs). Here it is the bytes of the messages.
MiniStack 1.5.33 counts none.
Seam: cloudwatch_logs._fanout_to_subscription_filters, which every stored event passes.
"""

import time
from typing import Any

from ministack.services import cloudwatch_logs

from local.aws.cloudwatch import emf
from local.aws.seams import seam

NAMESPACE = "AWS/Logs"


def install() -> None:
    """Count what is stored."""
    fan_out = seam(cloudwatch_logs, "_fanout_to_subscription_filters")

    def fan_out_counted(group: str, stream: str, events: list[dict[str, Any]]) -> None:
        size = sum(len(str(event["message"]).encode()) for event in events)
        now = time.time()
        for dimensions in ({"LogGroupName": group}, {}):
            emf.record(NAMESPACE, "IncomingBytes", dimensions, float(size), "Bytes", now)
            emf.record(NAMESPACE, "IncomingLogEvents", dimensions, float(len(events)), "None", now)
        fan_out(group, stream, events)

    cloudwatch_logs._fanout_to_subscription_filters = fan_out_counted
