"""Rows a second of the map engine's own code, beside raw ONNX Runtime on the same rows.

`python -m benchmarks.batch.throughput` resamples the real customers to 2 million rows, cuts them as
a run does, scores every chunk by the code of ScoreChunk, and writes results to
benchmarks/results/batch-throughput.json. The two take turns, chunk by chunk, in one process and on
one thread; memory is that of a process of its own for each size. Files are on disk in place of S3.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from boringml.batch.checking import RowChecker
from boringml.batch.planning import plan_chunks
from boringml.batch.reading import checked_rows
from boringml.batch.run import BatchRun, InputFile
from boringml.batch.score_chunk import score_chunk
from boringml.package import layout
from boringml.package.manifest import package_digest
from boringml.serving.model import Model, load_model
from local.datasets import churn, write_churn

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "batch-throughput.json"
CHUNK_ROWS = 100_000
ROWS = (500_000, 2_000_000)
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


def resampled(path: Path, rows: int) -> None:
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
            writer.write_table(part.set_column(0, KEY, keys), row_group_size=CHUNK_ROWS)


def model_of(package: Path) -> Model:
    """Return the model of a package on disk."""
    digest = package_digest(json.loads((package / layout.MANIFEST).read_text()))
    return load_model(lambda name: (package / name).read_bytes(), "churn", digest, 1)


def train(home: Path) -> Path:
    """Train churn on all customers by the container's own code; return the package."""
    config = home / "input" / "config"
    config.mkdir(parents=True)
    (config / "hyperparameters.json").write_text(json.dumps({"model": "churn"}))
    write_churn(home / "input" / "data" / "train" / "customers.csv")
    environment = {"PATH": os.environ["PATH"], "ML_ROOT": str(home)}
    subprocess.run([sys.executable, ROOT / "container" / "train"], env=environment, check=True)
    return home / "model"


def pieces(path: Path, model: Model) -> Iterator[Any]:
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


def compare(path: Path, package: Path) -> dict[str, Any]:
    """Return the rows a second of both, chunk by chunk in turn, on the same rows."""
    model, source = model_of(package), File(path)
    checker = RowChecker(model.contract, KEY)
    engine: list[float] = []
    raw: list[float] = []
    rows = 0
    for number, chunk in enumerate(pieces(path, model)):
        # What raw ONNX Runtime is given is ready in memory, in the same batches.
        ready = [checked.accepted for checked in checked_rows(chunk, source, checker)]

        def by_engine(chunk: Any = chunk) -> None:
            score_chunk(RUN, chunk, source, model, KEY, lambda _key, _content: None)

        def by_raw(ready: Any = ready) -> None:
            for part in ready:
                model.predict_columns(part.numeric, part.categorical)

        for times, call in [(engine, by_engine), (raw, by_raw)][:: 1 if number % 2 else -1]:
            began = time.perf_counter()
            call()
            times.append(time.perf_counter() - began)
        rows += chunk.rows
    return {
        "rows": rows,
        "engine_rows_per_second": round(rows / sum(engine)),
        "raw_rows_per_second": round(rows / sum(raw)),
        "engine_share_of_raw": round(sum(raw) / sum(engine), 3),
        "median_ratio_of_chunks": round(
            statistics.median(r / e for r, e in zip(raw, engine, strict=True)), 3
        ),
    }


def peak() -> float:
    """Return the most memory that this program ever had, in MB.

    Not getrusage's, which counts what the process was before it became this program.
    """
    status = Path("/proc/self/status").read_text()
    return round(int(status.split("VmHWM:")[1].split()[0]) / 1024, 1)


def main() -> None:
    """Measure, or, with --file, score one file in this process for its memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--package", type=Path)
    asked = parser.parse_args()
    if asked.file:
        print(json.dumps(score(asked.file, asked.package)))
        return
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        package = train(home / "ml")
        alone = []
        for rows in ROWS:
            file = home / f"{rows}.parquet"
            resampled(file, rows)
            command = [sys.executable, "-m", "benchmarks.batch.throughput"]
            arguments = ["--file", str(file), "--package", str(package)]
            done = subprocess.run([*command, *arguments], cwd=ROOT, check=True, capture_output=True)
            alone.append(json.loads(done.stdout))
        found = {
            "machine": f"{platform.machine()}, Python {platform.python_version()}",
            "chunk_rows": CHUNK_ROWS,
            "beside_raw": compare(home / f"{ROWS[-1]}.parquet", package),
            "alone": alone,
        }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
