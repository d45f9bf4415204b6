"""One chunk: read, hold to the contract, score, and write its parts."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from boringml.batch import parts
from boringml.batch.checking import RowChecker
from boringml.batch.chunks import Chunk
from boringml.batch.reading import Source, checked_rows
from boringml.batch.run import BatchRun, part_name
from boringml.contract.contract import Contract
from boringml.errors import BoringError


class ColumnModel(Protocol):
    """A model that scores columns: boringml.batch.column_model.ColumnModel."""

    contract: Contract
    version: int

    def predict_columns(self, numeric: "np.ndarray", places: "np.ndarray") -> "np.ndarray":
        """Return P(positive) of each row, whose categories are places in the contract's lists."""


Write = Callable[[str, bytes], None]


@dataclass(frozen=True)
class Counts:
    """Rows of a chunk."""

    rows: int
    scored: int
    rejected: int


def score_chunk(
    run: BatchRun, chunk: Chunk, source: Source, model: ColumnModel, key: str, write: Write
) -> Counts:
    """Score a chunk; `write(key, content)` stores its parts, that of the scores last.

    Memory is that of a few thousand rows and of the scores, which are small. Raises BoringError
    `rows_differ` where the chunk has not the rows that were planned, or `data_unreadable`.
    """
    began = time.perf_counter()
    contract = model.contract
    labels = (contract.negative, contract.positive)
    scored, rejected = parts.PartWriter(parts.SCORED), parts.PartWriter(parts.REJECTED)
    for rows in checked_rows(chunk, source, RowChecker(contract, key)):
        if rows.rejected:
            rejected.add(parts.rejected_batch(chunk.key, rows.rejected))
        if len(rows.accepted):
            found = model.predict_columns(rows.accepted.numeric, rows.accepted.places)
            scored.add(
                parts.scored_batch(
                    chunk.key, rows.accepted, found, labels, contract.threshold, model.version
                )
            )
    check_rows(chunk, scored.rows + rejected.rows)
    seconds = time.perf_counter() - began
    name = part_name(chunk.number)
    if rejected.rows:
        write(run.rejected + name, rejected.finish(chunk.number, seconds))
    write(run.scored + name, scored.finish(chunk.number, seconds))
    return Counts(chunk.rows, scored.rows, rejected.rows)


def check_rows(chunk: Chunk, found: int) -> None:
    """Raise BoringError `rows_differ` where a chunk has not the rows that were planned."""
    if found != chunk.rows:
        raise BoringError(
            "rows_differ",
            f"Chunk {chunk.number} of {chunk.key} has {found} rows where {chunk.rows} were "
            "planned: a carriage return or a quote within a field may not be as RFC 4180 has it.",
            422,
        )
