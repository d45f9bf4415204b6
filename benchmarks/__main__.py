"""Every benchmark in turn, and the table of goals: `python -m benchmarks` (make bench).

Each topic is a program of its own, that writes benchmarks/results/<topic>.json; then goals.md and
goals.svg are made of all results that have `goals`. Under 15 minutes on 2 cores, the environments
of the peers, which are made once, not counted. `--table` makes the table alone.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.goals import RESULTS, picture, table
from benchmarks.serving import credit

ROOT = Path(__file__).resolve().parents[1]
# Module, its results, the seconds that it may take at most, and whether it takes a trained credit.
TOPICS = {
    "benchmarks.serving.hot_path": ("serving-hot-path", 120, True),
    "benchmarks.serving.peers_race": ("serving-peers", 900, True),
    "benchmarks.serving.start": ("serving-start", 300, True),
    "benchmarks.batch.throughput": ("batch-throughput", 420, False),
}


def run(module: str, limit: int, arguments: list[str]) -> bool:
    """Run one topic; return whether it ended well in its time."""
    print(f"\n=== {module}", flush=True)
    begin = time.monotonic()
    try:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        print(f"{module} took more than {limit} s", flush=True)
        return False
    print(f"{module}: {time.monotonic() - begin:.0f} s", flush=True)
    return done.returncode == 0


def tabulate() -> str:
    """Write goals.md and goals.svg of the results that are there; return the table."""
    goals = []
    for topic, _limit, _takes in TOPICS.values():
        path = RESULTS / f"{topic}.json"
        if path.exists():
            goals += json.loads(path.read_text()).get("goals", [])
    text = table(goals)
    (RESULTS / "goals.md").write_text(text)
    (RESULTS / "goals.svg").write_text(picture(goals))
    return text


def main() -> int:
    """Run all topics, print the table; return 0 where each topic ended well."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--table", action="store_true", help="of the results that are there")
    asked = parser.parse_args()
    failed = []
    if not asked.table:
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            credit.train(home)
            for module, (_topic, limit, takes_credit) in TOPICS.items():
                arguments = ["--home", str(home)] if takes_credit else []
                if not run(module, limit, arguments):
                    failed.append(module)
    print(tabulate())
    for module in failed:
        print(f"{module} has no new results")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
