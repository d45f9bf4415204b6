"""The shadow of a model that batches alone ask: rows that were scored last, by both versions.

Both score them now, in turn: the run may be of a version that is live no more, and what it wrote
may be gone.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from boringml.batch.categories import MISSING
from boringml.batch.checking import Accepted, RowChecker
from boringml.batch.chunks import Chunk
from boringml.batch.reading import Source, checked_rows
from boringml.batch.score_chunk import ColumnModel
from boringml.errors import BoringError
from boringml.release.divergence import Answer, Pair, Summary, summarise
from boringml.release.shadow_drawing import drawn
from boringml.release.shadow_judge import PASS, ShadowPlan, Verdict, judge_shadow

if TYPE_CHECKING:
    from boringml.adapters.registry_table import RegistryTable

# One call ends well within the function's ten minutes, in the memory of a scorer.
MAX_CHUNKS = 8
MAX_ROWS = 4000

Open = Callable[[Chunk], Source]


class Store(Protocol):
    """Objects by key."""

    def write(self, key: str, content: bytes) -> None:
        """Store an object."""


@dataclass(frozen=True)
class BatchShadow:
    """A release in shadow of a batch: who is compared with whom, over which run, by which plan."""

    model: str
    version: int
    live_version: int
    release: str
    run: str
    plan: ShadowPlan

    @property
    def folder(self) -> str:
        """The prefix of what the release leaves in the packages bucket."""
        return f"releases/{self.model}/{self.release}/"


@dataclass(frozen=True)
class Sample:
    """Chunks spread evenly over a run, and every `step`-th row of each: the same at any time."""

    chunks: tuple[Chunk, ...]
    step: int

    def has(self, chunk: Chunk, row_number: int) -> bool:
        """Return whether a row of a chunk, numbered as in its file, is taken."""
        return (row_number - chunk.first_row) % self.step == 0


def sample_of(chunks: Sequence[Chunk]) -> Sample:
    """Return at most MAX_CHUNKS chunks of a run, and a step that leaves about MAX_ROWS rows."""
    chosen = tuple(chunks[:: max(1, math.ceil(len(chunks) / MAX_CHUNKS))])
    rows = sum(chunk.rows for chunk in chosen)
    return Sample(chosen, max(1, math.ceil(rows / MAX_ROWS)))


def compare_batch(
    shadow: BatchShadow,
    live: ColumnModel,
    candidate: ColumnModel,
    baseline: Mapping[str, Any],
    chunks: Sequence[Chunk],
    open_chunk: Open,
    key: str,
    store: Store,
) -> dict[str, Any]:
    """Return {"decision", "code", "samples", "reasons", "report"}: pass or fail, at once.

    `key` is the column that names a row, `baseline` is `features` of the candidate's baseline.json.
    `report` is the key of shadow.json, beside which lies shadow.svg. A row that breaks live's
    contract is not compared; one that breaks the candidate's alone is a failure of the candidate.
    Raises BoringError `batch_input_gone` (422) or `data_unreadable`.
    """
    sample = sample_of(chunks)
    try:
        pairs = list(_pairs(sample, live, candidate, open_chunk, key))
    except BoringError as error:
        if error.code != "object_missing":
            raise
        told = f"Run {shadow.run} cannot be scored again: {error.message} Score a batch first."
        raise BoringError("batch_input_gone", told, 422) from error
    # No segment tells of a sensitive field, though it is compared.
    summary = summarise(pairs, candidate.contract.segment_features, baseline)
    verdict = judge_shadow(summary, shadow.plan, elapsed_s=shadow.plan.seconds)
    report = report_of(shadow, sample, summary, verdict)
    told = shadow.folder + "shadow.json"
    store.write(shadow.folder + "shadow.svg", drawn(report, pairs).encode())
    store.write(told, json.dumps(report, indent=2).encode())
    return {
        "decision": verdict.decision,
        "code": verdict.code,
        "samples": summary.samples,
        "reasons": list(verdict.reasons),
        "report": told,
    }


def report_of(
    shadow: BatchShadow, sample: Sample, summary: Summary, verdict: Verdict
) -> dict[str, Any]:
    """Return what shadow.json says: who was compared, on which rows, what was seen, the verdict."""
    return {
        "model": shadow.model,
        "version": shadow.version,
        "live_version": shadow.live_version,
        "release": shadow.release,
        "run": shadow.run,
        "sample": {"chunks": len(sample.chunks), "every": sample.step},
        "verdict": {
            "decision": verdict.decision,
            "code": verdict.code,
            "reasons": list(verdict.reasons),
        },
        "plan": asdict(shadow.plan),
        "summary": asdict(summary),
        "not_compared": {
            "rows": "Rows that live's contract rejects are not compared.",
            "latency": "Nobody waits for a row: how long versions take is not compared.",
        },
    }


def pass_uncompared(
    registry: "RegistryTable", model: str, version: int, execution: str
) -> dict[str, Any]:
    """Return a pass of a version that nothing could be compared for, and say so in the history.

    Nobody has used live yet, so there is nothing that a candidate could do to anybody.
    """
    why = f"not compared: no batch of {model} was scored yet"
    registry.record_step(
        model, step="shadow", outcome="not_compared", version=version, by=execution, why=why
    )
    return {"decision": PASS, "code": None, "samples": 0, "reasons": [why], "report": None}


def _pairs(
    sample: Sample, live: ColumnModel, candidate: ColumnModel, open_chunk: Open, key: str
) -> Iterator[Pair]:
    """Yield both answers to each row of the sample, one chunk in memory at a time."""
    for chunk in sample.chunks:
        before = dict(_answers(sample, chunk, open_chunk(chunk), live, key))
        after = dict(_answers(sample, chunk, open_chunk(chunk), candidate, key))
        for number, (answer, _) in before.items():
            found, features = after[number]
            yield Pair(f"{chunk.key}#{number}", answer, found, features)


def _answers(
    sample: Sample, chunk: Chunk, source: Source, model: ColumnModel, key: str
) -> Iterator[tuple[int, tuple[Answer, Mapping[str, Any]]]]:
    """Yield (row number, (answer, features)) of each row of a chunk's sample."""
    for rows in checked_rows(chunk, source, RowChecker(model.contract, key)):
        for one in rows.rejected:
            if sample.has(chunk, one.row_number):
                yield one.row_number, (Answer(None, failure=one.code), {})
        numbers = rows.accepted.row_numbers.tolist()
        taken = [i for i, number in enumerate(numbers) if sample.has(chunk, number)]
        found = _scored(model, rows.accepted.numeric[taken], rows.accepted.places[taken])
        for index, answer in zip(taken, found, strict=True):
            yield numbers[index], (answer, _features(model, rows.accepted, index))


def _scored(model: ColumnModel, numeric: Any, places: Any) -> list[Answer]:
    """Return an answer per row. Where rows fail together, each is asked by itself."""
    if not len(numeric):
        return []
    try:
        found = model.predict_columns(numeric, places).tolist()
    except Exception as error:  # noqa: BLE001 - whatever a model raises is its failure, and counted
        if len(numeric) == 1:
            return [Answer(None, failure=type(error).__name__)]
        parts = zip(np.split(numeric, len(numeric)), np.split(places, len(numeric)), strict=True)
        return [answer for row in parts for answer in _scored(model, *row)]
    return [Answer(None, model.contract.label(value), value) for value in found]


def _features(model: ColumnModel, accepted: Accepted, index: int) -> dict[str, Any]:
    """Return the key features of a row; None is a number that is missing."""
    names = model.contract.features
    found: dict[str, Any] = {}
    for name in model.contract.segment_features:
        if name in names.numeric:
            value = float(accepted.numeric[index, names.numeric.index(name)])
            found[name] = None if math.isnan(value) else value
        elif name in names.categorical:
            place = int(accepted.places[index, names.categorical.index(name)])
            found[name] = "" if place == MISSING else names.categories[name][place]
    return found
