"""Read a channel: CSV, Parquet or JSON Lines, in one file or many."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet

from boringml.contract.features import Features
from boringml.errors import BoringError
from boringml.package.manifest import measure_file


@dataclass(frozen=True)
class DataFile:
    """One file as it was found: its table, and what the manifest will say of it."""

    name: str
    table: pa.Table
    entry: dict[str, Any]

    @property
    def is_text(self) -> bool:
        """Whether every column is text, because the format knows no types."""
        return self.name.lower().endswith(".csv")


def load(channel: Path, features: Features, max_bytes: int) -> list[DataFile]:
    """Return every data file of a channel, by name.

    Numbers of a CSV file come as text: its column types are the contract's, never guessed.
    Raises BoringError `data_missing`, `data_too_large`, `data_format_unknown`, `data_unreadable`.
    """
    # Names that start with a dot or an underscore are markers of tools (_SUCCESS), not data.
    paths = sorted(p for p in channel.rglob("*") if p.is_file() and p.name[0] not in "._")
    if not paths:
        raise _refusal("data_missing", f"The channel {channel.name!r} has no data files.")
    total = sum(path.stat().st_size for path in paths)
    if total > max_bytes:
        raise _refusal(
            "data_too_large",
            f"The data files have {total} bytes; the contract's data.max_bytes is {max_bytes}.",
        )
    return [_load_file(path, str(path.relative_to(channel)), features) for path in paths]


def _load_file(path: Path, name: str, features: Features) -> DataFile:
    readers = {".csv": _csv, ".parquet": _parquet, ".jsonl": _json_lines, ".ndjson": _json_lines}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise _refusal(
            "data_format_unknown", f"{name} is none of {', '.join(readers)}: convert or remove it."
        )
    if path.stat().st_size == 0:
        raise _refusal("data_unreadable", f"{name} is empty.")
    try:
        table = reader(path, features)
    except (pa.ArrowException, UnicodeDecodeError, OSError) as error:
        raise _refusal("data_unreadable", f"{name} cannot be read: {_short(error)}") from error
    return DataFile(name, table, {"name": name, **measure_file(path), "rows": table.num_rows})


def _csv(path: Path, features: Features) -> pa.Table:
    with path.open(newline="", encoding="utf-8-sig") as stream:
        header = next(csv.reader(stream), [])
    return pyarrow.csv.read_csv(
        path,
        # A text may have line breaks inside its quotes. Without texts, blocks are read in parallel.
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=bool(features.text)),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
        ),
    )


def _parquet(path: Path, _features: Features) -> pa.Table:
    with pyarrow.parquet.ParquetFile(path) as file:
        return file.read()


def _json_lines(path: Path, features: Features) -> pa.Table:
    found = pyarrow.json.read_json(path)
    # Text that looks like a date would be read as one.
    dates = [
        (name, pa.string())
        for name in (*features.categorical, *features.text)
        if name in found.column_names and pa.types.is_timestamp(found.schema.field(name).type)
    ]
    if not dates:
        return found
    options = pyarrow.json.ParseOptions(explicit_schema=pa.schema(dates))
    return pyarrow.json.read_json(path, parse_options=options)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _refusal(code: str, message: str) -> BoringError:
    return BoringError(code, message, status=422)
