"""Predictions in the lake, as looks at quality read them: few columns, a day at a time.

What was asked for is in `predictions/` (the prediction log, docs/flows/monitoring.md), what batches
scored in `scored/` (docs/flows/batch.md).
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from boringml.adapters.batch_files import SUMMARY
from boringml.adapters.object_store import ObjectStore, StoredObject
from boringml.adapters.parquet_source import parquet_source
from boringml.monitoring.label_join import Predictions, milliseconds, names_of_requests
from boringml.serving.stages import UNCOUNTED

_COLUMNS: Final = ["at", "request_id", "record", "model_version", "stage", "code", "probability"]
_AT_ONCE: Final = 16


class PredictionsLake:
    """Reads predictions of live traffic, and scores of whole batches."""

    def __init__(self, lake: ObjectStore) -> None:
        self._lake = lake

    def requests(self, model: str, first: date, last: date) -> Iterator[Predictions]:
        """Yield what was predicted on each UTC day; what a release asked is no traffic."""
        for day in _days(first, last):
            folder = f"predictions/model={model}/date={day:%Y-%m-%d}/"
            tables = self._tables(
                [item for item in self._lake.list(folder) if _is_data(item.key)],
                _COLUMNS,
            )
            if tables:
                yield _served(pa.concat_tables([_plain(table) for table in tables]))

    def scores(self, model: str, first: date, last: date) -> Iterator[Predictions]:
        """Yield what batches scored on each UTC day; a run counts once it is whole.

        The time of a score is when its part was written.
        """
        for day in _days(first, last):
            found = list(self._lake.list(f"scored/{model}/date={day:%Y-%m-%d}/"))
            whole = {_folder(item.key) for item in found if item.key.endswith(f"/{SUMMARY}")}
            parts = [
                item
                for item in found
                if _folder(item.key) in whole and item.key.endswith(".parquet")
            ]
            tables = self._tables(parts, ["key", "model_version", "probability"])
            for item, table in zip(parts, tables, strict=True):
                yield Predictions(
                    table["key"].combine_chunks(),
                    np.full(table.num_rows, milliseconds(item.modified)),
                    table["model_version"].to_numpy().astype(np.int64),
                    table["probability"].to_numpy().astype(np.float64),
                )

    def _tables(self, files: Sequence[StoredObject], columns: list[str]) -> list[Any]:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(lambda file: self._table(file, columns), files))

    def _table(self, file: StoredObject, columns: list[str]) -> Any:
        source = parquet_source(self._lake, file)
        # The folder has `model` and `date` for the reader of a table; a file alone does not.
        with pyarrow.parquet.ParquetFile(source, pre_buffer=False) as parquet:
            return parquet.read(columns, use_threads=False)


def _plain(table: Any) -> Any:
    """Return the columns in one type each: writers differ in widths, and in zones of time."""
    # Times are UTC; what Hive writes (INT96) says no zone, and has nanoseconds.
    at = table["at"].cast(pa.timestamp("ms"), safe=False).cast(pa.int64())
    return pa.table(
        {
            "at": at,
            "request_id": table["request_id"].cast(pa.string()),
            "record": table["record"].cast(pa.int32()),
            "version": pc.fill_null(table["model_version"].cast(pa.int64()), 0),
            "stage": pc.fill_null(table["stage"].cast(pa.string()), ""),
            "failed": pc.is_valid(table["code"]),
            "probability": table["probability"].cast(pa.float64()),
        }
    )


def _served(table: Any) -> Predictions:
    """Return the predictions that clients got."""
    asked = pc.is_in(table["stage"], pa.array(UNCOUNTED))
    answered = pc.and_(pc.invert(table["failed"]), pc.is_valid(table["probability"]))
    kept = table.filter(pc.and_(answered, pc.invert(asked)))
    return Predictions(
        names_of_requests(kept["request_id"], kept["record"]).combine_chunks(),
        kept["at"].to_numpy(),
        kept["version"].to_numpy(),
        kept["probability"].to_numpy(),
    )


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def _is_data(key: str) -> bool:
    """Return whether readers of tables read an object: not if its name begins with these."""
    return not key.rpartition("/")[2].startswith(("_", "."))


def _folder(key: str) -> str:
    return key[: key.rfind("/")]
