"""Kept labels as Parquet: what a row has, and which of several counts for one prediction."""

import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from boringml.monitoring.labels import Label, RefusedLabel

# Partition keys (model, date of arrival) are the folder's, not the file's.
LABELS = pa.schema(
    [
        pa.field("request_id", pa.string()),
        pa.field("record", pa.int32(), nullable=False),
        pa.field("key", pa.string()),
        pa.field("at", pa.timestamp("ms", tz="UTC"), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field("positive", pa.bool_(), nullable=False),
        pa.field("arrived_at", pa.timestamp("ms", tz="UTC"), nullable=False),
    ]
)
REFUSED = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("row_number", pa.int64(), nullable=False),
        pa.field("code", pa.string(), nullable=False),
        pa.field("field", pa.string(), nullable=False),
        pa.field("message", pa.string(), nullable=False),
        pa.field("row", pa.string(), nullable=False),
    ]
)
_UTC = "+00:00"


def table_of(labels: Sequence[Label], arrived_at: datetime) -> Any:
    """Return labels as a table of LABELS."""
    rows = [{**vars(label), "arrived_at": arrived_at} for label in labels]
    return pa.Table.from_pylist(rows, LABELS)


def refused_table(refused: Sequence[RefusedLabel], source: str) -> Any:
    """Return refused rows as a table of REFUSED; row 0 is the whole file."""
    return pa.Table.from_pylist([{"source": source, **vars(one)} for one in refused], REFUSED)


def in_utc(data: Any) -> Any:
    """Return a table or a batch whose times are datetimes in UTC, to the microsecond, for Python.

    By an offset and not by a zone: pyarrow looks zones up, even UTC, in a database of time zones,
    which a function may not have.
    """
    fields = [
        field.with_type(pa.timestamp("us" if field.type.unit == "ns" else field.type.unit, _UTC))
        if pa.types.is_timestamp(field.type) and field.type.tz is not None
        else field
        for field in data.schema
    ]
    # What is not safe of it is nanoseconds, which are cut off.
    return data.cast(pa.schema(fields), safe=False)


def parquet_of(table: Any) -> bytes:
    """Return a table as a file."""
    sink = io.BytesIO()
    pyarrow.parquet.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def labels_of(table: Any) -> list[Label]:
    """Return the rows of a table of LABELS."""
    return [
        Label(**{name: row[name] for name in Label.__dataclass_fields__})
        for row in in_utc(table).to_pylist()
    ]


def counted(labels: Iterable[Label]) -> Label | None:
    """Return the label that counts, of those of one prediction: the one known last.

    None where there is none, or where two that became known at the same time contradict.
    """
    known = list(labels)
    if not known:
        return None
    last = max(label.at for label in known)
    newest = [label for label in known if label.at == last]
    return newest[0] if len({label.positive for label in newest}) == 1 else None
