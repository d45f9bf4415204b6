"""The chunk list of a run: what each scorer reads, made from metadata and the ends of records."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet

from boringml.batch.checking import schema_problems
from boringml.batch.chunks import CSV, PARQUET, Chunk, format_of
from boringml.batch.cutting import MOST_CHUNKS, Piece, TextCutter, pieces_of_groups
from boringml.batch.reading import Source, header_of, short
from boringml.batch.run import InputFile
from boringml.contract.contract import Contract
from boringml.errors import BoringError

# Text is streamed to find the ends of records: within a Lambda's time, at some 100 MB/s.
MOST_TEXT_BYTES = 20 * 1024**3
_BLOCK = 4 * 1024 * 1024
_SHOWN = 5
_HEAD_LINES = 20

Open = Callable[[InputFile], Source]


def plan_chunks(
    files: Sequence[InputFile], open_file: Open, contract: Contract, key: str, chunk_rows: int
) -> list[Chunk]:
    """Return the chunks of all files, numbered from 0.

    Every file must have the contract's columns and at least one row. Raises BoringError
    `data_format_unknown`, `data_empty`, `data_unreadable`, `wrong_columns`, `data_too_large` or
    `row_group_too_large`, naming the file.
    """
    chunks: list[Chunk] = []
    for file in files:
        try:
            chunks.extend(_of_file(file, open_file, contract, key, chunk_rows, len(chunks)))
        except BoringError as error:
            told = f"{file.key}: {error.message}"
            raise BoringError(error.code, told, error.status) from error
        if len(chunks) > MOST_CHUNKS:
            told = f"There are more than {MOST_CHUNKS} chunks: raise chunk_rows, or send less."
            raise BoringError("data_too_large", told, 422)
    return chunks


def _of_file(
    file: InputFile, open_file: Open, contract: Contract, key: str, chunk_rows: int, number: int
) -> list[Chunk]:
    kind = format_of(file.key)
    if file.size == 0:
        raise _refused("data_empty", "The file is empty.")
    source = open_file(file)
    columns: tuple[str, ...] = ()
    if kind == PARQUET:
        pieces = list(_parquet(source, contract, key, chunk_rows))
    else:
        if file.size > MOST_TEXT_BYTES:
            told = f"{file.size} bytes of text: at most {MOST_TEXT_BYTES}, or write Parquet."
            raise _refused("data_too_large", told)
        start = 0
        if kind == CSV:
            columns, start = header_of(source)
            _check(dict.fromkeys(columns), contract, key)
        else:
            _check_lines(source, contract)
        cutter = TextCutter(chunk_rows, kind == CSV, start)
        pieces = [piece for block in _blocks(source, start) for piece in cutter.feed(block)]
        pieces += cutter.finish()
    if not pieces:
        raise _refused("data_empty", "The file has no rows.")
    return [
        Chunk(
            number=number + index,
            key=file.key,
            version_id=file.version_id,
            format=kind,
            first_row=piece.first_row,
            rows=piece.rows,
            row_groups=piece.row_groups,
            start=piece.start,
            end=piece.end,
            columns=columns,
        )
        for index, piece in enumerate(pieces)
    ]


def _parquet(source: Source, contract: Contract, key: str, chunk_rows: int) -> Iterator[Piece]:
    try:
        with pyarrow.parquet.ParquetFile(source.open()) as file:
            schema, facts = file.schema_arrow, file.metadata
            rows = [facts.row_group(index).num_rows for index in range(facts.num_row_groups)]
    except (pa.ArrowException, OSError) as error:
        raise _refused("data_unreadable", f"It is no whole Parquet file: {short(error)}") from error
    if len(set(schema.names)) < len(schema.names):
        raise _refused("wrong_columns", "A column's name stands twice.")
    _check(dict(zip(schema.names, schema.types, strict=True)), contract, key)
    yield from pieces_of_groups(rows, chunk_rows)


def _check(columns: Mapping[str, Any], contract: Contract, key: str) -> None:
    problems = list(schema_problems(dict(columns), contract, key))
    if problems:
        more = f", and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise _refused(
            "wrong_columns",
            f"Its columns are not those of {contract.model}: {', '.join(problems[:_SHOWN])}{more}.",
        )


def _check_lines(source: Source, contract: Contract) -> None:
    head = source.read(0, min(source.size, 1024 * 1024)).split(b"\n")[:_HEAD_LINES]
    names = set(contract.features.names)
    records = [record for line in head if isinstance(record := _parsed(line), dict)]
    if not any(names & record.keys() for record in records):
        told = f"None of its first lines is a record of {contract.model}."
        raise _refused("wrong_columns", told)


def _parsed(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except ValueError:
        return None


def _blocks(source: Source, start: int) -> Iterator[bytes]:
    for begin in range(start, source.size, _BLOCK):
        yield source.read(begin, min(begin + _BLOCK, source.size))


def _refused(code: str, message: str) -> BoringError:
    return BoringError(code, message, 422)
