"""The end of a run as a metric: alarms and dashboards of a model that batches alone ask."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

from boringml.batch.finish import Publish
from boringml.metric_line import COUNT, metric_line


def batch_line(kind: str, detail: Mapping[str, Any], namespace: str) -> str | None:
    """Return the log line of BatchScored or BatchFailed, which is also its metrics, by model.

    None of what never became a run: its model is whatever somebody asked for, and each new name
    would be a new metric. The alarm on the state machine rings for those.
    """
    if not detail.get("run"):
        return None
    metrics = {
        "batches": 1,
        "failed_batches": 1 if kind == "BatchFailed" else 0,
        "batch_rows": detail.get("scored", 0),
    }
    fields = {"event": kind, "model": detail["model"], "run": detail["run"]}
    return metric_line(namespace, fields, metrics, units=dict.fromkeys(metrics, COUNT))


def _print(line: str) -> None:
    # Looked up each time: Lambda's runtime puts its own stream there.
    sys.stdout.write(line)


def counted(publish: Publish, namespace: str, write: Callable[[str], object] = _print) -> Publish:
    """Return `publish` that counts as well: whoever ends a run tells it, so it is counted there.

    An end that is told again is counted again, as its event is.
    """

    def publish_and_count(kind: str, detail: Mapping[str, Any]) -> None:
        publish(kind, detail)
        line = batch_line(kind, detail, namespace)
        if line is not None:
            write(line)

    return publish_and_count
