"""The Parquet parts that a chunk becomes, and what their footers say.

A chunk's part of scores is written last, so where it is the chunk is whole. Its footer has the
chunk's own counts, which the ledger is made of.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet

if TYPE_CHECKING:
    from boringml.batch.checking import Accepted, Rejection

# Partition keys (model, date, run) are the folder's, not the file's.
SCORED = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("row_number", pa.int64(), nullable=False),
        pa.field("prediction", pa.string(), nullable=False),
        pa.field("probability", pa.float64(), nullable=False),
        pa.field("model_version", pa.int32(), nullable=False),
    ]
)
REJECTED = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("row_number", pa.int64(), nullable=False),
        pa.field("code", pa.string(), nullable=False),
        pa.field("field", pa.string(), nullable=False),
        pa.field("message", pa.string(), nullable=False),
        pa.field("row", pa.string(), nullable=False),
    ]
)
# Rows of a row group: readers skip by it, and a writer holds no more than these.
GROUP_ROWS = 131_072

# Columns that differ in each row.
_DISTINCT = ("key", "row_number", "row")
_CHUNK, _SECONDS = b"boringml.chunk", b"boringml.seconds"


@dataclass(frozen=True)
class PartFacts:
    """What a part's footer says: its chunk, its rows, and the seconds that making it took."""

    chunk: int
    rows: int
    seconds: float


class PartWriter:
    """Writes one part to memory, a row group at a time."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema
        self._sink = io.BytesIO()
        self._writer = pyarrow.parquet.ParquetWriter(
            self._sink,
            schema,
            compression="zstd",
            # A dictionary of what no two rows share would be made in vain, as would the least and
            # greatest of texts that nobody seeks a range of.
            use_dictionary=[name for name in schema.names if name not in _DISTINCT],
            write_statistics=["key", "row_number", "probability"],
            column_encoding={"row_number": "DELTA_BINARY_PACKED"},
        )
        self._waiting: list[Any] = []
        self._waiting_rows = 0
        self.rows = 0

    def add(self, batch: Any) -> None:
        """Add a record batch of the schema."""
        self._waiting.append(batch)
        self._waiting_rows += batch.num_rows
        self.rows += batch.num_rows
        if self._waiting_rows >= GROUP_ROWS:
            self._flush()

    def finish(self, chunk: int, seconds: float) -> bytes:
        """Return the file."""
        self._flush()
        facts = {_CHUNK: str(chunk), _SECONDS: f"{seconds:.3f}"}
        self._writer.add_key_value_metadata(facts)
        self._writer.close()
        return self._sink.getvalue()

    def _flush(self) -> None:
        if self._waiting:
            table = pa.Table.from_batches(self._waiting, self._schema)
            self._writer.write_table(table, row_group_size=GROUP_ROWS)
            self._waiting, self._waiting_rows = [], 0


def scored_batch(
    source: str,
    accepted: "Accepted",
    probabilities: Any,
    labels: tuple[str, str],
    threshold: float,
    version: int,
) -> Any:
    """Return the scores of rows; `labels` are the negative and the positive one."""
    return scores(
        source, accepted.keys, accepted.row_numbers, probabilities, probabilities >= threshold,
        labels, version,
    )  # fmt: skip


def scores(
    source: str,
    keys: Any,
    row_numbers: Any,
    probabilities: Any,
    positive: Any,
    labels: tuple[str, str],
    version: int,
) -> Any:
    """Return a record batch of SCORED."""
    rows = len(row_numbers)
    words = pa.DictionaryArray.from_arrays(pa.array(positive, pa.int8()), pa.array(labels))
    columns = [
        pa.array(keys, pa.string()),
        pa.repeat(source, rows),
        pa.array(row_numbers, pa.int64()),
        words.cast(pa.string()),
        pa.array(probabilities, pa.float64()),
        pa.repeat(pa.scalar(version, pa.int32()), rows),
    ]
    return pa.record_batch(columns, schema=SCORED)


def rejected_batch(source: str, rejected: "Iterable[Rejection]") -> Any:
    """Return a record batch of REJECTED."""
    found = list(rejected)
    columns: dict[str, list[object]] = {
        name: [getattr(one, name) for one in found]
        for name in ("row_number", "code", "field", "message", "row")
    }
    return pa.RecordBatch.from_pydict({"source": [source] * len(found), **columns}, REJECTED)


def facts_of(file: IO[bytes]) -> PartFacts:
    """Return what the footer of a part says."""
    with pyarrow.parquet.ParquetFile(file) as part:
        told = part.metadata.metadata or {}
        return PartFacts(int(told[_CHUNK]), part.metadata.num_rows, float(told[_SECONDS]))


def codes_of(file: IO[bytes]) -> dict[str, int]:
    """Return how many rows of a rejected part bear each code."""
    counts: dict[str, int] = {}
    with pyarrow.parquet.ParquetFile(file) as part:
        for batch in part.iter_batches(columns=["code"]):
            for code in batch.column("code").to_pylist():
                counts[code] = counts.get(code, 0) + 1
    return counts
