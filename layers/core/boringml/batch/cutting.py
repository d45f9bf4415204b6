"""How an input is cut: by row groups where the format has them, else at the ends of records."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from boringml.errors import BoringError

# A chunk of text is read whole, so this and a part of it is what a scorer's memory must hold.
MOST_CHUNK_BYTES = 64 * 1024 * 1024
# A block of the CSV reader as well, which takes no record that lies over more than two.
MOST_RECORD_BYTES = 1024 * 1024
# Distributed Map takes more; a list of more would not be planned within a Lambda's time.
MOST_CHUNKS = 10_000
# pyarrow's own default size of a row group, in rows: a larger one is read in no constant memory.
MOST_GROUP_ROWS = 1024 * 1024

_NEWLINE, _RETURN, _QUOTE = 10, 13, 34


@dataclass(frozen=True)
class Piece:
    """A part of one file, before it has a number: see Chunk."""

    first_row: int
    rows: int
    row_groups: tuple[int, ...] = ()
    start: int = 0
    end: int = 0


def pieces_of_groups(group_rows: Iterable[int], chunk_rows: int) -> Iterator[Piece]:
    """Yield the pieces of a Parquet file, from the rows of each of its row groups.

    Small groups are joined up to `chunk_rows`; one is never split. Raises BoringError
    `row_group_too_large`.
    """
    first, rows, groups = 1, 0, list[int]()
    for index, count in enumerate(group_rows):
        if count > MOST_GROUP_ROWS:
            raise BoringError(
                "row_group_too_large",
                f"Row group {index} has {count} rows: write at most {MOST_GROUP_ROWS} per group "
                "(row_group_size of pyarrow and pandas).",
                422,
            )
        if groups and rows + count > chunk_rows:
            yield Piece(first, rows, tuple(groups))
            first, rows, groups = first + rows, 0, []
        groups.append(index)
        rows += count
    if rows:
        yield Piece(first, rows, tuple(groups))


@dataclass
class TextCutter:
    """Cuts text at the ends of records, block by block, in constant memory.

    A newline within double quotes is no end where `quoted` (RFC 4180: a quote within a quoted
    field is doubled, so the count of quotes before a newline tells). Blank lines are no records.
    """

    chunk_rows: int
    quoted: bool
    start: int
    most_bytes: int = MOST_CHUNK_BYTES
    _position: int = field(init=False)
    _record: int = field(init=False)
    _rows: int = field(default=0, init=False)
    _first: int = field(default=1, init=False)
    _odd: int = field(default=0, init=False)
    _last: int = field(default=_NEWLINE, init=False)

    def __post_init__(self) -> None:
        self._position = self._record = self.start

    def feed(self, block: bytes) -> Iterator[Piece]:
        """Yield the pieces that are complete now. Raises BoringError `data_unreadable`."""
        if not block:
            return
        bytes_ = np.frombuffer(block, np.uint8)
        outside: Any = True
        if self.quoted:
            odd = (np.cumsum(bytes_ == _QUOTE) + self._odd) & 1
            outside, self._odd = odd == 0, int(odd[-1])
        before = np.concatenate(([self._last], bytes_[:-1]))
        if self.quoted and bool(((before == _RETURN) & (bytes_ != _NEWLINE) & outside).any()):
            raise _unreadable("it has a carriage return without a newline: write \\n or \\r\\n")
        ends = np.flatnonzero((bytes_ == _NEWLINE) & outside)
        returned = before[ends] == _RETURN
        yield from self._cut(ends + self._position + 1, returned)
        self._position += len(block)
        self._last = int(bytes_[-1])
        if self._position - self._record > MOST_RECORD_BYTES:
            raise _unreadable(
                f"a record that begins at byte {self._record} has more than {MOST_RECORD_BYTES} "
                "bytes: is a quote left open?"
            )

    def finish(self) -> Iterator[Piece]:
        """Yield the last piece, whose last record may have no newline."""
        if self._odd:
            raise _unreadable("a double quote is left open")
        if self._position > self._record:
            # As if a newline followed, so that a record of one byte is no blank line.
            lacking = int(self._last != _NEWLINE)
            yield from self._cut(
                np.array([self._position]), np.array([self._last == _RETURN]), lacking
            )
        if self._rows:
            yield self._piece(self._record)

    def _cut(self, ends: Any, returned: Any, lacking: int = 0) -> Iterator[Piece]:
        if not len(ends):
            return
        sizes = np.diff(ends, prepend=self._record)
        counted = np.cumsum(sizes + lacking - returned > 1)
        done = 0
        while done < len(ends):
            base = int(counted[done - 1]) if done else 0
            by_rows = int(np.searchsorted(counted, base + self.chunk_rows - self._rows))
            by_bytes = int(np.searchsorted(ends, self.start + self.most_bytes, side="right"))
            last = min(by_rows, max(by_bytes, done))
            if last >= len(ends):
                self._rows += int(counted[-1]) - base
                break
            self._rows += int(counted[last]) - base
            if self._rows:
                yield self._piece(int(ends[last]))
            done = last + 1
        self._record = int(ends[-1])

    def _piece(self, end: int) -> Piece:
        piece = Piece(self._first, self._rows, start=self.start, end=end)
        self._first += self._rows
        self._rows, self.start = 0, end
        return piece


def _unreadable(problem: str) -> BoringError:
    return BoringError("data_unreadable", f"The file cannot be cut into records: {problem}.", 422)
