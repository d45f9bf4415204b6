"""Metrics of queues.

AWS publishes how many messages a queue holds, and how old the oldest is, every minute while it is
in use, by QueueName ("Available CloudWatch metrics for Amazon SQS"); here it is every few seconds,
as the periods of alarms end now.
MiniStack 1.5.33 records none.
Seams: sqs._queues, _refresh_counts.
"""

import threading
import time
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch, sqs

from local.aws.seams import seam

NAMESPACE = "AWS/SQS"
SECONDS = 2.0
METRICS = {
    "ApproximateNumberOfMessages": "ApproximateNumberOfMessagesVisible",
    "ApproximateNumberOfMessagesNotVisible": "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed": "ApproximateNumberOfMessagesDelayed",
}


def install() -> None:
    """Publish the counts of every queue in the background."""
    for name in ("_queues", "_refresh_counts"):
        seam(sqs, name)
    seam(cloudwatch, "record_metric")
    threading.Thread(target=publish_forever, name="queue-metrics", daemon=True).start()


def publish_forever() -> None:
    """Publish the counts of all queues, of every account and Region."""
    while True:
        time.sleep(SECONDS)
        for (account, region, _url), queue in list(sqs._queues._data.items()):
            with request_scope(account, region):
                publish(queue)


def publish(queue: dict[str, Any]) -> None:
    """Record the counts of a queue that holds messages, or held some a moment ago."""
    before = [queue["attributes"].get(name) for name in METRICS]
    sqs._refresh_counts(queue)
    after = [queue["attributes"][name] for name in METRICS]
    if all(count in ("0", None) for count in (*before, *after)):
        return
    name = queue["attributes"]["QueueArn"].rsplit(":", 1)[-1]
    for metric, count in zip(METRICS.values(), after, strict=True):
        cloudwatch.record_metric(NAMESPACE, metric, float(count), "Count", {"QueueName": name})
    # Of messages in flight as well: who fails them again and again makes them old.
    sent = [message["sent_at"] for message in queue["messages"]]
    age = max(0.0, time.time() - min(sent)) if sent else 0.0
    cloudwatch.record_metric(
        NAMESPACE, "ApproximateAgeOfOldestMessage", age, "Seconds", {"QueueName": name}
    )
