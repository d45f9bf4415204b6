"""Rows in = scored + rejected + failed, proved chunk by chunk from what the parts say."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from boringml.batch.chunks import Chunk
from boringml.batch.parts import PartFacts
from boringml.batch.settings import BatchSettings
from boringml.errors import BoringError


@dataclass(frozen=True)
class FailedChunk:
    """Rows that were not scored though nothing is known to be wrong with them, and why."""

    chunk: int
    source: str
    first_row: int
    rows: int
    code: str
    message: str


@dataclass(frozen=True)
class Ledger:
    """Where each row of a run went. `rejected` counts by code; `seconds` are the scorers' own."""

    rows_in: int
    scored: int
    rejected: Mapping[str, int]
    failed: tuple[FailedChunk, ...]
    chunks: int
    seconds: float

    @property
    def rejected_rows(self) -> int:
        """Rows that broke the contract."""
        return sum(self.rejected.values())

    @property
    def failed_rows(self) -> int:
        """Rows of the chunks that failed."""
        return sum(chunk.rows for chunk in self.failed)

    def document(self) -> dict[str, Any]:
        """Return the ledger as JSON."""
        return {
            "rows_in": self.rows_in,
            "scored": self.scored,
            "rejected": dict(sorted(self.rejected.items())),
            "rejected_rows": self.rejected_rows,
            "failed": [asdict(chunk) for chunk in self.failed],
            "failed_rows": self.failed_rows,
            "chunks": self.chunks,
            "scoring_seconds": round(self.seconds, 3),
        }


def balance(
    chunks: Sequence[Chunk],
    scored: Mapping[int, PartFacts],
    rejected: Mapping[int, PartFacts],
    codes: Mapping[str, int],
    failures: Mapping[int, Mapping[str, str]],
) -> Ledger:
    """Return the ledger of all planned chunks.

    `scored` and `rejected` are footers by chunk, of chunks that are whole; `codes` counts the
    rejected rows; `failures` has {"code", "message"} of each chunk without scores.
    Raises BoringError `ledger_broken` where the books do not balance.
    """
    failed = []
    for chunk in chunks:
        part = scored.get(chunk.number)
        if part is None:
            reason = failures.get(chunk.number)
            if reason is None:
                raise _broken(f"chunk {chunk.number} has neither scores nor a failure")
            failed.append(
                FailedChunk(chunk.number, chunk.key, chunk.first_row, chunk.rows, **reason)
            )
            continue
        bad = rejected[chunk.number].rows if chunk.number in rejected else 0
        if part.rows + bad != chunk.rows:
            raise _broken(
                f"chunk {chunk.number} has {chunk.rows} rows, {part.rows} scored, {bad} rejected"
            )
    ledger = Ledger(
        rows_in=sum(chunk.rows for chunk in chunks),
        scored=sum(part.rows for part in scored.values()),
        rejected=codes,
        failed=tuple(failed),
        chunks=len(chunks),
        seconds=sum(part.seconds for part in scored.values()),
    )
    if ledger.scored + ledger.rejected_rows + ledger.failed_rows != ledger.rows_in:
        raise _broken(str(ledger.document()))
    return ledger


def check_shares(ledger: Ledger, settings: BatchSettings) -> None:
    """Raise BoringError `too_many_rejected` or `too_many_failed`."""
    if ledger.rejected_rows > settings.max_rejected_share * ledger.rows_in:
        told = ", ".join(f"{count} {code}" for code, count in sorted(ledger.rejected.items()))
        raise BoringError(
            "too_many_rejected",
            f"{ledger.rejected_rows} of {ledger.rows_in} rows break the contract ({told}), and "
            f"model.yaml accepts {settings.max_rejected_share:.1%}: mend the file, or raise "
            "batch.max_rejected_share.",
            422,
        )
    if len(ledger.failed) > settings.max_failed_share * ledger.chunks:
        first = ledger.failed[0]
        raise BoringError(
            "too_many_failed",
            f"{len(ledger.failed)} of {ledger.chunks} chunks failed, the first with "
            f"{first.code}: {first.message}",
            422,
        )


def _broken(what: str) -> BoringError:
    return BoringError("ledger_broken", f"Rows in and rows out differ: {what}.", 422)
