"""Rows of a file of labels: Parquet, CSV or JSON lines, a row that cannot be read apart."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

import pyarrow as pa
import pyarrow.parquet

from boringml.errors import BoringError
from boringml.monitoring.label_rows import in_utc

# A row becomes a Python object, so a file is bounded; senders write several.
MOST_BYTES: Final = 64 * 1024 * 1024
ENDINGS: Final = (".parquet", ".csv", ".jsonl", ".ndjson")
_BATCH_ROWS = 8192

# A row's number from 1, and its values or why it cannot be read.
NumberedRow: TypeAlias = tuple[int, Mapping[str, Any] | BoringError]


def rows_of(name: str, content: bytes) -> Iterator[NumberedRow]:
    """Yield the rows of a file. Raises BoringError `data_format_unknown` or `data_unreadable`."""
    ending = name[name.rfind(".") :].lower() if "." in name else ""
    if ending not in ENDINGS:
        told = f"{name} is none of {', '.join(ENDINGS)}."
        raise BoringError("data_format_unknown", told, 422)
    if not content:
        raise BoringError("data_unreadable", f"{name} is empty.", 422)
    if ending == ".parquet":
        return _parquet(name, content)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BoringError("data_unreadable", f"{name} is no UTF-8.", 422) from error
    return _csv(text) if ending == ".csv" else _json_lines(text)


def _parquet(name: str, content: bytes) -> Iterator[NumberedRow]:
    number = 0
    try:
        with pyarrow.parquet.ParquetFile(pa.BufferReader(content)) as file:
            names = file.schema_arrow.names
            if len(set(names)) < len(names):
                raise BoringError("data_unreadable", f"{name} has a column twice.", 422)
            for batch in file.iter_batches(_BATCH_ROWS, use_threads=False):
                for row in _rows_of_batch(in_utc(batch)):
                    number += 1
                    yield number, row
    # Of bytes in memory, an OSError is a page that is damaged.
    except (pa.ArrowException, OSError, ValueError) as error:
        told = f"{name} cannot be read: {_one_line(error)}"
        raise BoringError("data_unreadable", told, 422) from error


def _rows_of_batch(batch: Any) -> Iterator[Mapping[str, Any] | BoringError]:
    """Yield rows; what Python cannot hold, such as the year 33658, is a row that is malformed."""
    try:
        yield from batch.to_pylist()
    except (ValueError, OverflowError):
        for index in range(batch.num_rows):
            try:
                yield batch.slice(index, 1).to_pylist()[0]
            except (ValueError, OverflowError) as error:
                yield _malformed(_one_line(error))


def _csv(text: str) -> Iterator[NumberedRow]:
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise BoringError("data_unreadable", f"The header is no CSV: {error}.", 422) from error
    if len(set(header)) < len(header):
        raise BoringError("data_unreadable", "The header has a name twice.", 422)
    number = 0
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            number += 1
            yield number, _malformed(str(error))
            continue
        if cells is None:
            return
        if not cells:  # a blank line is no record
            continue
        number += 1
        if len(cells) != len(header):
            told = f"{len(cells)} columns where the header has {len(header)}"
            yield number, _malformed(told)
            continue
        # In columns an empty value is none.
        yield number, {n: c or None for n, c in zip(header, cells, strict=True)}


def _json_lines(text: str) -> Iterator[NumberedRow]:
    number = 0
    for line in text.split("\n"):
        if not line.strip():
            continue
        number += 1
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            yield number, _malformed("the line is not one JSON value")
            continue
        yield number, row if isinstance(row, dict) else _malformed("the line is no JSON object")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _malformed(what: str) -> BoringError:
    return BoringError("malformed_row", f"The row cannot be read: {what}.", 422, field="$")
