"""What the prediction log in the lake has of served requests, a few thousand rows at a time."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial, reduce
from itertools import islice
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from boringml.adapters.object_store import ObjectStore, StoredObject
from boringml.adapters.parquet_source import parquet_source
from boringml.adapters.prediction_files import (
    days,
    milliseconds_of,
    prediction_files,
    was_served,
)
from boringml.monitoring.window import Rows

_COLUMNS: Final = ["at", "model_version", "stage", "code", "features", "prediction", "probability"]
_BATCH_ROWS: Final = 8192
# Files that are fetched at once.
_AT_ONCE: Final = 16


class ServedRows:
    """Reads `predictions/` of the lake: docs/flows/monitoring.md."""

    def __init__(self, lake: ObjectStore) -> None:
        self._lake = lake

    def rows(
        self, model: str, version: int, begin: datetime, end: datetime, features: Sequence[str]
    ) -> Iterator[Rows]:
        """Yield what a version answered to clients from `begin` to before `end`, in UTC.

        What failed is left out, and what a release asked itself. Memory is that of a batch and of
        some files of at most 4 MB, so a row that the log brought twice is there twice.
        """
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            files = self._files(model, begin, end)
            while group := list(islice(files, _AT_ONCE)):
                for source in pool.map(partial(parquet_source, self._lake), group):
                    yield from _rows(source, version, begin, end, features)

    def _files(self, model: str, begin: datetime, end: datetime) -> Iterator[StoredObject]:
        for day in days(begin.astimezone(UTC).date(), end.astimezone(UTC).date()):
            yield from prediction_files(self._lake, model, day)


def _rows(
    source: Any, version: int, begin: datetime, end: datetime, features: Sequence[str]
) -> Iterator[Rows]:
    first, last = (int(moment.timestamp() * 1000) for moment in (begin, end))
    with pyarrow.parquet.ParquetFile(source, pre_buffer=False) as file:
        for batch in file.iter_batches(_BATCH_ROWS, columns=_COLUMNS, use_threads=False):
            at = milliseconds_of(batch["at"])
            wanted = [
                pc.greater_equal(at, first),
                pc.less(at, last),
                pc.equal(batch["model_version"].cast(pa.string()), str(version)),
                was_served(batch),
            ]
            kept = batch.filter(reduce(pc.and_, wanted))
            if kept.num_rows:
                yield _told(kept, features)


def _told(batch: Any, features: Sequence[str]) -> Rows:
    records = [orjson.loads(text) if text else {} for text in batch["features"].to_pylist()]
    return Rows(
        features={name: [record.get(name) for record in records] for name in features},
        predictions=batch["prediction"].to_pylist(),
        probabilities=batch["probability"].to_pylist(),
    )
