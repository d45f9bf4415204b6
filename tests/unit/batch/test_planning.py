"""A file that is not what a run needs is refused before anything is scored, and little is read."""

from typing import Any

import pytest

from boringml.errors import BoringError
from tests.unit.batch.tables import csv_of, lines_of, parquet_of, planned, rows


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.parquet", parquet_of(rows(50))[:-20], "data_unreadable"),
        ("a.parquet", b"PAR1", "data_unreadable"),
        ("a.parquet", parquet_of([{**row, "extra": 1} for row in rows(2)]), "wrong_columns"),
        ("a.parquet", parquet_of([{**row, "tenure": "x"} for row in rows(2)]), "wrong_columns"),
        ("a.csv", b"loan,amount\n1,2\n", "wrong_columns"),
        ("a.csv", csv_of(rows(2)).splitlines()[0] + b"\n", "data_empty"),
        ("a.csv", b"", "data_empty"),
        ("a.jsonl", lines_of([{"loan": 1}]), "wrong_columns"),
        ("a.jsonl", b"\n\n", "wrong_columns"),
        ("a.txt", b"x", "data_format_unknown"),
    ],
)
def test_what_is_no_input_is_refused_by_name(name: str, content: bytes, code: str) -> None:
    with pytest.raises(BoringError) as refused:
        planned(name, content)
    assert refused.value.code == code
    assert name in refused.value.message


@pytest.mark.parametrize(
    ("name", "write"), [("a.csv", csv_of), ("a.jsonl", lines_of), ("a.parquet", parquet_of)]
)
def test_the_chunks_hold_every_row_once(name: str, write: Any) -> None:
    options = {"group": 300} if name == "a.parquet" else {}
    chunks, _ = planned(name, write(rows(1000), **options), 400)
    assert sum(chunk.rows for chunk in chunks) == 1000
    assert [chunk.number for chunk in chunks] == list(range(len(chunks)))
    firsts = [1]
    for chunk in chunks:
        firsts.append(firsts[-1] + chunk.rows)
    assert [chunk.first_row for chunk in chunks] == firsts[:-1]
