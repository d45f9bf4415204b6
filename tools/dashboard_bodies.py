"""What the dashboards show: one of each model, as it declares itself, and one of the platform."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tools.dashboard_widgets import (
    Metric,
    Widget,
    alarms,
    expression,
    graph,
    log_bars,
    metric,
    ours,
    rows,
    search,
    text,
)

VERSION = ("model_version", "function_version")
HOUR = 3600
MACHINES = ("Train", "Release", "Rollback", "Batch")


def pascal(name: str) -> str:
    """Return a name as template.yaml has it."""
    return "".join(part.capitalize() for part in re.split(r"[^A-Za-z0-9]+", name))


def model_dashboard(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a model's dashboard, from its model.yaml."""
    model, name = declared["name"], pascal(declared["name"])
    patterns = declared["patterns"]
    served = "online" in patterns or "async" in patterns
    lines: list[tuple[int, Sequence[Widget]]] = [
        (3, [text(_words(declared))]),
        (3, [alarms("Alarms, the latest change first", f"${{{name}Alarms}}")]),
    ]
    if served:
        lines += _served(model, name, declared["release"]["smoke"]["p95_ms"])
    if "async" in patterns:
        lines.append((6, _queues(name)))
    if "batch" in patterns:
        lines.append((6, _batches(model)))
    lines += [(6, [_drift(model), *_quality(model)]), (6, _cost(model))]
    return {"start": "-PT6H", "periodOverride": "inherit", "widgets": rows(*lines)}


def _words(declared: Mapping[str, Any]) -> str:
    return (
        f"# {declared['name']}\n{declared['description']} Owner: {declared['owner']}.\n\n"
        f"`boringml history {declared['name']}` says what changed, "
        f"`boringml rollback {declared['name']}` takes it back. "
        "What to do when an alarm rings: docs/runbooks."
    )


def _served(model: str, name: str, budget: float) -> list[tuple[int, Sequence[Widget]]]:
    function = ("FunctionName", f"${{{name}Function}}")
    live = (*function, "Resource", f"${{{name}Function}}:live")
    group = f"${{{name}LogGroup}}"
    by_version = search("requests", model, VERSION, "Sum", 60)
    versions = graph(
        "Requests by version: a release is where the colour changes",
        [
            expression(
                by_version, "${!PROP('Dim.model_version')} in ${!PROP('Dim.function_version')}"
            )
        ],
        period=60,
        unit="requests a minute",
        stacked=True,
    )
    latency = graph(
        "Latency",
        [
            *(ours("latency_ms", model, stat, stat) for stat in ("p50", "p95", "p99")),
        ],
        unit="ms",
        annotations={"horizontal": [{"label": "p95 as promised", "value": budget}]},
    )
    failures = graph(
        "Failures, answered and crashed",
        [
            ours("failures", model, "Sum", "answered with 5xx"),
            metric("AWS/Lambda", "Errors", live, "Sum", "crashed or timed out (live)"),
            ours("model_load_failures", model, "Sum", "a version refused to start"),
        ],
        unit="requests",
    )
    codes = log_bars(
        "Refusals and failures by code",
        group,
        "filter ispresent(code) and code != 'null' | stats count(*) as requests by code "
        "| sort requests desc",
    )
    cold = graph(
        "Cold starts",
        [
            ours("cold_starts", model, "Sum", "cold starts"),
            ours("model_load_ms", model, "p95", "loading the model, p95, ms", yAxis="right"),
        ],
        unit="processes",
    )
    room = graph(
        "Lambda: concurrency and throttles",
        [
            metric("AWS/Lambda", "ConcurrentExecutions", function, "Maximum", "at once"),
            metric("AWS/Lambda", "Throttles", function, "Sum", "throttled"),
            metric("AWS/Lambda", "Invocations", live, "Sum", "invocations of live", yAxis="right"),
        ],
        unit="executions",
    )
    return [(6, [versions, latency]), (6, [failures, codes]), (6, [cold, room])]


def _queues(name: str) -> list[Widget]:
    return [
        _queue("Jobs that wait", f"${{{name}JobQueue}}"),
        _depth("Dead jobs", [(f"${{{name}JobDeadQueue}}", "dead")]),
    ]


def _queue(title: str, queue: str) -> Widget:
    sqs = ("QueueName", queue)
    shown = [
        metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", sqs, "Maximum", "waiting"),
        metric("AWS/SQS", "ApproximateNumberOfMessagesNotVisible", sqs, "Maximum", "in flight"),
        metric(
            "AWS/SQS", "ApproximateAgeOfOldestMessage", sqs, "Maximum", "oldest, s", yAxis="right"
        ),
    ]
    return graph(title, shown, period=60, unit="messages")


def _depth(title: str, queues: Sequence[tuple[str, str]]) -> Widget:
    shown = [
        metric(
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            ("QueueName", queue),
            "Maximum",
            label,
        )
        for queue, label in queues
    ]
    return graph(title, shown, unit="messages")


def _batches(model: str) -> list[Widget]:
    runs = [
        ours("batches", model, "Sum", "ended"),
        ours("failed_batches", model, "Sum", "failed"),
    ]
    rows_scored = [ours("batch_rows", model, "Sum", "scored")]
    return [
        graph("Batches", runs, period=HOUR, unit="runs"),
        graph("Rows", rows_scored, period=HOUR, unit="rows"),
    ]


def _drift(model: str) -> Widget:
    shown = [
        ours("drift_share", model, "Maximum", "share of features that drifted"),
        ours("drift_evaluated", model, "Maximum", "evaluated (1) or not (0)"),
    ]
    return graph("Drift", shown, period=HOUR, unit="share")


def _quality(model: str) -> list[Widget]:
    measures = [
        ours("quality_roc_auc", model, "Average", "ROC AUC"),
        ours("quality_log_loss", model, "Average", "log loss"),
        ours("quality_fell", model, "Maximum", "fell"),
    ]
    labels = [
        ours("label_coverage", model, "Average", "share of predictions with a label"),
        ours("labels_joined", model, "Maximum", "labels joined", yAxis="right"),
    ]
    return [
        graph("Quality, by the labels that arrived", measures, period=HOUR),
        graph("Labels", labels, period=HOUR, unit="share"),
    ]


def _cost(model: str) -> list[Widget]:
    hour = [
        ours("cost_usd", model, "Sum", "USD an hour"),
        ours("cost_raised", model, "Maximum", "raised", yAxis="right"),
    ]
    thousand = [ours("cost_per_1000_usd", model, "Average", "USD per 1,000 predictions")]
    return [
        graph("Cost of an hour", hour, period=HOUR, unit="USD"),
        graph("Cost of 1,000 predictions", thousand, period=HOUR, unit="USD"),
    ]


def platform_dashboard(models: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the body of the platform's dashboard."""
    functions = [m["name"] for m in models if {"online", "async"} & set(m["patterns"])]
    by_jobs = [m["name"] for m in models if "async" in m["patterns"]]
    dead: list[tuple[str, str]] = [
        ("${DeadEventsQueue}", "events"),
        ("${CallbackDeadQueue}", "callbacks"),
        *((f"${{{pascal(name)}JobDeadQueue}}", f"jobs of {name}") for name in by_jobs),
    ]
    words = (
        "# The platform\nWhat all models share. Each model has a dashboard of its own.\n\n"
        "`boringml status` says what is live; what to do when an alarm rings: docs/runbooks."
    )
    body = rows(
        (3, [text(words)]),
        (3, [alarms("Is any model unhealthy?", "${UnhealthyAlarms}")]),
        (4, [alarms("Alarms of the platform, the latest change first", "${PlatformAlarms}")]),
        (6, [_api(), _room(functions)]),
        (6, [_machines("ExecutionsStarted", "started"), _ended_badly()]),
        (6, [_queue("Callbacks that wait", "${CallbackQueue}"), _depth("Dead letters", dead)]),
    )
    return {"start": "-PT6H", "periodOverride": "inherit", "widgets": body}


def _api() -> Widget:
    api = ("ApiName", "${ApiName}", "Stage", "v1")
    shown = [
        metric("AWS/ApiGateway", "Count", api, "Sum", "requests"),
        metric("AWS/ApiGateway", "4XXError", api, "Sum", "4xx"),
        metric("AWS/ApiGateway", "5XXError", api, "Sum", "5xx"),
        metric("AWS/ApiGateway", "Latency", api, "p95", "p95, ms", yAxis="right"),
    ]
    return graph("API", shown, unit="requests")


def _room(functions: Sequence[str]) -> Widget:
    shown: list[Metric] = [
        metric("AWS/Lambda", "ConcurrentExecutions", (), "Maximum", "account, at once"),
        metric("AWS/Lambda", "Throttles", (), "Sum", "account, throttled"),
        *(
            metric(
                "AWS/Lambda",
                "ConcurrentExecutions",
                ("FunctionName", f"${{{pascal(name)}Function}}"),
                "Maximum",
                f"{name}, at once",
            )
            for name in functions
        ),
    ]
    return graph("Lambda: concurrency and throttles", shown, period=60, unit="executions")


def _of_machine(machine: str, name: str, label: str) -> Metric:
    dimensions = ("StateMachineArn", f"${{{machine}StateMachine}}")
    return metric("AWS/States", name, dimensions, "Sum", f"{machine.lower()} {label}")


def _machines(name: str, label: str) -> Widget:
    shown = [_of_machine(machine, name, label) for machine in MACHINES]
    return graph("State machines", shown, unit="executions")


def _ended_badly() -> Widget:
    shown = [
        _of_machine(machine, name, label)
        for machine in MACHINES
        for name, label in (("ExecutionsFailed", "failed"), ("ExecutionsTimedOut", "timed out"))
    ]
    return graph("State machines that ended badly", shown, unit="executions")
