"""`boringml trace MODEL REQUEST_ID`."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from boringml.adapters.athena_query import AthenaQuery
from boringml.adapters.jobs_table import JobsTable, Limits
from boringml.adapters.object_store import ObjectStore
from boringml.adapters.prediction_log_reader import PredictionLogReader
from boringml.adapters.serving_function import ServingFunction
from boringml.errors import BoringError
from boringml.governance.cost import prediction_cost
from boringml.governance.prices import Prices
from boringml.governance.usage_cost import Machine
from boringml.jobs.job import document, iso
from boringml.jobs.job_id import posted_ms_of
from boringml.jobs.telling import callback_id
from boringml.monitoring.request_way import (
    Known,
    callback_attempt,
    line_of_row,
    time_of,
    unknown,
    way_of,
)
from boringml_cli import wording
from boringml_cli.arguments import Model
from boringml_cli.session import Session, session_of

# A job may be posted a moment before the clocks of others say so.
_SLACK_MS = 60_000
_DAY_MS = 86_400_000
# What a request leaves in the log, Lambda's own two lines with it, as measured: docs/flows/cost.md.
_LOG_BYTES = 1500
Lines = list[dict[str, Any]]


def trace(
    context: typer.Context,
    model: Model,
    request_id: Annotated[
        str,
        typer.Argument(
            help="As an answer said, or the caller's own X-Request-Id; of a job, its id."
        ),
    ],
    days: Annotated[int, typer.Option(min=1, help="Look back so many days.")] = 7,
) -> None:
    """The whole way of one request: log lines, trace, version and how it became live, label, job.

    Looks in the prediction log, and where that is over, in the lake.
    """
    session = session_of(context)
    _check_is_asked(session, session.known(model))
    posted = posted_ms_of(request_id)
    first = datetime.now(UTC) - timedelta(days=days)
    since_ms = posted - _SLACK_MS if posted else int(first.timestamp() * 1000)
    source, lines = "log", _logged(session, model, request_id, since_ms)
    if not lines:
        source, lines = "lake", _stored(session, model, request_id, since_ms)
    job = _job(session, request_id) if posted else None
    if not lines and job is None:
        told = (
            f"Neither the log nor the lake has {request_id} in {days} days: --days looks further."
        )
        raise BoringError("request_not_found", told)
    label = _labels(session, model, lines)
    cost = _costs(session, model) if lines else unknown
    way = way_of(model, lines, session.registry.history(model), label=label, cost_usd=cost)
    callbacks = _callbacks(session, request_id, since_ms) if job and job.get("callback") else []
    found = {"request_id": request_id, "source": source, **way, "job": job, "callbacks": callbacks}
    session.output.show(found, *_pictures(found))


def _check_is_asked(session: Session, model: str) -> None:
    told = f"{model} answers batches only: no request of it can be followed. See: boringml history."
    session.found_of(model, "LogGroup", "function_not_found", told)


def _logged(session: Session, model: str, request_id: str, since_ms: int) -> Lines:
    """Return the lines of the newest day that has any: each day of a busy log is many pages.

    Days are of 24 hours back from now. A job's lines may be days apart, and its id says from when
    on they are: of a job, all.
    """
    group = session.found(f"{wording.pascal(model)}LogGroup")
    reader = PredictionLogReader(session.client("logs"), group)
    end_ms = int(datetime.now(UTC).timestamp() * 1000) + _SLACK_MS
    step_ms = end_ms - since_ms if posted_ms_of(request_id) else _DAY_MS
    while end_ms > since_ms:
        # A request may have lines on both sides of where two days meet.
        begin_ms = max(end_ms - step_ms, since_ms)
        found = reader.matching(
            max(begin_ms - _SLACK_MS, since_ms),
            end_ms,
            request_id=request_id,
            upstream_request_id=request_id,
        )
        if lines := [line for _at, line in found if "record" in line]:
            return lines
        end_ms = begin_ms
    return []


def _stored(session: Session, model: str, request_id: str, since_ms: int) -> Lines:
    bucket = session.found("LakeBucket")
    athena = AthenaQuery(
        session.client("athena"), session.found("LakeDatabase"), f"s3://{bucket}/athena/"
    )
    # The log's reader has refused what is no id; a model is one that the registry knows.
    rows = athena.rows(
        f"SELECT * FROM predictions WHERE model = '{model}' "  # noqa: S608
        f"AND date >= '{iso(since_ms)[:10]}' "
        f"AND (request_id = '{request_id}' OR upstream_request_id = '{request_id}') "
        'ORDER BY "at", record'
    )
    return [line_of_row(row) for row in rows]


def _labels(session: Session, model: str, lines: Lines) -> Known:
    """Return what tells the label that counts of a line, of those that arrived until now."""
    # They are Parquet: what reads it takes a second to start, and no other command needs it.
    from boringml.adapters.labels_table import LabelsTable
    from boringml.monitoring.label_rows import counted

    if not lines:
        return unknown
    table = LabelsTable(ObjectStore(session.client("s3"), session.found("LakeBucket")))
    first, last = min(map(time_of, lines)).date(), datetime.now(UTC).date()
    ids = {str(line["request_id"]) for line in lines}
    found = {each: table.find(model, each, first, last, record=None) for each in ids}

    def label(line: Mapping[str, Any]) -> dict[str, Any] | None:
        labels = found[str(line["request_id"])]
        one = counted(label for label in labels if label.record == line["record"])
        return None if one is None else {"label": one.label, "at": one.at.isoformat()}

    return label


def _job(session: Session, job_id: str) -> dict[str, Any] | None:
    # Nothing is written here, so no limit of a write counts.
    table = JobsTable(session.client("dynamodb"), session.found("JobsTable"), Limits(0, 0))
    job = table.get(job_id)
    if job is None:
        return None
    further = {"callback": job.callback, "is_told": job.is_told, "same_as": job.same_as}
    shown = {name: value for name, value in document(job).items() if name != "result"}
    return shown | {name: value for name, value in further.items() if value is not None}


def _callbacks(session: Session, job_id: str, since_ms: int) -> Lines:
    reader = PredictionLogReader(session.client("logs"), session.found("CallbackLogGroup"))
    return [callback_attempt(line) for _, line in reader.matching(since_ms, id=callback_id(job_id))]


def _costs(session: Session, model: str) -> Known:
    """Return what tells the cost of the request of a line; the first record stands for all.

    By the machine that live runs on now, without the INIT of a cold start, which no line tells.
    None where the Region has no prices.
    """
    functions = session.client("lambda")
    name = session.found(f"{wording.pascal(model)}Function")
    memory_mb, architecture = ServingFunction(functions, name).size("live")
    machine = Machine(memory_mb=memory_mb, architecture=architecture, retention_days=0)
    prices, region = Prices.load(), functions.meta.region_name

    def cost(line: Mapping[str, Any]) -> float | None:
        if line.get("record") or line.get("latency_ms") is None:
            return None
        try:
            parts = prediction_cost(
                line["latency_ms"], machine, region=region, log_bytes=_LOG_BYTES, prices=prices
            )
        except BoringError as error:
            if error.code != "price_unknown":
                raise
            return None
        return round(sum(parts.values()), 9)

    return cost


def _pictures(found: Mapping[str, Any]) -> list[Any]:
    facts = Table("", "", title=f"Request {escape(found['request_id'])}", show_header=False)
    facts.add_row("found in", found["source"])
    facts.add_row("trace", ", ".join(found["trace_ids"]) or "none")
    for version in found["versions"]:
        live = version["became_live"]
        since = "not by a release"
        if live:
            when = wording.moment(datetime.fromisoformat(live["at"]))
            since = f"event {live['sequence']}, {when}, {wording.who(live['by'])}: {live['why']}"
        name = f"version {version['model_version']}"
        facts.add_row(f"{name}, function {version['function_version']}", escape(since))
    pictures: list[Any] = [facts, _records(found["records"])]
    if found["job"]:
        table = Table("", "", title="Job", show_header=False)
        for name, value in found["job"].items():
            table.add_row(name, escape(wording.text(value)))
        pictures.append(table)
    if found["callbacks"]:
        table = Table("when", "attempt", "outcome", "code", "status", title="Callback")
        for attempt in found["callbacks"]:
            names = ("timestamp", "attempt", "outcome", "code", "status")
            table.add_row(*(escape(str(attempt.get(name, ""))) for name in names))
        pictures.append(table)
    return pictures


def _records(records: Lines) -> Table:
    columns = ("record", "attempt", "code", "prediction", "probability", "latency_ms", "cold_start")
    table = Table("when", *columns, "label", "USD", title="Records")
    for record in records:
        known = [record.get(name) for name in columns]
        extra = ((record["label"] or {}).get("label"), record["cost_usd"])
        shown = ["" if value is None else escape(str(value)) for value in (*known, *extra)]
        table.add_row(record["timestamp"], *shown)
    return table
