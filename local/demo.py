"""The main job, seen from a terminal: from raw data to live predictions, on the local AWS."""

import json
import statistics
import time
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from boringml.adapters import declarations
from boringml.adapters.registry_table import RegistryTable
from boringml.registry.records import HistoryEvent
from local import batch_demo, jobs_demo
from local.bad_requests import Case, send_bad_requests
from local.bad_versions import THROWS_ABOVE_INCOME
from local.batch_demo import Compared
from local.datasets import credit, credit_records, write_churn, write_credit, write_reviews
from local.jobs_demo import Ledger
from local.pages import PAGES, tell_labels, write_pages
from local.parity import Parity, credit_parity
from local.paths import DEFAULT_HOME, ROOT
from local.predictions import local_client
from local.release_demo import Caught, broken_promises, moves, release_bad_versions
from local.server import LocalAWS
from local.telling import Say, shortened
from local.timeline import drawn
from local.traffic import Traffic
from local.training_demo import ensure_live, train_and_release
from local.up import Deployed, up

MODEL = "credit"
REPORT = DEFAULT_HOME / "demo-report.json"
FAILURE = DEFAULT_HOME / "demo-failure.log"
TIMELINE = DEFAULT_HOME / "demo-timeline.svg"
# The first upload is a part of the data, so that a second run has something new to learn from.
FIRST_ROWS = 6000
REQUESTS = 200


class DemoFailedError(RuntimeError):
    """A step of the demonstration does not hold; the message says which."""


def main() -> None:
    """Run the whole loop. Where a step fails, the stack trace goes to FAILURE and a line to stderr.

    Raises SystemExit.
    """
    try:
        run(Console())
    except Exception as error:  # noqa: BLE001 - a user is told what failed, whatever it was
        raise SystemExit(told_failure(error, LocalAWS(DEFAULT_HOME), FAILURE)) from None


def told_failure(error: Exception, local_aws: LocalAWS, log: Path) -> str:
    """Write the stack trace of an error to `log`; return the line that a user is told."""
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("".join(traceback.format_exception(error)))
    what = str(error) if isinstance(error, RuntimeError) else f"{type(error).__name__}: {error}"
    line = f"demo: {what} (stack trace: {_short(log)}, local AWS: {_short(local_aws.log)})"
    if local_aws.pid() is not None:
        line += "; the local AWS still runs: `make down` stops it"
    return line


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def run(console: Console) -> None:
    """Run the whole loop. Any step that does not hold raises."""

    def say(line: str) -> None:
        # A terminal may break a long line where it ends; a word or URL stays whole for a copy.
        console.print(line, soft_wrap=True, markup=False)

    begin = time.monotonic()
    console.rule("1. The application, on a local AWS")
    deployed = up(say=say)
    client = local_client(deployed.outputs["ApiUrl"])
    registry = RegistryTable(
        deployed.local_aws.client("dynamodb"), deployed.outputs["RegistryTable"]
    )
    record = declarations.contract(MODEL)["examples"][0]["record"]
    before = registry.alias(MODEL, "live")
    if before is None:
        answer = client.predict(MODEL, record)
        _hold(answer.status == 503, f"before a release: {answer.status} {answer.body}")
        say(f"a prediction now: {answer.status} {answer.body['error']['code']}")

    console.rule("2. New data in S3 trains and releases a version")
    version = ensure_live(deployed, registry, MODEL, _first_rows, say)
    _hold(registry.alias(MODEL, "live") == version, "the new version is live in the registry")
    package = registry.version(MODEL, version)

    console.rule("3. Predictions over HTTP, through API Gateway")
    answer = client.predict(MODEL, record)
    _hold(answer.status == 200 and answer.body["model_version"] == version, str(answer.body))
    console.print_json(data=answer.body)
    latencies = sorted(client.predict(MODEL, record).milliseconds for _ in range(REQUESTS))
    parity = credit_parity(
        client, deployed.local_aws.client("s3"), package.package_uri, package.package_digest
    )
    say(
        f"{parity.rows} held-out loans over HTTP against model.joblib: largest difference "
        f"{parity.max_difference:.1e}, flipped labels {parity.flipped_labels}"
    )
    _hold(parity.max_difference <= 1e-6 and parity.flipped_labels == 0, "the API is the model")
    bad = send_bad_requests(client, MODEL)
    console.print(bad_requests_table(bad))
    _hold(all(case.kept for case in bad), "each bad request gets its status and code")

    console.rule("4. Another version earns its traffic, under a steady stream of requests")
    records = credit_records()
    begun = len(registry.history(MODEL))
    events = deployed.local_aws.client("events")
    with Traffic(client, MODEL, records, events, stack=deployed.stack_name) as traffic:
        second = train_and_release(deployed, MODEL, write_credit, say)
        good = len(traffic.failed())
        _hold(registry.alias(MODEL, "live") == second, "the better version is live")
        _hold(good == 0, f"no request fails because of a release, and {good} did")

        console.rule("5. Three bad versions, each caught by the step that is there for it")
        caught = release_bad_versions(deployed, registry, MODEL, traffic, say)
    _hold(not traffic.errors, f"the stream of requests: {traffic.errors}")
    history = registry.history(MODEL)[begun:]
    broken = broken_promises(
        traffic.sent,
        caught,
        history,
        lambda item: records[item.record]["annual_inc"] > THROWS_ABOVE_INCOME,
    )
    _hold(not broken, "; ".join(broken[:5]))
    drawing = f"{MODEL}: {len(traffic.sent)} requests, {len(traffic.failed())} failed"
    TIMELINE.write_text(drawn(traffic.sent, history, drawing))
    console.print(moves_table(history))
    console.print(caught_table(caught, traffic))

    console.rule("6. Asynchronous jobs, and signed callbacks to a receiver that fails at times")
    jobs = _jobs(deployed, registry, console, say)
    console.rule("7. A batch of all customers, by both engines")
    batch = _batch(deployed, registry, console, say)
    console.rule("8. What changed, what does it cost, should we roll back?")
    told = tell_labels(client, MODEL, traffic.sent, credit()["Class"].astype(str).tolist())
    say(f"labelled {told} predictions: whether each of these loans turned out good or bad")
    index = write_pages(deployed, say)
    for page in sorted(index.parent.glob("*.html")):
        say(f"wrote {page.relative_to(ROOT)}")

    report = _report(deployed, registry, second, latencies, parity, bad)
    report["jobs"], report["batch"] = asdict(jobs), asdict(batch)
    report["requests"] = {"sent": len(traffic.sent), "failed": len(traffic.failed())}
    report["caught"] = [asdict(item) for item in caught]
    REPORT.write_text(json.dumps(report, indent=2, default=str) + "\n")
    console.rule("Done")
    _summarise(say, report, caught, time.monotonic() - begin)


def _first_rows(path: Path) -> Path:
    return write_credit(path, slice(FIRST_ROWS))


def _jobs(deployed: Deployed, registry: RegistryTable, console: Console, say: Say) -> Ledger:
    ensure_live(deployed, registry, jobs_demo.MODEL, _reviews_to_learn_from, say)
    ledger = jobs_demo.run_jobs(deployed, say)
    console.print(jobs_table(ledger))
    _hold(not ledger.broken(), "; ".join(ledger.broken()))
    return ledger


def _reviews_to_learn_from(path: Path) -> Path:
    return write_reviews(path, slice(jobs_demo.TEST_ROWS.start))


def _batch(deployed: Deployed, registry: RegistryTable, console: Console, say: Say) -> Compared:
    ensure_live(deployed, registry, batch_demo.MODEL, write_churn, say)
    compared = batch_demo.run_batches(deployed, say)
    console.print(batch_table(compared))
    _hold(not compared.broken(), "; ".join(compared.broken()))
    return compared


def jobs_table(ledger: Ledger) -> Table:
    """Return the table of what became of the jobs."""
    table = Table(show_header=False, title="Jobs")
    table.add_row("posted", f"{ledger.posted}, in {ledger.seconds:.0f} s until the last callback")
    table.add_row("ended", ", ".join(f"{count} {end}" for end, count in ledger.ends.items()))
    table.add_row("predictions right", f"{ledger.right} of {ledger.reviews} reviews")
    table.add_row("called back", f"{ledger.told} jobs, each with one id and a valid signature")
    table.add_row(
        "attempts to call", f"{ledger.calls}, of which the receiver failed {ledger.failed_calls}"
    )
    return table


def batch_table(compared: Compared) -> Table:
    """Return the table of both engines."""
    told = f"largest difference {compared.largest_difference:.1e} over {compared.rows} customers"
    table = Table("engine", "rows in", "scored", "rejected", "seconds", "USD", title=told)
    engines = (("Lambda map", compared.by_map), ("Batch Transform", compared.by_transform))
    for name, summary in engines:
        numbers = (str(summary[part]) for part in ("rows_in", "scored", "rejected_rows"))
        table.add_row(name, *numbers, f"{summary['seconds']:.1f}", f"{summary['cost_usd']:.6f}")
    return table


def moves_table(history: list[HistoryEvent]) -> Table:
    """Return the table of every move of live's requests: who decided, on what."""
    table = Table("at", "live sends its requests to", "decided by", "because", title="Alias live")
    for event in moves(history):
        canary = event.details.get("canary")
        told = f"version {event.to_version}"
        if canary:
            told += f", {canary['weight']:.0%} to version {canary['version']}"
        table.add_row(
            f"{event.at:%H:%M:%S.%f}"[:-3], told, _who(event.by), shortened(event.why, 120)
        )
    return table


def _who(by: str) -> str:
    """Return a short name for an execution: what it is, and the beginning of its name."""
    if ":execution:" not in by:
        return by
    machine, name = by.split(":")[-2:]
    return f"{'rollback' if 'Rollback' in machine else 'release'} {name[:8]}"


def caught_table(caught: list[Caught], traffic: Traffic) -> Table:
    """Return the table of the bad versions."""
    sent, failed = len(traffic.sent), len(traffic.failed())
    title = f"Bad versions: of {sent} requests, {failed} failed"
    table = Table(
        "version", "which", "caught by", "live requests failed", "harm lasted", title=title
    )
    for item in caught:
        over = "none" if item.harmed_seconds is None else f"{item.harmed_seconds:.1f} s"
        table.add_row(str(item.version), item.says, item.step, str(item.failed_requests), over)
    return table


def bad_requests_table(cases: list[Case]) -> Table:
    """Return the table of bad requests and what each got."""
    table = Table("bad request", "status", "code", "as promised", title="Bad requests over HTTP")
    for case in cases:
        table.add_row(case.name, str(case.got[0]), case.got[1], "yes" if case.kept else "NO")
    return table


def _report(
    deployed: Deployed,
    registry: RegistryTable,
    version: int,
    latencies: list[float],
    parity: Parity,
    bad: list[Case],
) -> dict[str, Any]:
    package = registry.version(MODEL, version)
    return {
        "model": MODEL,
        "live": version,
        "versions": [asdict(item) for item in registry.versions(MODEL)],
        "history": [asdict(item) for item in registry.history(MODEL)],
        "metrics": package.metrics,
        "training_cost_usd": package.cost_usd,
        "package": package.package_uri,
        "latency_ms": {
            "requests": len(latencies),
            "p50": statistics.median(latencies),
            "p95": latencies[int(len(latencies) * 0.95)],
        },
        "parity": asdict(parity),
        "bad_requests": [asdict(case) for case in bad],
        "endpoint": deployed.local_aws.endpoint_url,
        "outputs": dict(deployed.outputs),
    }


def _summarise(say: Say, report: dict[str, Any], caught: list[Caught], seconds: float) -> None:
    metrics, latency = report["metrics"], report["latency_ms"]
    bad = ", ".join(str(item.version) for item in caught)
    lines = {
        "live": f"{report['model']} version {report['live']}",
        "quality": f"ROC AUC {metrics['roc_auc']:.3f}, log loss {metrics['log_loss']:.3f}",
        "training cost": f"{report['training_cost_usd']:.4f} USD at AWS's price",
        "latency": f"p50 {latency['p50']:.1f} ms, p95 {latency['p95']:.1f} ms, on this machine",
        "package": report["package"],
        "pages": f"{_short(PAGES / 'index.html')}: open it in a browser",
        "": f"the failed releases and the alarm there are the demo's bad versions: {bad}",
        "timeline": _short(TIMELINE),
        "report": _short(REPORT),
        "look around": "source .local/env, then aws lambda list-functions",
        "took": f"{seconds:.0f} s",
        "still runs": "the local AWS: `make down` stops it, its state stays",
    }
    for name, value in lines.items():
        say(f"{name:<13}  {value}")


def _hold(condition: bool, what: str) -> None:
    if not condition:
        raise DemoFailedError(f"does not hold: {what}")
