"""The end of scoring: all parts are there, their counts balance, and the summary says it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import IO, Any, Protocol

from boringml.batch import parts
from boringml.batch.chunks import Chunk
from boringml.batch.failures import failures_of
from boringml.batch.ledger import Ledger, balance
from boringml.batch.run import BatchRun, InputFile
from boringml.governance.cost import Cost

_AT_ONCE = 16
_SHOWN_FILES = 10


class Parts(Protocol):
    """The parts that scorers wrote."""

    def names(self, folder: str) -> Iterator[str]:
        """Yield the keys below a folder."""

    def file(self, key: str) -> IO[bytes]:
        """Return an object as a file that can seek."""

    def read(self, key: str) -> bytes:
        """Return an object."""

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects."""


def ledger_of(run: BatchRun, chunks: Sequence[Chunk], store: Parts) -> Ledger:
    """Return where each row went. Raises BoringError `ledger_broken`.

    A chunk without a part of scores was not finished: what it left of its rejected rows is deleted,
    since its rows count as failed.
    """
    scored = _facts(store, run.scored)
    rejected = _facts(store, run.rejected)
    left = [key for key, fact in rejected.items() if fact.chunk not in _chunks(scored)]
    store.delete(left)
    whole = {key: fact for key, fact in rejected.items() if key not in left}
    codes: dict[str, int] = {}
    for counted in _each(lambda key: parts.codes_of(store.file(key)), whole):
        for code, count in counted.items():
            codes[code] = codes.get(code, 0) + count
    return balance(chunks, _chunks(scored), _chunks(whole), codes, failures_of(run, store))


def summary_of(
    run: BatchRun,
    ledger: Ledger,
    files: Sequence[InputFile],
    bucket: str,
    *,
    opened_at: datetime,
    now: datetime,
    cost: Cost | None,
) -> dict[str, Any]:
    """Return what is told of a run: in its folder, in its record, and on the event bus."""
    return {
        "model": run.model,
        "model_version": run.version,
        "run": run.label,
        "date": run.date,
        "engine": run.engine,
        "files": len(files),
        "input": [f"s3://{bucket}/{file.key}" for file in files[:_SHOWN_FILES]],
        **ledger.document(),
        "seconds": round((now - opened_at).total_seconds(), 3),
        "cost_usd": cost.usd if cost else None,
        "price_source": cost.price_source if cost else None,
        "scored_uri": f"s3://{bucket}/{run.scored}",
        "rejected_uri": f"s3://{bucket}/{run.rejected}",
    }


def shown(summary: Mapping[str, Any], most: int = 20) -> dict[str, Any]:
    """Return a summary that fits into an event: the first failed chunks stand for all."""
    return {**summary, "failed": summary["failed"][:most]}


def _facts(store: Parts, folder: str) -> dict[str, parts.PartFacts]:
    keys = [key for key in store.names(folder) if key.endswith(".parquet")]
    found = _each(lambda key: parts.facts_of(store.file(key)), keys)
    return dict(zip(keys, found, strict=True))


def _chunks(facts: Mapping[str, parts.PartFacts]) -> dict[int, parts.PartFacts]:
    return {fact.chunk: fact for fact in facts.values()}


def _each(read: Callable[[str], Any], keys: Any) -> list[Any]:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(read, keys))
