"""Rows in = scored + rejected + failed, or the run is no run."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boringml.batch import parts
from boringml.batch.chunks import Chunk
from boringml.batch.ledger import balance, check_shares
from boringml.batch.parts import PartFacts
from boringml.batch.score_chunk import score_chunk
from boringml.batch.settings import BatchSettings
from boringml.batch.transform import join_chunk, keys_key, prepare_chunk
from boringml.errors import BoringError
from tests.unit.batch.tables import CONTRACT, KEY, RUN, csv_of, planned, rows

SETTINGS = BatchSettings("map", 10, 1000, 0.05, 0.5, {})
REASON = {"code": "timeout", "message": "It took too long."}
COUNTS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.booleans()), min_size=1)


def facts(number: int, count: int) -> PartFacts:
    return PartFacts(number, count, 1.5)


@given(COUNTS)
def test_every_row_is_in_the_ledger_once(found: list[tuple[int, int, bool]]) -> None:
    chunks = [Chunk(n, "k", "v", "csv", 1, good + bad) for n, (good, bad, _) in enumerate(found)]
    whole = {n: counts for n, counts in enumerate(found) if not counts[2]}
    ledger = balance(
        chunks,
        {n: facts(n, good) for n, (good, _, _) in whole.items()},
        {n: facts(n, bad) for n, (_, bad, _) in whole.items() if bad},
        {"out_of_bounds": sum(bad for _, bad, _ in whole.values())},
        {n: REASON for n, counts in enumerate(found) if counts[2]},
    )
    assert ledger.rows_in == ledger.scored + ledger.rejected_rows + ledger.failed_rows
    assert ledger.failed_rows == sum(good + bad for good, bad, lost in found if lost)


@pytest.mark.parametrize(
    ("scored", "rejected", "codes"),
    [
        ({}, {}, {}),
        ({0: facts(0, 9)}, {}, {}),
        ({0: facts(0, 9)}, {0: facts(0, 2)}, {"x": 2}),
        ({0: facts(0, 9)}, {0: facts(0, 1)}, {"x": 2}),
    ],
)
def test_a_row_too_few_or_too_many_breaks_the_ledger(
    scored: Any, rejected: Any, codes: Any
) -> None:
    with pytest.raises(BoringError) as broken:
        balance([Chunk(0, "k", "v", "csv", 1, 10)], scored, rejected, codes, {})
    assert broken.value.code == "ledger_broken"


def test_more_bad_rows_or_failed_chunks_than_accepted_fail_the_run() -> None:
    chunks = [Chunk(n, "k", "v", "csv", 1, 100) for n in range(2)]
    bad = balance(chunks, {0: facts(0, 89), 1: facts(1, 100)}, {0: facts(0, 11)}, {"x": 11}, {})
    with pytest.raises(BoringError, match="too_many_rejected"):
        check_shares(bad, SETTINGS)
    lost = balance(chunks, {}, {}, {}, {0: REASON, 1: REASON})
    with pytest.raises(BoringError, match="too_many_failed"):
        check_shares(lost, SETTINGS)
    check_shares(balance(chunks, {0: facts(0, 100)}, {}, {}, {1: REASON}), SETTINGS)


class Fixed:
    """A model whose probability is a hundredth of the tenure."""

    contract, version = CONTRACT, 7

    def predict_columns(self, numeric: Any, places: Any) -> Any:
        place = CONTRACT.features.numeric.index("tenure")
        return np.minimum(numeric[:, place] / 100, 1.0)


def test_both_engines_write_the_same_scores_and_the_same_rejected_rows() -> None:
    content = csv_of(rows(50, row3={"tenure": 90}, row7={"tenure": -1}, row9={"contract": "x"}))
    (chunk,), source = planned("a.csv", content)
    by_map: dict[str, bytes] = {}
    score_chunk(RUN, chunk, source, Fixed(), KEY, by_map.__setitem__)  # type: ignore[arg-type]
    stored: dict[str, bytes] = {}
    prepare_chunk(RUN, chunk, source, CONTRACT, KEY, stored.__setitem__)
    lines = next(text for key, text in stored.items() if "/input/" in key).splitlines()
    answers = b"".join(_answer(line) for line in lines)
    join_chunk(RUN, chunk, stored[keys_key(RUN, 0)], answers, CONTRACT, stored.__setitem__)
    for folder in (RUN.scored, RUN.rejected):
        one, other = (_table(found, folder) for found in (by_map, stored))
        assert one.equals(other)
        assert one.num_rows == (48 if folder == RUN.scored else 2)


def test_answers_that_do_not_fit_the_questions_are_refused() -> None:
    (chunk,), source = planned("a.csv", csv_of(rows(3)))
    stored: dict[str, bytes] = {}
    prepare_chunk(RUN, chunk, source, CONTRACT, KEY, stored.__setitem__)
    keys = stored[keys_key(RUN, 0)]
    answer = b'{"prediction": "No", "probability": 0.1}\n'
    for answers in (answer * 2, answer * 2 + b'{"prediction": "No", "probability": 2}\n'):
        with pytest.raises(BoringError, match="answers_differ"):
            join_chunk(RUN, chunk, keys, answers, CONTRACT, stored.__setitem__)


def _answer(line: bytes) -> bytes:
    import json

    probability = min(json.loads(line)["tenure"] / 100, 1.0)
    label = CONTRACT.positive if probability >= CONTRACT.threshold else CONTRACT.negative
    return json.dumps({"prediction": label, "probability": probability}).encode() + b"\n"


def _table(found: dict[str, bytes], folder: str) -> Any:
    import io

    import pyarrow.parquet as pq

    (content,) = (content for key, content in found.items() if key.startswith(folder))
    assert parts.facts_of(io.BytesIO(content)).chunk == 0
    return pq.read_table(io.BytesIO(content))
