"""Record format conversion: JSON documents to one Parquet object.

AWS reads documents by the columns of a Glue table; by the OpenX SerDe a column of type string takes
whatever is there, an object as its JSON text (JavaStringJsonObjectInspector), and timestamps in
ISO 8601 ("Convert input data format", Firehose Developer Guide). Each buffer is one object.
MiniStack 1.5.33 converts a record at a time, and writes an object in a string as Python does.
Seams: firehose._CONVERSION_ERRORS, _hive_to_duckdb_type; glue._tables.
"""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ministack.services import firehose, glue

Columns = list[tuple[str, str, str]]


class ConversionError(ValueError):
    """Documents are not what the table says; `code` is Firehose's."""

    def __init__(self, kind: str) -> None:
        self.code, message = firehose._CONVERSION_ERRORS[kind]
        super().__init__(message)


def columns_of(conversion: dict[str, Any]) -> Columns:
    """Return (column, DuckDB's type, JSON key) of the table. Raises ConversionError."""
    schema = conversion["SchemaConfiguration"]
    table = glue._tables.get(f"{schema['DatabaseName']}/{schema['TableName']}")
    if table is None:
        raise ConversionError("table")
    serde = conversion["InputFormatConfiguration"]["Deserializer"]["OpenXJsonSerDe"]
    keys = serde.get("ColumnToJsonKeyMappings") or {}
    return [
        (column["Name"], _type(column), keys.get(column["Name"], column["Name"]))
        for column in table["StorageDescriptor"]["Columns"]
    ]


def parquet_of(columns: Columns, documents: Sequence[bytes]) -> bytes:
    """Return one Parquet object with a row for each document. Raises ConversionError."""
    import duckdb

    rows = [json.dumps(_row(columns, document)) for document in documents]
    types = ", ".join(f"'{name}': '{kind}'" for name, kind, _key in columns)
    with tempfile.TemporaryDirectory(prefix="firehose-") as folder:
        source, target = Path(folder, "rows.json"), Path(folder, "rows.parquet")
        source.write_text("\n".join(rows))
        connection = duckdb.connect()
        try:
            connection.execute("SET threads = 1")
            read = f"read_json('{source}', format = 'newline_delimited', columns = {{{types}}})"
            copy = f"COPY (SELECT * FROM {read}) TO '{target}' (FORMAT PARQUET)"  # noqa: S608 - of names
            connection.execute(copy)
        except duckdb.Error as error:
            raise ConversionError("mismatch") from error
        finally:
            connection.close()
        return target.read_bytes()


def _row(columns: Columns, document: bytes) -> dict[str, Any]:
    try:
        found = json.loads(document)
    except ValueError as error:
        raise ConversionError("malformed") from error
    if not isinstance(found, dict):
        raise ConversionError("primitive")
    row = {}
    for name, kind, key in columns:
        value = found.get(key)
        is_text = kind != "VARCHAR" or value is None or isinstance(value, str)
        row[name] = value if is_text else json.dumps(value, separators=(",", ":"))
    return row


def _type(column: dict[str, Any]) -> str:
    return str(firehose._hive_to_duckdb_type(column.get("Type", "string")))
