"""Predictions in the lake, as looks at quality read them: few columns, a day at a time.

What was asked for is in `predictions/` (the prediction log, docs/flows/monitoring.md), what batches
scored in `scored/` (docs/flows/batch.md).
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from boringml.adapters.batch_files import SUMMARY
from boringml.adapters.object_store import ObjectStore, StoredObject
from boringml.adapters.parquet_source import parquet_source
from boringml.adapters.prediction_files import (
    PARQUET,
    days,
    milliseconds_of,
    prediction_files,
    was_served,
)
from boringml.monitoring.label_join import Predictions, milliseconds, names_of_requests

_COLUMNS: Final = ["at", "request_id", "record", "model_version", "stage", "code", "probability"]
_AT_ONCE: Final = 16


class PredictionsLake:
    """Reads predictions of live traffic, and scores of whole batches."""

    def __init__(self, lake: ObjectStore) -> None:
        self._lake = lake

    def requests(self, model: str, first: date, last: date) -> Iterator[Predictions]:
        """Yield what was predicted on each UTC day; what a release asked is no traffic."""
        for day in days(first, last):
            tables = self._tables(prediction_files(self._lake, model, day), _COLUMNS)
            if tables:
                yield _predictions(pa.concat_tables([_served(table) for table in tables]))

    def scores(self, model: str, first: date, last: date) -> Iterator[Predictions]:
        """Yield what batches scored on each UTC day; a run counts once it is whole.

        The time of a score is when its part was written.
        """
        for day in days(first, last):
            found = list(self._lake.list(f"scored/{model}/date={day:%Y-%m-%d}/"))
            whole = {_folder(item.key) for item in found if item.key.endswith(f"/{SUMMARY}")}
            parts = [
                item for item in found if _folder(item.key) in whole and item.key.endswith(PARQUET)
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


def _served(table: Any) -> Any:
    """Return what clients got, each column in one type: writers differ in widths."""
    kept = table.filter(was_served(table))
    return pa.table(
        {
            "at": milliseconds_of(kept["at"]),
            "request_id": kept["request_id"].cast(pa.string()),
            "record": kept["record"].cast(pa.int32()),
            "version": pc.fill_null(kept["model_version"].cast(pa.int64()), 0),
            "probability": kept["probability"].cast(pa.float64()),
        }
    )


def _predictions(table: Any) -> Predictions:
    return Predictions(
        names_of_requests(table["request_id"], table["record"]).combine_chunks(),
        table["at"].to_numpy(),
        table["version"].to_numpy(),
        table["probability"].to_numpy(),
    )


def _folder(key: str) -> str:
    return key[: key.rfind("/")]
