"""The rows of one chunk, a few thousand at a time."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from boringml.batch.checking import Accepted, Rejection, RowChecker
from boringml.batch.chunks import CSV, PARQUET, Chunk
from boringml.batch.cutting import MOST_RECORD_BYTES
from boringml.errors import BoringError

# Rows at a time: enough for kernels to pay, little enough to stay in a core's cache.
BATCH_ROWS = 8192


class Source(Protocol):
    """An object of an exact version."""

    @property
    def size(self) -> int:
        """Bytes."""

    def read(self, start: int, end: int) -> bytes:
        """Return the bytes `start` to `end`, the last not included."""

    def open(self) -> IO[bytes]:
        """Return the object as a file that can seek."""


@dataclass(frozen=True)
class Checked:
    """Rows of a chunk after the contract."""

    accepted: Accepted
    rejected: list[Rejection]


def checked_rows(chunk: Chunk, source: Source, checker: RowChecker) -> Iterator[Checked]:
    """Yield all rows of a chunk in order, checked. Raises BoringError `data_unreadable`."""
    try:
        if chunk.format == PARQUET:
            yield from _parquet(chunk, source, checker)
        elif chunk.format == CSV:
            yield from _csv(chunk, source, checker)
        else:
            yield from _json_lines(chunk, source, checker)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        told = f"Rows {chunk.first_row} and on of {chunk.key} cannot be read: {short(error)}"
        raise BoringError("data_unreadable", told, 422) from error


def header_of(source: Source) -> tuple[tuple[str, ...], int]:
    """Return a CSV file's column names, and the byte at which its rows begin.

    Raises BoringError `data_unreadable`.
    """
    head = source.read(0, min(source.size, 1024 * 1024))
    skipped = 3 if head.startswith(b"\xef\xbb\xbf") else 0
    end = head.find(b"\n") + 1 or len(head)
    try:
        names = next(csv.reader(io.StringIO(head[skipped:end].decode())), [])
    except UnicodeDecodeError as error:
        raise BoringError("data_unreadable", "The header is no UTF-8.", 422) from error
    if len(set(names)) < len(names):
        raise BoringError("data_unreadable", "The header has a name twice.", 422)
    return tuple(names), end


def short(error: Exception) -> str:
    """Return the first words of an error of pyarrow's."""
    return " ".join(str(error).split())[:300]


def _parquet(chunk: Chunk, source: Source, checker: RowChecker) -> Iterator[Checked]:
    # One column at a time as a stream, not whole columns ahead: memory stays that of a batch.
    # Texts as Parquet holds them most often, a dictionary: no row's text is made to be checked.
    file = pyarrow.parquet.ParquetFile(
        source.open(),
        buffer_size=1024 * 1024,
        pre_buffer=False,
        read_dictionary=checker.texts,
    )
    first = chunk.first_row
    with file:
        for batch in file.iter_batches(
            BATCH_ROWS, row_groups=list(chunk.row_groups), use_threads=False
        ):
            yield _columns(checker, batch, np.arange(first, first + batch.num_rows))
            first += batch.num_rows


def _csv(chunk: Chunk, source: Source, checker: RowChecker) -> Iterator[Checked]:
    content = _text(source.read(chunk.start, chunk.end))
    malformed: list[Rejection] = []

    def skip(row: Any) -> str:
        found = f"{row.actual_columns} columns where the header has {row.expected_columns}"
        number = chunk.first_row + row.number - 1
        malformed.append(Rejection(number, "malformed_row", "$", found, _quoted(row.text)))
        return "skip"

    reader = pyarrow.csv.open_csv(
        pa.BufferReader(content),
        # One thread: only then are malformed rows told with their numbers.
        read_options=pyarrow.csv.ReadOptions(
            use_threads=False, column_names=list(chunk.columns), block_size=MOST_RECORD_BYTES
        ),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True, invalid_row_handler=skip),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(chunk.columns, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
        ),
    )
    # The reader is ahead of what it hands out: a malformed row is told before its neighbours come.
    first = chunk.first_row
    for batch in reader:
        if not batch.num_rows:
            continue
        bad = [rejection.row_number for rejection in malformed if rejection.row_number >= first]
        numbers = np.arange(first, first + batch.num_rows + len(bad))
        numbers = numbers[~np.isin(numbers, bad)][: batch.num_rows]
        first = int(numbers[-1]) + 1
        yield from _sliced(checker, batch, numbers)
    if malformed:
        none = checker.lines([], np.empty(0, np.int64))[0]
        yield Checked(none, malformed)


def _sliced(checker: RowChecker, batch: Any, numbers: Any) -> Iterator[Checked]:
    for start in range(0, batch.num_rows, BATCH_ROWS):
        part = batch.slice(start, BATCH_ROWS)
        yield _columns(checker, part, numbers[start : start + BATCH_ROWS])


def _columns(checker: RowChecker, batch: Any, numbers: Any) -> Checked:
    return Checked(*checker.columns(batch, numbers))


def _json_lines(chunk: Chunk, source: Source, checker: RowChecker) -> Iterator[Checked]:
    content = source.read(chunk.start, chunk.end)
    lines = [line for line in content.split(b"\n") if line.rstrip(b"\r")]
    for start in range(0, len(lines), BATCH_ROWS):
        part = lines[start : start + BATCH_ROWS]
        first = chunk.first_row + start
        yield Checked(*checker.lines(part, np.arange(first, first + len(part))))


def _text(content: bytes) -> bytes:
    try:
        content.decode()
    except UnicodeDecodeError:
        return content.decode(errors="replace").encode()
    return content


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
