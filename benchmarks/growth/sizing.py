"""Start and prediction at the CPU shares of memory sizes: `python -m benchmarks.growth.sizing`.

Each size runs the code of the serving function in a fresh process that has the share of a core
which Lambda gives at that size (benchmarks/growth/cpu_share.py). Told are, for credit:

- the start: from the process' beginning to its first answer, by the clock and in CPU seconds;
- predictions with a pause of two periods between them, as requests come to one environment, and
  back to back, where the quota is used up;
- the most memory of the process.

The model's file is on disk in place of S3. Results go to benchmarks/results/memory-sizing.json.
Five rounds of all sizes in turn, about two minutes.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.goals import write
from benchmarks.growth.cpu_share import PERIOD_US, NoCgroupError, share_of_core
from benchmarks.racing import Spread, quantile
from boringml.governance.memory_size import cpu_share

ROOT = Path(__file__).resolve().parents[2]
NAME, VERSION = "credit", 3
SIZES = (128, 256, 512, 1024, 1769)
ROUNDS = 5
PAUSED, STEADY = 60, 600
# Joins the group, then becomes the program: so its whole life has the share.
_JOIN = (
    "import os, sys; open(sys.argv[1], 'w').write(str(os.getpid())); "
    "os.execv(sys.argv[2], sys.argv[2:])"
)


def child(package: Path) -> dict[str, Any]:
    """Do what the function does from its first import on; return what it took."""
    from boringml.package.manifest import package_digest
    from boringml.serving.model import load_model
    from boringml.serving.predict import Predictor

    digest = package_digest(json.loads((package / "manifest.json").read_text()))
    model = load_model(lambda name: (package / name).read_bytes(), NAME, digest, VERSION)
    predictor = Predictor(NAME, model, "7", write=lambda _line: None)
    event = json.loads((ROOT / "events/serving/predict_one.json").read_text())
    assert predictor.answer(event, "first")["statusCode"] == 200
    began = float(os.environ["BEGAN"])
    found: dict[str, Any] = {"start_s": time.time() - began, "start_cpu_s": time.process_time()}

    def call() -> float:
        begin = time.perf_counter()
        predictor.answer(event, "again")
        return (time.perf_counter() - begin) * 1000

    paused = []
    for _ in range(PAUSED):
        time.sleep(2 * PERIOD_US / 1e6)
        paused.append(call())
    cpu = time.process_time()
    steady = [call() for _ in range(STEADY)]
    found["cpu_ms_each"] = (time.process_time() - cpu) / STEADY * 1000
    for name, times in (("paused", paused), ("steady", steady)):
        found[f"{name}_ms"] = {
            "p50": quantile(times, 0.5),
            "p95": quantile(times, 0.95),
            "mean": statistics.mean(times),
        }
    status = Path("/proc/self/status").read_text()
    found["peak_mb"] = int(status.split("VmHWM:")[1].split()[0]) / 1024
    return found


def at(memory_mb: int, package: Path) -> dict[str, Any]:
    """Run `child` with the share of a core of a size. Raises NoCgroupError."""
    with share_of_core(cpu_share(memory_mb)) as joined:
        command = [sys.executable, "-c", _JOIN, str(joined), sys.executable]
        arguments = ["-m", "benchmarks.growth.sizing", "--child", str(package)]
        environment = {**os.environ, "BEGAN": str(time.time())}
        done = subprocess.run(
            [*command, *arguments], cwd=ROOT, env=environment, capture_output=True, check=True
        )
    return dict(json.loads(done.stdout))


def spread_of(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the spread of each number over the rounds."""
    first = found[0]
    return {
        name: spread_of([one[name] for one in found])
        if isinstance(value, dict)
        else Spread.of([one[name] for one in found]).rounded(4)
        for name, value in first.items()
    }


def train(home: Path) -> Path:
    """Train credit on all loans by the container's own code; return the package."""
    from local.datasets import write_credit

    config = home / "input" / "config"
    config.mkdir(parents=True)
    (config / "hyperparameters.json").write_text(json.dumps({"model": NAME}))
    write_credit(home / "input" / "data" / "train" / "loans.csv")
    environment = {"PATH": os.environ["PATH"], "ML_ROOT": str(home)}
    command = [sys.executable, ROOT / "container" / "train"]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return home / "model"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return 0, or 1 where CPU cannot be shared out."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth.sizing")
    parser.add_argument("--child", type=Path)
    asked = parser.parse_args(arguments)
    if asked.child:
        print(json.dumps(child(asked.child)))
        return 0
    rounds: dict[int, list[dict[str, Any]]] = {memory: [] for memory in SIZES}
    with tempfile.TemporaryDirectory() as folder:
        package = train(Path(folder))
        try:
            for number in range(ROUNDS + 1):
                print(f"round {number} of {ROUNDS}" if number else "warm-up", flush=True)
                for memory in SIZES[:: 1 if number % 2 else -1]:
                    found = at(memory, package)
                    if number:
                        rounds[memory].append(found)
        except NoCgroupError as error:
            print(f"not measured: {error}")
            return 1
    report = {
        "machine": machine.facts(["numpy", "onnxruntime"]),
        "period_us": PERIOD_US,
        "model": NAME,
        "sizes": [
            {"memory_mb": memory, "cpu_share": round(cpu_share(memory), 4), **spread_of(found)}
            for memory, found in rounds.items()
        ],
    }
    path = write("memory-sizing", report)
    print(f"{'MB':>6}{'CPU':>7}{'start s':>10}{'paused p50':>12}{'steady mean':>13}{'peak MB':>9}")
    for size in report["sizes"]:
        told = (
            size["start_s"],
            size["paused_ms"]["p50"],
            size["steady_ms"]["mean"],
            size["peak_mb"],
        )
        shown = "".join(
            f"{one['median']:>{w}.3f}" for one, w in zip(told, (10, 12, 13, 9), strict=True)
        )
        print(f"{size['memory_mb']:>6}{size['cpu_share']:>7.3f}{shown}")
    print(f"written to {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
