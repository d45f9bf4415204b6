"""What the steps of a batch read and write in the lake, by the run."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import IO, Any

from boringml.adapters.object_store import ObjectStore
from boringml.adapters.object_version import ObjectVersion
from boringml.batch.chunks import Chunk
from boringml.batch.request import (
    MANIFEST_ENDING,
    MOST_FILES,
    MOST_MANIFEST_BYTES,
    BatchRequest,
    is_input,
    manifest_of,
)
from boringml.batch.run import BatchRun, InputFile
from boringml.errors import BoringError

SUMMARY = "_summary.json"  # readers of tables pass over names that begin with an underscore
CHUNKS = "chunks.json"
INPUT = "input.json"


class BatchFiles:
    """The lake as batches see it."""

    def __init__(self, lake: ObjectStore) -> None:
        self.lake = lake

    def input_of(self, request: BatchRequest) -> list[InputFile]:
        """Return the files that a request means, each pinned: as it was sent, or as it is now.

        Raises BoringError `input_missing`, `input_too_large`, `manifest_invalid`, `key_unsafe` or
        `object_missing`.
        """
        keys = list(self._keys(request))
        if not keys:
            told = f"There is no file to score: {request.key or request.prefix}."
            raise BoringError("input_missing", told, 404)
        if len(keys) > MOST_FILES:
            told = f"{len(keys)} files: at most {MOST_FILES} in a run."
            raise BoringError("input_too_large", told, 422)
        sent = request.version_id if keys == [request.key] else None
        return [InputFile(key, *self.lake.pinned(key, sent)) for key in sorted(keys)]

    def write_input(self, run: BatchRun, files: Sequence[InputFile]) -> None:
        """Keep the files of a run."""
        self._write(run.work + INPUT, [asdict(file) for file in files])

    def input(self, run: BatchRun) -> list[InputFile]:
        """Return the files of a run."""
        return [InputFile(**file) for file in self._read(run.work + INPUT)]

    def write_chunks(self, run: BatchRun, chunks: Sequence[Chunk]) -> str:
        """Keep the chunk list, which the map reads; return its key."""
        key = run.work + CHUNKS
        self._write(key, [chunk.document() for chunk in chunks])
        return key

    def chunks(self, run: BatchRun) -> list[Chunk]:
        """Return the chunk list of a run."""
        return [Chunk.of(chunk) for chunk in self._read(run.work + CHUNKS)]

    def write_summary(self, run: BatchRun, summary: Any) -> None:
        """Put a run's summary beside its scores."""
        self._write(run.scored + SUMMARY, summary)

    def open(self, file: InputFile | Chunk) -> ObjectVersion:
        """Return the version of a file that the run is about."""
        return self.lake.version(file.key, file.version_id)

    def clear(self, run: BatchRun) -> None:
        """Delete what readers could find of an attempt, and the rows that waited for a job."""
        for folder in (run.scored, run.rejected, f"{run.work}transform/"):
            self.lake.clear(folder)

    def clear_transform(self, run: BatchRun) -> None:
        """Delete the rows that waited for a job: they are nobody's to read."""
        self.lake.clear(f"{run.work}transform/")

    def names(self, folder: str) -> Iterator[str]:
        """Yield the keys below a folder."""
        return (item.key for item in self.lake.list(folder))

    def file(self, key: str) -> IO[bytes]:
        """Return an object as a file that can seek."""
        version_id, _, _ = self.lake.pinned(key)
        return self.lake.version(key, version_id).open()

    def read(self, key: str) -> bytes:
        """Return an object. Raises BoringError `object_missing`."""
        return self.lake.read(key)

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects."""
        self.lake.delete(keys)

    def has(self, key: str) -> bool:
        """Tell whether an object is there."""
        return any(item.key == key for item in self.lake.list(key))

    def _keys(self, request: BatchRequest) -> Iterator[str]:
        key, prefix = request.key, request.prefix
        if key is not None and key.endswith(MANIFEST_ENDING):
            size = self.lake.pinned(key)[2]
            if size > MOST_MANIFEST_BYTES:
                told = f"{key} has {size} bytes: at most {MOST_MANIFEST_BYTES}."
                raise BoringError("manifest_invalid", told, 422)
            named, prefix = manifest_of(request.model, self.lake.read(key))
            yield from named
        elif key is not None:
            yield key
        if prefix is not None:
            yield from filter(is_input, self.names(prefix))

    def _write(self, key: str, document: Any) -> None:
        self.lake.write(key, json.dumps(document).encode())

    def _read(self, key: str) -> Any:
        return json.loads(self.lake.read(key))
