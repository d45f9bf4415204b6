"""A chunk: the rows that one scorer reads, and where they lie."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from boringml.errors import BoringError

PARQUET, CSV, JSON_LINES = "parquet", "csv", "jsonl"
_ENDINGS = {".parquet": PARQUET, ".csv": CSV, ".jsonl": JSON_LINES, ".ndjson": JSON_LINES}


@dataclass(frozen=True)
class Chunk:
    """Rows `first_row` (from 1) and on, `rows` of them, of one file of an exact version.

    Parquet is read by `row_groups`, text by the bytes `start` to `end` (not included). `columns`
    are those of a CSV file's header.
    """

    number: int
    key: str
    version_id: str
    format: str
    first_row: int
    rows: int
    row_groups: tuple[int, ...] = ()
    start: int = 0
    end: int = 0
    columns: tuple[str, ...] = ()

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Chunk":
        """Return the chunk of the chunk list's JSON."""
        chunk = {**document}
        for name in ("row_groups", "columns"):
            chunk[name] = tuple(chunk[name])
        return cls(**chunk)

    def document(self) -> dict[str, Any]:
        """Return the chunk as JSON."""
        return asdict(self)


def format_of(key: str) -> str:
    """Return the format that a name's ending tells. Raises BoringError `data_format_unknown`."""
    for ending, known in _ENDINGS.items():
        if key.lower().endswith(ending):
            return known
    told = f"{key} is none of {', '.join(_ENDINGS)}: convert or remove it."
    raise BoringError("data_format_unknown", told, 422)
