"""Millions of rows through the deployed batch itself: state machine, functions, S3 and all.

`python -m benchmarks.batch.whole_run` (make batch-run) puts the real customers, resampled, into the
lake of the local AWS, lets the map engine score them, and counts: rows in the ledger and distinct
rows that a reader finds, rows a second from the upload's event to the end, and the most memory that
a scoring process had. Results go to benchmarks/results/batch-whole-run.json.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pyarrow.compute as pc

from benchmarks.batch.throughput import CHUNK_ROWS, ROOT, ROWS, resampled
from boringml.adapters.registry_table import RegistryTable
from local.batch_demo import MODEL, table_below
from local.datasets import write_churn
from local.following import executions, follow, started_after
from local.training_demo import ensure_live
from local.up import Deployed, up

RESULTS = ROOT / "benchmarks" / "results" / "batch-whole-run.json"


@dataclass
class Watcher:
    """Keeps the most memory, in MB, that a process of one function ever had."""

    function: str
    peak_mb: float = 0.0
    processes: set[int] = field(default_factory=set)
    _over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Look four times a second, until `stop`; the kernel keeps the peak in between."""
        while not self._over.wait(0.25):
            for process in psutil.process_iter():
                try:
                    if process.environ().get("AWS_LAMBDA_FUNCTION_NAME") != self.function:
                        continue
                    status = Path(f"/proc/{process.pid}/status").read_text()
                except (psutil.Error, OSError):
                    continue
                if "VmHWM:" in status:
                    self.processes.add(process.pid)
                    found = int(status.split("VmHWM:")[1].split()[0]) / 1024
                    self.peak_mb = max(self.peak_mb, round(found, 1))

    def stop(self) -> None:
        """End `run`."""
        self._over.set()


def score(deployed: Deployed, rows: int) -> dict[str, Any]:
    """Score so many rows by an upload; return what the run says, and what a reader finds."""
    s3, states = (deployed.local_aws.client(name) for name in ("s3", "stepfunctions"))
    machine, lake = deployed.outputs["BatchStateMachine"], deployed.outputs["LakeBucket"]
    resource = deployed.local_aws.client("cloudformation").describe_stack_resource(
        StackName=deployed.stack_name, LogicalResourceId="ScoreChunkFunction"
    )
    watcher = Watcher(resource["StackResourceDetail"]["PhysicalResourceId"])
    known = executions(states, machine)
    name = f"resampled-{rows}-{time.strftime('%Y%m%dT%H%M%S')}.parquet"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        resampled(file, rows)
        s3.upload_file(str(file), lake, f"batch/{MODEL}/incoming/{name}")
    thread = threading.Thread(target=watcher.run, daemon=True)
    thread.start()
    begin = time.monotonic()
    try:
        summary = follow(states, started_after(states, machine, known), print)
    finally:
        watcher.stop()
        thread.join()
    seconds = time.monotonic() - begin
    found = table_below(s3, summary["scored_uri"])
    distinct = pc.count_distinct(found.column("key")).as_py() if found is not None else 0
    return {
        "rows": rows,
        "rows_in": summary["rows_in"],
        "scored": summary["scored"],
        "rejected": summary["rejected_rows"],
        "failed": summary["failed_rows"],
        "distinct_rows_found": distinct,
        "seconds": round(seconds, 1),
        "rows_per_second": round(rows / seconds),
        "scoring_processes": len(watcher.processes),
        "peak_mb_of_a_process": watcher.peak_mb,
    }


def main(arguments: list[str] | None = None) -> int:
    """Run it and print what was found; return 0 where all rows add up."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batch.whole_run")
    parser.add_argument("--rows", type=int, nargs="+", default=list(ROWS))
    asked = parser.parse_args(arguments)
    deployed = up()
    registry = RegistryTable(
        deployed.local_aws.client("dynamodb"), deployed.outputs["RegistryTable"]
    )
    ensure_live(deployed, registry, MODEL, write_churn, print)
    runs = [score(deployed, rows) for rows in asked.rows]
    report = {"chunk_rows": CHUNK_ROWS, "runs": runs}
    RESULTS.write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))
    whole = all(run["rows"] == run["scored"] == run["distinct_rows_found"] for run in runs)
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
