"""Whether the hot path has become slower: `python -m benchmarks.serving.guard`, a step of CI.

The handler and raw `session.run` take turns of a hundred calls, a thousand times, in one process;
each one's best turns count. A busy machine slows both, and what is best of a thousand short turns
is hardly ever disturbed. The bound is generous, so that it tells of what nobody meant: the standard
json in place of orjson, a second copy of the record, a log line that is encoded as a whole. No time
is held to anything. The modules that a start may import are a unit test's: test_app.py.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.racing import Call, quantile
from benchmarks.serving import credit
from benchmarks.serving.hot_path import competitors, lambda_stdout

BOUND = 2.0
TURNS, CALLS = 1000, 100


def best(call: Call) -> float:
    """Return the nanoseconds of one turn."""
    begin = time.perf_counter_ns()
    for _ in range(CALLS):
        call()
    return time.perf_counter_ns() - begin


def ratio(package: Path, turns: int = TURNS) -> float:
    """Return the handler's best turns over raw ONNX Runtime's."""
    with lambda_stdout() as wind_back:
        calls = competitors(package)
        times: dict[str, list[float]] = {"raw": [], "handler": []}
        for _ in range(turns):
            wind_back()
            for name, found in times.items():
                found.append(best(calls[name]))
    # Not the very best, which may be a trick of the clock.
    handler, raw = (quantile(times[name], 0.02) for name in ("handler", "raw"))
    return handler / raw


def main() -> int:
    """Print the ratio; return 1 where it is above the bound twice in a row."""
    parser = argparse.ArgumentParser(description="Whether the hot path has become slower.")
    parser.add_argument("--home", type=Path, help="folder to keep the trained model in")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        package = credit.train(asked.home or Path(folder))
        for _ in range(2):
            found = ratio(package)
            print(f"handler over raw session.run: {found:.2f} (at most {BOUND})", flush=True)
            if found <= BOUND:
                return 0
    print("The hot path has become slower: docs/performance.md says how to profile it.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
