"""Labels in the lake: appended by day of arrival, never changed, folded by whoever reads them.

The same label twice, or a file merged and not yet deleted, is the same label: readers count what is
equal once (ADR 21). So nothing here needs a lock.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from boringml.adapters.object_store import ObjectStore
from boringml.errors import BoringError
from boringml.monitoring.label_rows import LABELS, labels_of, parquet_of, refused_table, table_of
from boringml.monitoring.labels import Label, RefusedLabel

KEPT, APART = "known_labels/", "rejected_labels/"
# A day of more objects than this is merged into one: each costs a request at every look.
MOST_OBJECTS = 8
# A merge may delete what was listed just before: then the list is old.
_ATTEMPTS = 3
_AT_ONCE = 16


class LabelsTable:
    """The labels of all models."""

    def __init__(self, lake: ObjectStore) -> None:
        self._lake = lake

    def keep(self, model: str, labels: Sequence[Label], name: str, at: datetime) -> None:
        """Keep labels that arrived at a moment, UTC; the same name again replaces them."""
        key = f"{_folder(KEPT, model, at.date())}{name}.parquet"
        self._lake.write(key, parquet_of(table_of(labels, at)))

    def keep_apart(
        self, model: str, refused: Sequence[RefusedLabel], source: str, name: str, at: datetime
    ) -> None:
        """Keep rows of a file that are no labels; the same name again replaces them."""
        key = f"{_folder(APART, model, at.date())}{name}.parquet"
        self._lake.write(key, parquet_of(refused_table(refused, source)))

    def read(self, model: str, first: date, last: date) -> Any:
        """Return all labels that arrived on these UTC days, as a table of `label_rows.LABELS`."""
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        return pa.concat_tables([LABELS.empty_table(), *(self._day(model, day) for day in days)])

    def find(
        self, model: str, request_id: str, first: date, last: date, record: int | None = 0
    ) -> list[Label]:
        """Return the labels of one prediction that arrived on these UTC days, oldest first.

        Of all records of a list request where `record` is None.

        `boringml.monitoring.label_rows.counted` tells which of them counts. Reads the days whole:
        some MB a day, for a person who asks once.
        """
        table = self.read(model, first, last)
        ours = pc.fill_null(pc.equal(table["request_id"], request_id), False)
        if record is not None:
            ours = pc.and_(ours, pc.equal(table["record"], record))
        return sorted(labels_of(table.filter(ours)), key=lambda label: label.at)

    def merge(self, model: str, day: date) -> int:
        """Merge a day's objects into one where they are many; return how many were merged.

        Written before the others are deleted: whoever reads in between finds labels twice, which
        counts once.
        """
        keys = list(self._keys(model, day))
        if len(keys) <= MOST_OBJECTS:
            return 0
        try:
            merged = parquet_of(pa.concat_tables(self._tables(keys)))
        except BoringError as error:
            if error.code != "object_missing":
                raise
            return 0  # another merge is at it
        digest = hashlib.sha256("\n".join(keys).encode()).hexdigest()[:24]
        target = f"{_folder(KEPT, model, day)}merged-{digest}.parquet"
        self._lake.write(target, merged)
        self._lake.delete(keys)
        return len(keys)

    def _day(self, model: str, day: date) -> Any:
        for attempt in range(_ATTEMPTS):
            try:
                tables = self._tables(self._keys(model, day))
                return pa.concat_tables([LABELS.empty_table(), *tables])
            except BoringError as error:
                if error.code != "object_missing" or attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError  # the last attempt returns or raises

    def _keys(self, model: str, day: date) -> Iterator[str]:
        return (item.key for item in self._lake.list(_folder(KEPT, model, day)))

    def _tables(self, keys: Iterable[str]) -> list[Any]:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(self._table, keys))

    def _table(self, key: str) -> Any:
        content = pa.BufferReader(self._lake.read(key))
        with pyarrow.parquet.ParquetFile(content) as file:
            return file.read(use_threads=False).cast(LABELS)


def _folder(kind: str, model: str, day: date) -> str:
    return f"{kind}model={model}/date={day:%Y-%m-%d}/"
