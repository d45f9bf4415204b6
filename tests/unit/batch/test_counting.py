"""The end of a run is a metric of its model."""

import json
from typing import Any

from boringml.batch.counting import batch_line, counted

SCORED = {"model": "churn", "run": "2026-11-24-1", "scored": 7000, "rejected_rows": 43}


def line(kind: str, detail: dict[str, Any]) -> dict[str, Any]:
    text = batch_line(kind, detail, "BoringML/x")
    assert text is not None
    return dict(json.loads(text))


def test_a_line_has_what_its_metrics_need() -> None:
    found = line("BatchScored", SCORED)
    (directive,) = found["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("BoringML/x", [["model"]])
    values = {metric["Name"]: found[metric["Name"]] for metric in directive["Metrics"]}
    assert values == {"batches": 1, "failed_batches": 0, "batch_rows": 7000}
    # Without them, a filter by log level may drop the line with its metrics.
    assert found["level"]
    assert found["timestamp"].endswith("Z")


def test_a_failed_run_counts_as_failed() -> None:
    found = line("BatchFailed", {"model": "churn", "run": "a", "reason": {}})
    assert (found["batches"], found["failed_batches"], found["batch_rows"]) == (1, 1, 0)


def test_a_model_that_somebody_made_up_becomes_no_metric() -> None:
    assert batch_line("BatchFailed", {"model": "made-up", "run": None}, "BoringML/x") is None


def test_what_is_told_is_counted_and_nothing_that_is_not() -> None:
    told: list[str] = []
    lines: list[str] = []
    publish = counted(lambda kind, _detail: told.append(kind), "BoringML/x", lines.append)
    publish("BatchScored", SCORED)
    publish("BatchFailed", {"model": "made-up", "run": None})
    assert told == ["BatchScored", "BatchFailed"]
    assert [json.loads(text)["event"] for text in lines] == ["BatchScored"]
