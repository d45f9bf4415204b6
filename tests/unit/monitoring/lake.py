"""A lake in memory."""

from collections.abc import Iterator
from datetime import UTC, datetime

from boringml.adapters.object_store import StoredObject
from boringml.errors import BoringError


class MemoryLake:
    """What monitoring uses of an ObjectStore."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def write(self, key: str, content: bytes) -> None:
        self.objects[key] = content

    def read(self, key: str) -> bytes:
        if key not in self.objects:
            raise BoringError("object_missing", f"{key} is not there.", 404)
        return self.objects[key]

    def list(self, prefix: str) -> Iterator[StoredObject]:
        for key in sorted(self.objects):
            if key.startswith(prefix):
                yield StoredObject(key, len(self.objects[key]), datetime.now(UTC))
