"""From nothing to the first answer: `python -m benchmarks.serving.start`.

Each competitor is a fresh process of its own, in an environment of exactly the packages of its
layer, with bytecode compiled: importing numpy and ONNX Runtime and opening the session (the floor);
the function, which reads its package over HTTP from a bucket on this machine, to its first answer;
the same by other ways to read a package; and the function's twin on scikit-learn. A second race has
TLS and a bucket that takes 25 ms to answer, as S3 does; a third has no bytecode, as in a layer that
SAM builds by itself.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.environments import ROOT, python_of
from benchmarks.goals import Goal, write
from benchmarks.racing import Race
from benchmarks.serving import credit
from benchmarks.serving.store import store

PROGRAM = Path(__file__).with_name("starts.py")
WAYS = ("function", "from_disk", "from_http_client", "from_presigned", "from_boto3")
S3_MS = 25


def environment(package: Path, boto3: Path) -> dict[str, str]:
    """Return the variables of a function, and the places of what it reads."""
    paths = [ROOT / "functions/serving/predict", ROOT / "layers/core", boto3]
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        **credit.function_settings(package),
        "AWS_DEFAULT_REGION": "eu-west-1",
        "PACKAGE": str(package),
        "EVENT": str(ROOT / "events/serving/predict_one.json"),
    }


def run(python: Path, name: str, environ: Mapping[str, str]) -> float:
    """Return the seconds of one fresh process."""
    begin = time.perf_counter()
    subprocess.run(
        [python, PROGRAM, name], env=dict(environ), check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - begin


def race(competitors: Mapping[str, tuple[Path, Mapping[str, str]]], rounds: int) -> Race:
    """Run each in turns, once before that counts; times in microseconds, one a round."""
    for name, (python, environ) in competitors.items():
        run(python, name, environ)
    times: dict[str, list[list[float]]] = {name: [] for name in competitors}
    for number in range(rounds):
        for name in list(competitors)[:: 1 if number % 2 else -1]:
            times[name].append([run(competitors[name][0], name, competitors[name][1]) * 1e6])
    return Race(times)


def without_bytecode(python: Path, home: Path) -> dict[str, str]:
    """Return variables under which the packages of an environment are compiled at each start."""
    (packages,) = (python.parent.parent / "lib").glob("python*/site-packages")
    copy = home / "packages"
    shutil.copytree(packages, copy, ignore=shutil.ignore_patterns("__pycache__"))
    core = home / "core"
    shutil.copytree(ROOT / "layers/core", core, ignore=shutil.ignore_patterns("__pycache__"))
    paths = [ROOT / "functions/serving/predict", core, copy]
    return {
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def told(found: Race) -> dict[str, Any]:
    """Return the milliseconds of each competitor, and its ratio over the runtime's."""
    return {
        name: {
            "ms": {key: round(value / 1000, 1) for key, value in vars(found.p50(name)).items()},
            "over_runtime": found.ratio(name, "runtime").rounded(),
        }
        for name in found.times
    }


def main() -> None:
    """Measure, print and write benchmarks/results/serving-start.json."""
    parser = argparse.ArgumentParser(description="From nothing to the first answer.")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--home", type=Path, help="folder to keep the trained model in")
    asked = parser.parse_args()
    facts = machine.facts(("numpy", "onnxruntime", "scikit-learn", "boto3"))
    onnx = python_of("onnx", ROOT / "layers/onnx/requirements.txt")
    sklearn = python_of("sklearn", ROOT / "layers/sklearn/requirements.txt")
    (boto3,) = (ROOT / ".venvs/functions/lib").glob("python*/site-packages")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        package = credit.train(asked.home or home / "ml")
        base = environment(package, boto3)
        print("start: the model is trained, measuring", flush=True)
        names = ("runtime", *WAYS)
        with store(package) as at:
            here = {**base, **at}
            competitors = dict.fromkeys(names, (onnx, here))
            near = race({**competitors, "sklearn": (sklearn, here)}, asked.rounds)
        with store(package, S3_MS, tls=True) as at:
            far = race({name: (onnx, {**base, **at}) for name in names}, asked.rounds)
        with store(package) as at:
            plain = {**base, **at, **without_bytecode(onnx, home)}
            compiling = race(dict.fromkeys(("runtime", "function"), (onnx, plain)), asked.rounds)
    goals = [
        Goal(
            "start: fresh process to first answer over runtime and session",
            "at most",
            1.3,
            near.ratio("function", "runtime"),
        ),
        Goal(
            "start against the sklearn runtime, times faster",
            "at least",
            6,
            near.ratio("sklearn", "function"),
        ),
    ]
    report = {
        "machine": facts,
        "rounds": asked.rounds,
        "goals": [goal.told() for goal in goals],
        "on_this_machine": told(near),
        "with_tls_and_ms_to_first_byte": {"ms": S3_MS, **told(far)},
        "without_bytecode": told(compiling),
    }
    write("serving-start", report)
    for goal in goals:
        print(f"{goal.measured.median:8.2f} ({goal.sense} {goal.goal:g})  {goal.what}")
    for kind, found in (("near", near), ("TLS, 25 ms", far), ("no bytecode", compiling)):
        medians = ", ".join(f"{name} {found.p50(name).median / 1000:.0f}" for name in found.times)
        print(f"{kind}, ms: {medians}")


if __name__ == "__main__":
    main()
