"""Rows a second of the map engine's own code, beside raw ONNX Runtime on the same rows.

`python -m benchmarks.batch.throughput` resamples the real customers to 2 million rows, cuts them as
a run does, and lets four take turns, chunk by chunk, in one process and on one thread:

- `engine`: all that ScoreChunk does: read Parquet, hold rows to the contract, score, write Parquet;
- `raw`: `session.run` of model.onnx on the same rows, which are ready in memory, in batches of the
  same size: what the goal calls inference alone;
- `inner`: the session that the engine itself runs, on rows that are ready in memory;
- `bad rows`: as `engine`, with 3 rows of 100 bad, of eight kinds.

Apart from these: batches of other sizes, and reading in a thread of its own. Memory is that of a
process of its own for each size. Files are on disk in place of S3. Results go to
benchmarks/results/batch-throughput.json. About three minutes.
"""

import argparse
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks import machine
from benchmarks.goals import Goal, write
from benchmarks.racing import Spread
from boringml.batch import reading
from boringml.batch.categories import Texts
from boringml.batch.checking import RowChecker
from boringml.batch.column_model import ColumnModel, load_column_model
from boringml.batch.planning import plan_chunks
from boringml.batch.reading import checked_rows
from boringml.batch.run import BatchRun, InputFile
from boringml.batch.score_chunk import score_chunk
from boringml.package import layout
from boringml.package.manifest import package_digest
from boringml.serving.model import open_session
from local.datasets import churn, write_churn

ROOT = Path(__file__).resolve().parents[2]
CHUNK_ROWS = 100_000
ROWS = (500_000, 2_000_000)
BATCHES = (2048, 8192, 16_384, 65_536)
# What is bad of 3 rows in 100.
BAD: list[dict[str, Any]] = [
    {"tenure": -1}, {"tenure": 601}, {"female": 2}, {"monthly_charges": float("inf")},
    {"monthly_charges": None}, {"contract": "Three year"}, {"partner": None}, {"customer_id": ""},
]  # fmt: skip
KEY = "customer_id"
RUN = BatchRun("churn", "0" * 16, 1, "2026-01-01", 1, "s3://b/p/", "sha256:0", "map")


class File:
    """A file on disk as a source."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size = path.stat().st_size

    def read(self, start: int, end: int) -> bytes:
        """Return the bytes `start` to `end`."""
        with self._path.open("rb") as stream:
            stream.seek(start)
            return stream.read(end - start)

    def open(self) -> IO[bytes]:
        """Return the file."""
        return self._path.open("rb")


def resampled(path: Path, rows: int, bad_share: float = 0.0) -> None:
    """Write real customers, drawn with a fixed seed and named anew, in groups of a chunk."""
    frame = churn().drop(columns="churn")
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
    picked = np.random.default_rng(20260101)
    with pq.ParquetWriter(path, table.schema) as writer:
        for start in range(0, rows, CHUNK_ROWS):
            count = min(CHUNK_ROWS, rows - start)
            part = table.take(pa.array(picked.integers(0, table.num_rows, count)))
            names = [f"R{start + place:07d}" for place in range(count)]
            keys = pa.array(names, table.schema.field(KEY).type)
            part = part.set_column(0, KEY, keys)
            if bad_share:
                part = _spoilt(part, picked, bad_share)
            writer.write_table(part, row_group_size=CHUNK_ROWS)


def _spoilt(part: Any, picked: np.random.Generator, share: float) -> Any:
    """Return the rows with some made bad, each in one of the ways of BAD."""
    kind = np.where(
        picked.random(part.num_rows) < share, picked.integers(0, len(BAD), part.num_rows), -1
    )
    for number, fields in enumerate(BAD):
        ((name, value),) = fields.items()
        place = part.schema.get_field_index(name)
        column = part.column(name).combine_chunks()
        wrong = pa.scalar(value, column.type)
        mask = pa.array(kind == number)
        part = part.set_column(place, part.schema.field(name), pc.if_else(mask, wrong, column))
    return part


def model_of(package: Path) -> ColumnModel:
    """Return the model of a package on disk."""
    digest = package_digest(json.loads((package / layout.MANIFEST).read_text()))
    return load_column_model(lambda name: (package / name).read_bytes(), "churn", digest, 1)


def train(home: Path) -> Path:
    """Train churn on all customers by the container's own code; return the package."""
    config = home / "input" / "config"
    config.mkdir(parents=True)
    (config / "hyperparameters.json").write_text(json.dumps({"model": "churn"}))
    write_churn(home / "input" / "data" / "train" / "customers.csv")
    environment = {"PATH": os.environ["PATH"], "ML_ROOT": str(home)}
    subprocess.run([sys.executable, ROOT / "container" / "train"], env=environment, check=True)
    return home / "model"


def pieces(path: Path, model: ColumnModel) -> Iterator[Any]:
    """Yield the chunks of a file as a run plans them."""
    file = InputFile("batch/churn/incoming/all.parquet", "v", "e", path.stat().st_size)
    yield from plan_chunks([file], lambda _file: File(path), model.contract, KEY, CHUNK_ROWS)


def score(path: Path, package: Path) -> dict[str, Any]:
    """Score a file once, alone in this process; return seconds, rows and peak memory in MB."""
    model, source = model_of(package), File(path)
    before = peak()
    began, rows, written = time.perf_counter(), 0, list[int]()
    for chunk in pieces(path, model):
        counts = score_chunk(
            RUN, chunk, source, model, KEY, lambda _key, content: written.append(len(content))
        )
        rows += counts.scored
    seconds = time.perf_counter() - began
    return {
        "rows": rows,
        "seconds": round(seconds, 3),
        "rows_per_second": round(rows / seconds),
        "peak_mb": peak(),
        "peak_before_scoring_mb": before,
        "written_mb": round(sum(written) / 1e6, 1),
    }


def compare(path: Path, spoilt: Path, package: Path) -> dict[str, Any]:
    """Return the seconds of wall and of CPU of each competitor, chunk by chunk in turn."""
    model, source, bad = model_of(package), File(path), File(spoilt)
    checker, texts = RowChecker(model.contract, KEY), Texts(model.contract.features)
    raw = open_session((package / layout.ONNX_MODEL).read_bytes())
    spoilt_chunks = list(pieces(spoilt, model))
    found: dict[str, list[tuple[float, float]]] = {}
    # The first chunk warms up and is not counted.
    for number, chunk in enumerate(pieces(path, model)):
        # What inference alone is given is ready in memory, in the same batches.
        ready = [checked.accepted for checked in checked_rows(chunk, source, checker)]
        tensors = [
            {
                layout.NUMERIC_INPUT: part.numeric,
                layout.CATEGORICAL_INPUT: texts.of(part.places),
            }
            for part in ready
        ]

        def engine(chunk: Any = chunk) -> None:
            score_chunk(RUN, chunk, source, model, KEY, lambda _key, _content: None)

        def alone(tensors: Any = tensors) -> None:
            for inputs in tensors:
                raw.run([layout.PROBABILITIES_OUTPUT], inputs)

        def inner(ready: Any = ready) -> None:
            for part in ready:
                model.predict_columns(part.numeric, part.places)

        worse = spoilt_chunks[number % len(spoilt_chunks)]

        def bad_rows(chunk: Any = worse) -> None:
            score_chunk(RUN, chunk, bad, model, KEY, lambda _key, _content: None)

        turns = {"engine": engine, "raw": alone, "inner": inner, "bad rows": bad_rows}
        for name, call in list(turns.items())[:: 1 if number % 2 else -1]:
            seconds = timed(call)
            if number:
                found.setdefault(name, []).append(seconds)
    return {name: np.array(times).T.tolist() for name, times in found.items()}


def timed(call: Callable[[], None]) -> tuple[float, float]:
    """Return the seconds of a call: of the clock, and of this process on a core."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - cpu


def overlap(path: Path, package: Path, chunks: int = 8) -> list[float]:
    """Return of each chunk how many times as fast it is with rows read in a thread of their own."""
    model, source = model_of(package), File(path)
    checker = RowChecker(model.contract, KEY)
    ratios = []
    for chunk in list(pieces(path, model))[:chunks]:

        def plain(chunk: Any = chunk) -> None:
            for part in checked_rows(chunk, source, checker):
                model.predict_columns(part.accepted.numeric, part.accepted.places)

        def threaded(chunk: Any = chunk) -> None:
            ahead: queue.Queue[Any] = queue.Queue(maxsize=2)

            def read() -> None:
                for part in checked_rows(chunk, source, checker):
                    ahead.put(part.accepted)
                ahead.put(None)

            reader = threading.Thread(target=read)
            reader.start()
            while (part := ahead.get()) is not None:
                model.predict_columns(part.numeric, part.places)
            reader.join()

        ratios.append(timed(plain)[0] / timed(threaded)[0])
    return ratios


def peak() -> float:
    """Return the most memory that this program ever had, in MB.

    Not getrusage's, which counts what the process was before it became this program.
    """
    status = Path("/proc/self/status").read_text()
    return round(int(status.split("VmHWM:")[1].split()[0]) / 1024, 1)


def apart(file: Path, package: Path, batch_rows: int = reading.BATCH_ROWS) -> dict[str, Any]:
    """Score a file in a process of its own and return what `score` returns."""
    command = [sys.executable, "-m", "benchmarks.batch.throughput", "--file", str(file)]
    arguments = ["--package", str(package), "--batch-rows", str(batch_rows)]
    done = subprocess.run([*command, *arguments], cwd=ROOT, check=True, capture_output=True)
    return dict(json.loads(done.stdout))


def measure(home: Path, tell: Callable[[str], None]) -> dict[str, Any]:
    """Measure everything with files below `home`; return the report."""
    package = train(home / "ml")
    files = {rows: home / f"{rows}.parquet" for rows in ROWS}
    for rows, file in files.items():
        resampled(file, rows)
    spoilt = home / "spoilt.parquet"
    resampled(spoilt, ROWS[0], bad_share=0.03)
    tell(f"{ROWS[1]:,} rows beside raw ONNX Runtime")
    times = compare(files[ROWS[1]], spoilt, package)
    tell("memory, each size twice in a process of its own")
    alone = [apart(files[rows], package) for _ in range(2) for rows in ROWS]
    tell("other sizes of a batch")
    sizes = {rows: apart(files[ROWS[0]], package, rows) for rows in BATCHES}
    tell("reading in a thread of its own")
    ahead = overlap(files[ROWS[1]], package)
    ratio = {name: _ratios(times, "raw", name) for name in ("engine", "bad rows")}
    inner = _ratios(times, "inner", "engine")
    peaks = {rows: [one["peak_mb"] for one in alone if one["rows"] == rows] for rows in ROWS}
    growth = Spread.of([after / before for before in peaks[ROWS[0]] for after in peaks[ROWS[1]]])
    what = "batch end to end over inference alone, Parquet in and out"
    note = "one thread; inference alone is session.run of model.onnx"
    goals = [
        Goal(what, "at least", 0.9, ratio["engine"]["wall"], note=note),
        Goal("batch memory for 4 times the rows", "at most", 1.1, growth),
    ]
    return {
        "machine": machine.facts(["numpy", "onnxruntime", "pyarrow", "scikit-learn", "skl2onnx"]),
        "goals": [goal.told() for goal in goals],
        "chunk_rows": CHUNK_ROWS,
        "batch_rows": reading.BATCH_ROWS,
        "rows_per_second": {
            name: round(CHUNK_ROWS / Spread.of(wall).median) for name, (wall, _) in times.items()
        },
        "ratios": {
            "engine over raw": _told(ratio["engine"]),
            "engine with bad rows over raw": _told(ratio["bad rows"]),
            "engine over its own inference": _told(inner),
            "reading in a thread over one thread": Spread.of(ahead).rounded(),
        },
        "alone": alone,
        "by_batch_rows": sizes,
        "seconds_of_chunks": {
            name: [[round(value, 4) for value in kind] for kind in both]
            for name, both in times.items()
        },
    }


def _ratios(times: dict[str, list[list[float]]], over: str, name: str) -> dict[str, Spread]:
    """Return how the rows a second of one are to those of another, by the clock and by CPU."""
    return {
        kind: Spread.of([b / a for a, b in zip(times[name][row], times[over][row], strict=True)])
        for row, kind in enumerate(("wall", "cpu"))
    }


def _told(spreads: dict[str, Spread]) -> dict[str, dict[str, float]]:
    return {kind: spread.rounded() for kind, spread in spreads.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, or, with --file, score one file in this process for its memory; return 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batch.throughput")
    parser.add_argument("--file", type=Path)
    parser.add_argument("--package", type=Path)
    parser.add_argument("--batch-rows", type=int, default=reading.BATCH_ROWS)
    asked = parser.parse_args(arguments)
    if asked.file:
        reading.BATCH_ROWS = asked.batch_rows
        print(json.dumps(score(asked.file, asked.package)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        report = measure(Path(folder), print)
    path = write("batch-throughput", report)
    shown = {name: report[name] for name in ("rows_per_second", "ratios", "goals")}
    print(json.dumps(shown, indent=1))
    print(f"written to {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
