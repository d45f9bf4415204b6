"""Rows of a file of labels: Parquet, CSV or JSON lines, a row that cannot be read apart."""

import codecs
import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

import pyarrow as pa
import pyarrow.parquet

from boringml.errors import BoringError
from boringml.monitoring.label_rows import in_utc

# A row becomes a Python object, so a file is bounded; senders write several. In rows too, since
# 20 kB of Parquet hold millions.
MOST_BYTES: Final = 64 * 1024 * 1024
MOST_ROWS: Final = 500_000
# A label has less than a kilobyte; one JSON value can take 20 times its text.
MOST_LINE: Final = 64 * 1024
ENDINGS: Final = (".parquet", ".csv", ".jsonl", ".ndjson")
# Few, since values that repeat are small in a file and large in a batch.
_BATCH_ROWS = 1024

# A row's values, or why it cannot be read; and with its number from 1.
Row: TypeAlias = Mapping[str, Any] | BoringError
NumberedRow: TypeAlias = tuple[int, Row]


def rows_of(name: str, content: bytes) -> Iterator[NumberedRow]:
    """Yield the rows of a file, which are never all in memory.

    Raises BoringError `data_format_unknown`, `data_unreadable`, or, of too many, `data_too_large`.
    """
    ending = name[name.rfind(".") :].lower() if "." in name else ""
    if ending not in ENDINGS:
        told = f"{name} is none of {', '.join(ENDINGS)}."
        raise BoringError("data_format_unknown", told, 422)
    if not content:
        raise BoringError("data_unreadable", f"{name} is empty.", 422)
    read = {".parquet": _parquet, ".csv": _csv}.get(ending, _json_lines)
    for number, row in enumerate(read(name, content), 1):
        if number > MOST_ROWS:
            told = f"{name} has more than {MOST_ROWS} rows: cut it into several files."
            raise BoringError("data_too_large", told, 422)
        yield number, row


def _parquet(name: str, content: bytes) -> Iterator[Row]:
    try:
        with pyarrow.parquet.ParquetFile(pa.BufferReader(content)) as file:
            names = file.schema_arrow.names
            if len(set(names)) < len(names):
                raise BoringError("data_unreadable", f"{name} has a column twice.", 422)
            for batch in file.iter_batches(_BATCH_ROWS, use_threads=False):
                yield from _rows_of_batch(in_utc(batch))
    # Of bytes in memory, an OSError is a page that is damaged.
    except (pa.ArrowException, OSError, ValueError) as error:
        told = f"{name} cannot be read: {_one_line(error)}"
        raise BoringError("data_unreadable", told, 422) from error


def _rows_of_batch(batch: Any) -> Iterator[Row]:
    """Yield rows; what Python cannot hold, such as the year 33658, is a row that is malformed."""
    try:
        yield from batch.to_pylist()
    except (ValueError, OverflowError):
        for index in range(batch.num_rows):
            try:
                yield batch.slice(index, 1).to_pylist()[0]
            except (ValueError, OverflowError) as error:
                yield _malformed(_one_line(error))


def _csv(name: str, content: bytes) -> Iterator[Row]:
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
    try:
        yield from _records(text)
    except UnicodeDecodeError as error:
        raise BoringError("data_unreadable", f"{name} is no UTF-8.", 422) from error


def _records(text: Iterable[str]) -> Iterator[Row]:
    reader = csv.reader(text)
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise BoringError("data_unreadable", f"The header is no CSV: {error}.", 422) from error
    if len(set(header)) < len(header):
        raise BoringError("data_unreadable", "The header has a name twice.", 422)
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield _malformed(str(error))
            continue
        if cells is None:
            return
        if not cells:  # a blank line is no record
            continue
        if len(cells) != len(header):
            yield _malformed(f"{len(cells)} columns where the header has {len(header)}")
            continue
        # In columns an empty value is none.
        yield {n: c or None for n, c in zip(header, cells, strict=True)}


def _json_lines(_name: str, content: bytes) -> Iterator[Row]:
    for line in io.BytesIO(content.removeprefix(codecs.BOM_UTF8)):
        if not line.strip():
            continue
        if len(line) > MOST_LINE:
            yield _malformed(f"the line has {len(line)} bytes, and a label at most {MOST_LINE}")
            continue
        try:
            row = json.loads(line.decode())
        except (ValueError, RecursionError):
            yield _malformed("the line is not one JSON value in UTF-8")
            continue
        yield row if isinstance(row, dict) else _malformed("the line is no JSON object")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _malformed(what: str) -> BoringError:
    return BoringError("malformed_row", f"The row cannot be read: {what}.", 422, field="$")
