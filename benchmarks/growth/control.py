"""How control grows: registry, pool of workers, and the way back from harm.

`python -m benchmarks.growth.control` (make growth) on the local AWS, a few minutes:

- registry: reads and writes a second by 1 to 16 clients, on one model and on one each, what each
  costs in calls and in DynamoDB's units, and whether a write was lost;
- jobs: jobs a second by the pool's size, with the queue full before the pool is let go;
- release: seconds from the first failed request to restored traffic, by the rate of requests;
- simulation: the same in minutes of AWS, through the judge itself, by rate and by how bad it is.

The local AWS is one Python process on the machine of its clients: of its rates only how they change
with the number of clients says something, and that of the emulator. What does carry over to AWS:
calls and units of an operation, that nothing is lost, that a pool never exceeds its size, and the
simulation. Results go to benchmarks/results/control-growth.json and .svg.
"""

import argparse
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from benchmarks import machine
from benchmarks.goals import RESULTS, write
from benchmarks.growth import control_plot
from benchmarks.jobs.chaos import Table, post, predictions, reviews_live, waiting
from benchmarks.release.canary_run import run_canary
from benchmarks.release.canary_simulation import plan_of_credit
from benchmarks.release.canary_traffic import Scenario, Version
from boringml.adapters.registry_table import RegistryTable
from boringml.errors import BoringError
from boringml.jobs.states import FINAL
from boringml.registry.records import NewVersion
from boringml.release.canary import HARM
from local.bad_versions import THROWS
from local.datasets import credit_records, write_credit
from local.jobs import local_job_client
from local.predictions import local_client
from local.release_demo import release_bad_version
from local.traffic import Traffic
from local.training_demo import ensure_live
from local.up import Deployed

CLIENTS = (1, 2, 4, 8, 16)
SECONDS = 2.0
POOLS = (2, 5, 10)  # SQS takes no less than 2
JOBS = 150
WARM_UP = 10  # jobs for each worker
# Clients of the stream of requests, and the pause of each between two.
STREAMS = ((1, 0.05), (2, 0.03), (4, 0.015))
RATES = (30, 100, 300, 1000, 3000)
HARMS = (0.055, 0.12, 1.0)
RUNS = 40
SEED = 20261126


class Meter:
    """Counts the calls of a DynamoDB client, and the units that AWS would bill for them."""

    def __init__(self, client: Any) -> None:
        self.calls: Counter[str] = Counter()
        client.meta.events.register("before-parameter-build.dynamodb", self._ask)

    def _ask(self, model: Any, params: dict[str, Any], **_: Any) -> None:
        self.calls[model.name] += 1
        self.calls["items in transactions"] += len(params.get("TransactItems", []))


def version_of(model: str, number: int) -> NewVersion:
    """Return a version to register, of no model that is served."""
    return NewVersion(
        model=model, package_uri=f"s3://packages/{model}/{number}/",
        package_digest=f"sha256:{number:064x}", contract_version="1.0.0", runtime="onnx",
        data_digest=f"sha256:{number:064x}", git_commit="a" * 40, metrics={"roc_auc": 0.8},
        job_name=f"{model}-{number}", cost_usd=0.0, image="image",
    )  # fmt: skip


def registry(deployed: Deployed) -> dict[str, Any]:
    """Measure the registry in a table of its own, which is deleted in the end."""
    dynamodb = deployed.local_aws.client("dynamodb")
    real = dynamodb.describe_table(TableName=deployed.outputs["RegistryTable"])["Table"]
    name = f"registry-growth-{int(time.time())}"
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=real["AttributeDefinitions"],
        KeySchema=real["KeySchema"],
    )
    try:
        return _registry(deployed, name)
    finally:
        dynamodb.delete_table(TableName=name)


def _registry(deployed: Deployed, table: str) -> dict[str, Any]:
    rows = []
    for shared in (False, True):
        for clients in CLIENTS:
            kind = "one" if shared else "own"
            names = [f"{kind}{clients}-{0 if shared else n}" for n in range(clients)]
            writes = _together(deployed, table, names, _write)
            lost = _lost(deployed, table, set(names), writes)
            reads = _together(deployed, table, names, _read)
            rows.append(
                {
                    "clients": clients,
                    "models": len(set(names)),
                    "writes_per_second": round(writes["done"] / SECONDS, 1),
                    "refused": writes["refused"],
                    "lost_writes": lost,
                    "reads_per_second": round(reads["done"] / SECONDS, 1),
                    "calls_per_write": round(writes["calls"] / max(1, writes["done"]), 2),
                    "items_per_write": round(writes["items"] / max(1, writes["done"]), 2),
                    "calls_per_read": round(reads["calls"] / max(1, reads["done"]), 2),
                }
            )
            print(f"  registry {rows[-1]}", flush=True)
    return {"seconds_each": SECONDS, "rows": rows}


def _write(table: RegistryTable, model: str, number: int) -> None:
    table.register_version(version_of(model, number), by="growth", why="to see how it grows")


def _read(table: RegistryTable, model: str, _number: int) -> None:
    table.route(model)


def _together(
    deployed: Deployed,
    table: str,
    models: Sequence[str],
    act: Callable[[RegistryTable, str, int], None],
) -> dict[str, int]:
    """Let one client for each name act until time is up; return what was done."""
    done: Counter[str] = Counter()
    ready = threading.Barrier(len(models))

    def client(number: int, model: str) -> None:
        dynamodb = deployed.local_aws.client("dynamodb")
        meter, own = Meter(dynamodb), RegistryTable(dynamodb, table)
        ready.wait()
        end, turn = time.monotonic() + SECONDS, 0
        while time.monotonic() < end:
            turn += 1
            try:
                act(own, model, number * 1_000_000 + turn)
                done["done"] += 1
            except BoringError:
                done["refused"] += 1
        done["items"] += meter.calls.pop("items in transactions", 0)
        done["calls"] += meter.calls.total()

    threads = [threading.Thread(target=client, args=item) for item in enumerate(models)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {name: done[name] for name in ("done", "refused", "calls", "items")}


def _lost(deployed: Deployed, table: str, models: set[str], writes: dict[str, int]) -> int:
    """Return how many writes that were answered are not there."""
    own = RegistryTable(deployed.local_aws.client("dynamodb"), table)
    return writes["done"] - sum(len(own.versions(model)) for model in models)


def jobs(deployed: Deployed) -> list[dict[str, Any]]:
    """Measure jobs a second by the size of the pool; each finds its queue full and workers warm.

    A start takes seconds of a core here, and a pool of ten would be measured by its starts.
    """
    aws, outputs = deployed.local_aws.client, deployed.outputs
    lambda_, sqs, logs = aws("lambda"), aws("sqs"), aws("logs")
    function = outputs["ReviewsFunction"]
    (mapping,) = lambda_.list_event_source_mappings(FunctionName=f"{function}:live")[
        "EventSourceMappings"
    ]
    uuid, before = mapping["UUID"], mapping["ScalingConfig"]
    group = lambda_.get_function_configuration(FunctionName=function)["LoggingConfig"]["LogGroup"]
    table, client = (
        Table(aws("dynamodb"), outputs["JobsTable"]),
        local_job_client(outputs["ApiUrl"]),
    )
    rows = []
    try:
        for pool in POOLS:
            scaling = {"MaximumConcurrency": pool}
            lambda_.update_event_source_mapping(UUID=uuid, Enabled=True, ScalingConfig=scaling)
            _ended(table, post(client, WARM_UP * pool, None))
            lambda_.update_event_source_mapping(UUID=uuid, Enabled=False)
            ids = post(client, JOBS, None)
            full = waiting(sqs, outputs["ReviewsJobQueue"])
            began, began_ms = time.monotonic(), int(time.time() * 1000)
            lambda_.update_event_source_mapping(UUID=uuid, Enabled=True)
            ended = _ended(table, ids)
            seconds = time.monotonic() - began
            rows.append(
                {
                    "pool": pool,
                    "jobs": len(ids),
                    "waiting_at_start": full,
                    "seconds": round(seconds, 1),
                    "jobs_per_second": round(len(ids) / seconds, 1),
                    "most_at_once": predictions(logs, group, began_ms).at_once,
                    "states": dict(Counter(ended.values())),
                }
            )
            print(f"  jobs {rows[-1]}", flush=True)
    finally:
        lambda_.update_event_source_mapping(UUID=uuid, Enabled=True, ScalingConfig=before)
    return rows


def _ended(table: Table, ids: list[str]) -> dict[str, str]:
    """Wait until all jobs are final; return their states. Raises TimeoutError."""
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        states = table.states(ids)
        if len(states) == len(ids) and set(states.values()) <= FINAL:
            return states
        time.sleep(0.1)
    raise TimeoutError(f"jobs are not final: {Counter(states.values())} of {len(ids)}")


def releases(deployed: Deployed) -> list[dict[str, Any]]:
    """Release the version that throws under streams of several rates."""
    own = RegistryTable(deployed.local_aws.client("dynamodb"), deployed.outputs["RegistryTable"])
    ensure_live(deployed, own, "credit", write_credit, print)
    client, events = local_client(deployed.outputs["ApiUrl"]), deployed.local_aws.client("events")
    rows = []
    for clients, pause in STREAMS:
        stream = Traffic(
            client, "credit", credit_records(), events,
            stack=deployed.stack_name, clients=clients, pause=pause,
        )  # fmt: skip
        with stream:
            began = time.monotonic()
            caught = release_bad_version(deployed, own, "credit", stream, _quiet, THROWS)
            seconds = time.monotonic() - began
        rows.append(
            {
                "requests_per_second": round(len(stream.sent) / seconds, 1),
                "harmed_seconds": caught.harmed_seconds and round(caught.harmed_seconds, 1),
                "failed_requests": caught.failed_requests,
                "release_seconds": round(seconds, 1),
                "reason": caught.reason,
            }
        )
        print(f"  release {rows[-1]}", flush=True)
    return rows


def _quiet(_line: str) -> None:
    pass


def simulated() -> list[dict[str, Any]]:
    """Return minutes from the canary's begin to its end for harm, by rate and share that fails."""
    plan, rows = plan_of_credit(), []
    for index, failures in enumerate(HARMS):
        scenario = Scenario(f"fails {failures:.1%}", replace(Version(), failures=failures))
        for rate in RATES:
            found = [run_canary(plan, scenario, rate, [SEED, index, rate, n]) for n in range(RUNS)]
            harmed = sorted(run.minutes for run in found if run.outcome == HARM)
            failed = sorted(run.failed for run in found if run.outcome == HARM)
            rows.append(
                {
                    "failures": failures,
                    "requests_per_minute": rate,
                    "runs": RUNS,
                    "harm": len(harmed),
                    "minutes": _middle(harmed),
                    "failed_requests": _middle(failed),
                }
            )
    return rows


def _middle(values: Sequence[int]) -> list[int] | None:
    """Return median and 95th percentile; None of nothing."""
    if not values:
        return None
    return [values[len(values) // 2], values[min(len(values) - 1, int(0.95 * len(values)))]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for; return 0, or 1 where a write was lost or a pool exceeded."""
    parts = {"registry", "jobs", "release", "simulation"}
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth.control")
    parser.add_argument("--only", nargs="+", choices=sorted(parts), default=sorted(parts))
    asked = set(parser.parse_args(arguments).only)
    report: dict[str, Any] = {"machine": machine.facts()}
    if "simulation" in asked:
        print("simulation")
        report["simulation"] = simulated()
    if asked - {"simulation"}:
        deployed = reviews_live()
        measures: dict[str, Callable[[Deployed], Any]] = {
            "registry": registry, "jobs": jobs, "release": releases,
        }  # fmt: skip
        for name, measure in measures.items():
            if name in asked:
                print(name, flush=True)
                report[name] = measure(deployed)
    if asked == parts:
        path = write("control-growth", report)
        (RESULTS / "control-growth.svg").write_text(control_plot.drawn(report))
        print(f"written to {path}")
    lost = sum(row["lost_writes"] for row in report.get("registry", {}).get("rows", []))
    over = [row for row in report.get("jobs", []) if row["most_at_once"] > row["pool"]]
    if lost or over:
        print(f"DOES NOT HOLD: {lost} writes lost, pools exceeded: {over}")
    return 1 if lost or over else 0


if __name__ == "__main__":
    sys.exit(main())
