"""`boringml memory MODEL`."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from boringml.adapters.prediction_log_reader import PredictionLogReader
from boringml.errors import BoringError
from boringml.governance.memory_size import Advice, Invocation, Price, advise, cpu_share
from boringml.governance.prices import Prices
from boringml_cli import wording
from boringml_cli.arguments import Model
from boringml_cli.session import Session, session_of

# A day has its hours, and a million reports are no better a sample than these.
_SLICES = 24
_OF_A_SLICE = 1000


def memory(
    context: typer.Context,
    model: Model,
    p95_ms: Annotated[
        float, typer.Option(min=1, help="95 of 100 invocations take no longer.")
    ] = 300,
    start_ms: Annotated[float, typer.Option(min=1, help="A start takes no longer.")] = 2000,
    days: Annotated[int, typer.Option(min=1, help="Look back so many days.")] = 1,
) -> None:
    """How much memory a model's function should have, from what Lambda reported of it."""
    session = session_of(context)
    function = _function(session, session.known(model))
    region = session.client("lambda").meta.region_name
    second, million = Prices.load().function(region, function["Architectures"][0])
    found, is_sample = _reported(session, function["LoggingConfig"]["LogGroup"], days)
    advice = advise(found, Price(second.usd, million.usd), p95_ms, start_ms)
    document = {
        "model": model,
        "region": region,
        "invocations": advice.invocations,
        "is_sample": is_sample,
        "starts": advice.starts,
        "used_mb": advice.used_mb,
        "now": vars(advice.now),
        "better": vars(advice.better),
        "saving": round(advice.saving, 4),
        "why": advice.why,
    }
    told = [escape(advice.why), _next(model, advice)]
    if is_sample:
        told.append(
            f"A sample: {_OF_A_SLICE:,} invocations at most of each 1/{_SLICES} of the time. "
            "The most memory and the longest start of all may be others."
        )
    session.output.show(document, _table(model, advice), *told)


def _function(session: Session, model: str) -> Any:
    """Return the configuration of a model's function."""
    told = f"{model} has no function of its own in {session.stack}: batches alone ask it."
    name = session.found_of(model, "Function", "function_not_found", told)
    return session.client("lambda").get_function_configuration(FunctionName=name)


def _reported(session: Session, group: str, days: int) -> tuple[list[Invocation], bool]:
    """Return what Lambda wrote of invocations into a log group, and whether there are more.

    Oldest first, and at most so many of each slice of the time that all hours are among them.
    """
    first = datetime.now(UTC) - timedelta(days=days)
    edges = [first + timedelta(days=days) * i / _SLICES for i in range(_SLICES + 1)]
    begins = [int(edge.timestamp() * 1000) for edge in edges]
    reader = PredictionLogReader(session.client("logs"), group)
    found: list[Invocation] = []
    is_sample = False
    for begin, end in pairwise(begins):
        # Both limits are part of what is asked for.
        lines = reader.matching(begin, end - 1, most=_OF_A_SLICE, type="platform.report")
        is_sample |= len(lines) == _OF_A_SLICE
        found += [one for _at, line in lines if (one := Invocation.of(line))]
    if not found:
        told = (
            f"{group} has no platform.report line of the last {days} days. Lambda writes one per "
            "invocation where the function's SystemLogLevel is INFO: was it asked at all? "
            "--days looks further."
        )
        raise BoringError("reports_missing", told, 404)
    return found, is_sample


def _table(model: str, advice: Advice) -> Table:
    table = Table(
        "", "memory", "CPU", "p95", "longest start", "USD per million",
        title=f"Memory of {model}, by {advice.invocations} invocations and {advice.starts} starts",
    )  # fmt: skip
    for name, size in (("now", advice.now), ("advised", advice.better)):
        start = wording.NOTHING if size.start_ms is None else f"{size.start_ms:.0f} ms"
        table.add_row(
            name,
            f"{size.memory_mb} MB",
            f"{cpu_share(size.memory_mb):.2f}",
            f"{size.p95_ms:.2f} ms",
            start,
            f"{size.usd_per_million:.3f}",
        )
    return table


def _next(model: str, advice: Advice) -> str:
    if advice.better == advice.now:
        return "Leave it."
    saving = round(advice.saving, 3)
    share = wording.share(abs(saving))
    told = f"saves {share} of Lambda's cost" if saving > 0 else f"costs {share} more"
    told = told if saving else "costs the same"
    return (
        f"Set MemorySize of {model} in template.yaml to {advice.better.memory_mb}, and "
        f"serving.memory_mb of models/{model}/model.yaml where it is there; it {told}. "
        "Deploy, release, and look again."
    )
