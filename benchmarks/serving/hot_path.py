"""The handler beside raw ONNX Runtime: `python -m benchmarks.serving.hot_path`.

Both have a model of the same bytes and are given the same real loans, one after the other. The
handler is given API Gateway's event and does all that it does in Lambda; its lines go through a
stream like that of Lambda's runtime into a file in memory. Raw is `session.run` on tensors that are
ready, of a session with ONNX Runtime's defaults on one thread; a third competitor is the same with
the options of our own session.
"""

import argparse
import itertools
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import onnxruntime

from benchmarks import machine
from benchmarks.goals import Goal, write
from benchmarks.racing import Call, Race, race
from benchmarks.serving import credit
from boringml.package import layout
from boringml.serving.model import open_session
from boringml.serving.predict import Predictor

LONG = 100


class Unbuffered:
    """A stream as Lambda's runtime puts it in place of sys.stdout."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> None:
        """Write and flush, as awslambdaric's bootstrap does."""
        self._stream.write(text)
        self._stream.flush()


@contextmanager
def lambda_stdout() -> Iterator[Call]:
    """Let this process print as a function does, and yield what winds its log back."""
    with tempfile.TemporaryFile("w", dir=_memory()) as log:
        before, sys.stdout = sys.stdout, Unbuffered(log)  # type: ignore[assignment]
        descriptor = log.fileno()

        try:
            yield lambda: os.lseek(descriptor, 0, os.SEEK_SET)
        finally:
            sys.stdout = before


def _memory() -> str | None:
    """Return a folder in memory, so that no disk is measured; None where there is none."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def competitors(package: Path) -> dict[str, Call]:
    """Return raw and handler, for one record and for 100."""
    model = credit.model_of(package)
    onnx = (package / layout.ONNX_MODEL).read_bytes()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    raw = onnxruntime.InferenceSession(onnx, options)
    tuned = open_session(onnx, arena=False)
    predictor = Predictor(credit.NAME, model, "7")
    loans = credit.records(LONG)
    ready = [credit.tensors(model, [loan]) for loan in loans]
    one, same = itertools.cycle(ready), itertools.cycle(ready)
    events = itertools.cycle([credit.event(loan) for loan in loans])
    all_tensors, long_event = credit.tensors(model, loans), credit.event(loans)
    return {
        "raw": lambda: raw.run(credit.OUTPUTS, next(one)),
        "raw, our options": lambda: tuned.run(credit.OUTPUTS, next(same)),
        "handler": lambda: predictor.answer(next(events), "none"),
        "raw 100": lambda: raw.run(credit.OUTPUTS, all_tensors),
        "handler 100": lambda: predictor.answer(long_event, "none"),
    }


def run(package: Path, rounds: int) -> tuple[Race, Race]:
    """Return the races of one record and of a list."""
    with lambda_stdout() as wind_back:
        calls = competitors(package)
        single = {name: call for name, call in calls.items() if "100" not in name}
        one = race(single, rounds, 1000, between=wind_back)
        both = race(calls, rounds, 50, warm_up=20, between=wind_back)
    return one, both


def goals_of(one: Race, both: Race) -> list[Goal]:
    """Return what was found beside what was promised."""
    return [
        Goal(
            "in-handler p50 over raw session.run, one record, log included",
            "at most",
            1.5,
            one.ratio("handler", "raw"),
        ),
        Goal(
            "added by validation, log, metrics, answer: p50",
            "at most",
            10,
            one.added("handler", "raw"),
            "us",
        ),
        Goal(
            "added by validation, log, metrics, answer: p99",
            "at most",
            100,
            one.added("handler", "raw", 0.99),
            "us",
            "the handler's p99 above raw's median",
        ),
        Goal(
            "100 records over one record, in the handler",
            "at most",
            10,
            both.ratio("handler 100", "handler"),
        ),
    ]


def main() -> None:
    """Measure, print and write benchmarks/results/serving-hot-path.json."""
    parser = argparse.ArgumentParser(description="The handler beside raw ONNX Runtime.")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--home", type=Path, help="folder to keep the trained model in")
    asked = parser.parse_args()
    facts = machine.facts(("numpy", "onnxruntime", "msgspec", "orjson"))
    with tempfile.TemporaryDirectory() as folder:
        package = credit.train(asked.home or Path(folder))
        print("hot path: the model is trained, measuring", flush=True)
        one, both = run(package, asked.rounds)
    goals = goals_of(one, both)
    races = {"one record": one, "one record and a list": both}
    report = {
        "machine": facts,
        "rounds": asked.rounds,
        "goals": [goal.told() for goal in goals],
        "over_raw_of_our_options": one.ratio("handler", "raw, our options").rounded(),
        "raw_100_over_raw": both.ratio("raw 100", "raw").rounded(),
        "handler_100_over_raw_100": both.ratio("handler 100", "raw 100").rounded(),
        "p50_us": {
            kind: {name: found.p50(name).rounded(2) for name in found.times}
            for kind, found in races.items()
        },
    }
    write("serving-hot-path", report)
    for goal in goals:
        print(
            f"{goal.measured.median:8.2f} {goal.unit:3} ({goal.sense} {goal.goal:g})  {goal.what}"
        )
    print(
        f"over raw with our options {report['over_raw_of_our_options']['median']}, "
        f"raw 100 over raw 1 {report['raw_100_over_raw']['median']}"
    )


if __name__ == "__main__":
    main()
