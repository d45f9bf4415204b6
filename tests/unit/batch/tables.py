"""Rows of churn and in-memory files for the tests of batch."""

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from boringml.batch.chunks import Chunk
from boringml.batch.planning import plan_chunks
from boringml.batch.run import BatchRun, InputFile
from boringml.contract.contract import Contract

ROOT = Path(__file__).parents[3]
DOCUMENT: dict[str, Any] = json.loads((ROOT / "models/churn/contract.json").read_text())
CONTRACT = Contract.of(DOCUMENT)
KEY = "customer_id"
RECORD: dict[str, Any] = DOCUMENT["examples"][0]["record"]
RUN = BatchRun("churn", "0123456789abcdef", 1, "2026-11-24", 7, "s3://p/c/", "sha256:0", "map")


@dataclass
class Memory:
    """A source in memory that counts what is read of it."""

    content: bytes
    fetched: int = 0

    @property
    def size(self) -> int:
        return len(self.content)

    def read(self, start: int, end: int) -> bytes:
        self.fetched += end - start
        return self.content[start:end]

    def open(self) -> IO[bytes]:
        return io.BytesIO(self.content)


def rows(count: int, **changed: Any) -> list[dict[str, Any]]:
    """Return good rows with keys K1, K2, ...; `changed` holds {row number: {field: value}}."""
    found = [{KEY: f"K{number}", **RECORD} for number in range(1, count + 1)]
    for number, fields in changed.items():
        found[int(number.removeprefix("row")) - 1].update(fields)
    return found


def csv_of(found: list[dict[str, Any]], **options: Any) -> bytes:
    return pd.DataFrame(found).to_csv(index=False, **options).encode()


def lines_of(found: list[Any]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in found)


def parquet_of(found: list[dict[str, Any]], group: int | None = None) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(found), sink, row_group_size=group)
    return sink.getvalue()


def planned(name: str, content: bytes, chunk_rows: int = 1000) -> tuple[list[Chunk], Memory]:
    """Return the chunks of one file, and the file."""
    source = Memory(content)
    file = InputFile(f"batch/churn/incoming/{name}", "v1", "e1", len(content))
    return plan_chunks([file], lambda _file: source, CONTRACT, KEY, chunk_rows), source
