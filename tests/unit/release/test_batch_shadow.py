"""What both versions say of the rows that were scored last, with files and models in memory."""

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boringml.batch.chunks import PARQUET, Chunk
from boringml.contract.contract import Contract
from boringml.errors import BoringError
from boringml.release.batch_shadow import (
    MAX_CHUNKS,
    MAX_ROWS,
    BatchShadow,
    compare_batch,
    sample_of,
)
from boringml.release.shadow_judge import ShadowPlan
from tests.unit.batch.tables import CONTRACT, DOCUMENT, KEY, csv_of, parquet_of, planned, rows

PLAN = ShadowPlan(
    samples=100,
    max_label_disagreement=0.1,
    max_probability_shift=0.1,
    max_segment_disagreement=0.3,
    max_extra_failures=0.0,
    unit="rows",
)
TENURE = CONTRACT.features.numeric.index("tenure")


@dataclass
class Columns:
    """A model in one line: P falls with the tenure. `bad` rows have a tenure that it throws at."""

    contract: Contract = CONTRACT
    version: int = 1
    swapped: bool = False
    shift: float = 0.0
    throws_at: float | None = None
    asked: int = 0

    def predict_columns(self, numeric: Any, places: Any) -> Any:
        assert len(numeric) == len(places)
        self.asked += 1
        tenure = numeric[:, TENURE]
        if self.throws_at is not None and (tenure == self.throws_at).any():
            raise RuntimeError("it throws")
        found = np.clip(0.9 - tenure / 100 + self.shift, 0, 1)
        return 1 - found if self.swapped else found


@dataclass
class Store:
    found: dict[str, bytes] = field(default_factory=dict)

    def write(self, key: str, content: bytes) -> None:
        self.found[key] = content


def customers(count: int) -> list[dict[str, Any]]:
    return rows(count, **{f"row{n}": {"tenure": n % 80} for n in range(1, count + 1)})


def compared(
    content: bytes,
    candidate: Columns,
    name: str = "x.parquet",
    plan: ShadowPlan = PLAN,
    live: Columns | None = None,
) -> tuple[dict[str, Any], Store]:
    chunks, source = planned(name, content, 1000)
    shadow = BatchShadow("churn", 2, 1, "release-1", "abc-1", plan)
    store = Store()
    found = compare_batch(
        shadow, live or Columns(), candidate, {}, chunks, lambda _chunk: source, KEY, store
    )
    return found, store


def test_a_version_that_scores_alike_passes_with_a_report_and_no_latency() -> None:
    found, store = compared(parquet_of(customers(500)), Columns(shift=0.01))
    assert (found["decision"], found["code"], found["samples"]) == ("pass", None, 500)
    report = json.loads(store.found[found["report"]])
    assert found["report"] == "releases/churn/release-1/shadow.json"
    assert report["summary"]["compared"] == 500
    assert report["summary"]["latency_ratio"] is None
    assert {s["feature"] for s in report["summary"]["segments"]} <= set(CONTRACT.segment_features)
    assert report["run"] == "abc-1"
    drawing = store.found["releases/churn/release-1/shadow.svg"].decode()
    assert "rows with two answers" in drawing
    assert "milliseconds" not in drawing
    assert not any("ms" in reason.split() for reason in found["reasons"])
    assert KEY not in str(store.found)


@pytest.mark.parametrize(
    ("candidate", "told"),
    [
        (Columns(swapped=True), "labels differ in"),
        (Columns(shift=0.2), "the probability moves"),
        (Columns(throws_at=7.0), "the candidate failed 7 of 500 rows"),
    ],
)
def test_a_version_that_does_harm_is_refused_for_what_it_does(
    candidate: Columns, told: str
) -> None:
    found, store = compared(parquet_of(customers(500)), candidate)
    assert (found["decision"], found["code"]) == ("fail", "shadow_failed")
    assert any(told in reason for reason in found["reasons"])
    assert json.loads(store.found[found["report"]])["verdict"]["code"] == "shadow_failed"


def test_a_row_that_throws_takes_no_other_row_with_it() -> None:
    plan = dataclasses.replace(PLAN, max_extra_failures=0.1)
    found, store = compared(parquet_of(customers(500)), Columns(throws_at=7.0), plan=plan)
    summary = json.loads(store.found[found["report"]])["summary"]
    assert (summary["compared"], summary["failure_codes"]) == (493, {"RuntimeError": 7})


def test_too_few_rows_are_never_a_pass() -> None:
    found, _ = compared(parquet_of(customers(99)), Columns())
    assert (found["decision"], found["code"]) == ("fail", "shadow_without_traffic")


def test_what_live_rejects_is_left_out_and_what_the_candidate_alone_rejects_counts() -> None:
    document = json.loads(json.dumps(DOCUMENT))
    document["request"]["properties"]["tenure"]["maximum"] = 78
    spoiled = customers(400)
    for row in spoiled[:50]:
        row["tenure"] = -1
    content = csv_of(spoiled) + b"K401,1\n"
    found, store = compared(content, Columns(contract=Contract.of(document)), "x.csv")
    summary = json.loads(store.found[found["report"]])["summary"]
    assert (summary["samples"], summary["live_failures"]) == (350, 51)
    assert summary["failure_codes"] == {"out_of_bounds": 5}
    assert found["code"] == "shadow_failed"


def test_an_input_that_is_gone_is_told_with_what_to_do() -> None:
    chunks, _ = planned("x.parquet", parquet_of(customers(200)))

    def gone(_chunk: Chunk) -> Any:
        raise BoringError("object_missing", "It is not there.", 404)

    shadow = BatchShadow("churn", 2, 1, "release-1", "abc-1", PLAN)
    with pytest.raises(BoringError, match="Score a batch first") as refusal:
        compare_batch(shadow, Columns(), Columns(), {}, chunks, gone, KEY, Store())
    assert refusal.value.code == "batch_input_gone"


def test_a_large_run_is_sampled_over_all_of_it() -> None:
    found, store = compared(parquet_of(customers(9000), group=1000), Columns())
    report = json.loads(store.found[found["report"]])
    assert report["sample"] == {"chunks": 5, "every": 2}
    assert found["samples"] == 2500


@given(st.lists(st.integers(1, 1_000_000), min_size=1, max_size=200))
def test_a_sample_has_at_most_its_rows_and_some_of_every_run(sizes: list[int]) -> None:
    first, chunks = 1, []
    for number, size in enumerate(sizes):
        chunks.append(Chunk(number, "k", "v", PARQUET, first, size))
        first += size
    sample = sample_of(chunks)
    assert 1 <= len(sample.chunks) <= MAX_CHUNKS
    taken = sum(-(-chunk.rows // sample.step) for chunk in sample.chunks)
    assert 1 <= taken <= MAX_ROWS + MAX_CHUNKS
    assert sample.has(sample.chunks[0], sample.chunks[0].first_row)
