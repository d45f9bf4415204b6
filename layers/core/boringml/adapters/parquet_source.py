"""Where Parquet of the lake is read from: memory or S3, by size."""

from typing import Any, Final

import pyarrow as pa

from boringml.adapters.object_store import ObjectStore, StoredObject

# A small file is fetched whole; of a larger one, the columns that are read.
_SMALL: Final = 4 * 1024 * 1024


def parquet_source(lake: ObjectStore, file: StoredObject) -> Any:
    """Return what pyarrow.parquet.ParquetFile takes: of a large file, one version's ranges.

    Raises BoringError `object_missing`.
    """
    if file.size <= _SMALL:
        return pa.BufferReader(lake.read(file.key))
    version_id, _, _ = lake.pinned(file.key)
    return lake.version(file.key, version_id).open()
