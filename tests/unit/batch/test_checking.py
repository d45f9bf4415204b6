"""A row is judged as an online request would be, in whichever format it comes."""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boringml.batch.checking import RowChecker
from boringml.batch.reading import checked_rows
from boringml.contract.violations import violations
from tests.unit.batch.tables import (
    CONTRACT,
    DOCUMENT,
    KEY,
    RECORD,
    csv_of,
    lines_of,
    parquet_of,
    planned,
    rows,
)  # fmt: skip

CHECKER = RowChecker(CONTRACT, KEY)


def judged(name: str, content: bytes, chunk_rows: int = 1000) -> tuple[list[int], dict[int, Any]]:
    """Return the accepted row numbers, and code and field of each rejected one."""
    chunks, source = planned(name, content, chunk_rows)
    accepted: list[int] = []
    rejected: dict[int, Any] = {}
    for chunk in chunks:
        for found in checked_rows(chunk, source, CHECKER):
            accepted += found.accepted.row_numbers.tolist()
            rejected |= {one.row_number: (one.code, one.field) for one in found.rejected}
    return accepted, rejected


BAD = {
    "row2": ({"tenure": -1}, ("out_of_bounds", "$.tenure")),
    "row3": ({"contract": "Three year"}, ("unknown_category", "$.contract")),
    "row4": ({"tenure": 1.5}, ("wrong_type", "$.tenure")),
    "row5": ({KEY: None}, ("missing_key", f"$.{KEY}")),
}


@pytest.mark.parametrize(
    ("name", "write"), [("a.csv", csv_of), ("a.jsonl", lines_of), ("a.parquet", parquet_of)]
)
def test_each_format_rejects_the_same_rows_for_the_same_reasons(name: str, write: Any) -> None:
    found = rows(6, **{row: fields for row, (fields, _) in BAD.items()})
    if name == "a.parquet":
        found = [{**row, "tenure": float(row["tenure"])} for row in found]
    accepted, rejected = judged(name, write(found))
    assert accepted == [1, 6]
    assert rejected == {int(row[3:]): reason for row, (_, reason) in BAD.items()}


def test_text_in_a_number_and_what_is_not_finite_are_told_apart() -> None:
    found = rows(4, row1={"monthly_charges": "ten"}, row2={"monthly_charges": "inf"},
                 row3={"monthly_charges": " 5.5 "})  # fmt: skip
    _, rejected = judged("a.csv", csv_of(found))
    assert rejected == {
        1: ("wrong_type", "$.monthly_charges"),
        2: ("not_finite", "$.monthly_charges"),
    }


def test_an_empty_value_is_missing_where_one_is_due_and_nan_where_null_may_be() -> None:
    content = csv_of(rows(2, row1={"monthly_charges": None}, row2={"total_charges": None}))
    chunks, source = planned("a.csv", content)
    (found,) = checked_rows(chunks[0], source, CHECKER)
    assert [(one.row_number, one.code) for one in found.rejected] == [(1, "missing_field")]
    place = CONTRACT.features.numeric.index("total_charges")
    assert math.isnan(found.accepted.numeric[0, place])


def test_a_row_of_too_many_columns_keeps_its_number_and_its_text() -> None:
    lines = csv_of(rows(5)).splitlines(keepends=True)
    lines[3] = b'"K3",a,"b"\n'
    chunks, source = planned("a.csv", b"".join(lines))
    found = list(checked_rows(chunks[0], source, CHECKER))
    numbers = [n for rows_ in found for n in rows_.accepted.row_numbers.tolist()]
    (bad,) = (one for rows_ in found for one in rows_.rejected)
    assert (numbers, bad.row_number, bad.code) == ([1, 2, 4, 5], 3, "malformed_row")
    assert "K3" in json.loads(bad.row)


def test_malformed_rows_keep_their_numbers_across_blocks_of_the_reader() -> None:
    lines = csv_of(rows(20_000)).splitlines(keepends=True)
    bad = [1, 9_000, 9_001, 19_999]
    for number in bad:
        lines[number] = b"short,row\n"
    accepted, rejected = judged("a.csv", b"".join(lines), 100_000)
    assert sorted(rejected) == bad
    assert accepted == [n for n in range(1, 20_001) if n not in bad]


def test_a_line_that_is_no_record_is_rejected_and_the_rest_goes_on() -> None:
    good = lines_of(rows(1))
    content = good + b"{no json}\n" + b"[1]\n" + lines_of([{KEY: "x", "other": 1}]) + good
    accepted, rejected = judged("a.jsonl", content)
    assert accepted == [1, 5]
    assert [code for code, _ in rejected.values()] == [
        "malformed_json", "wrong_type", "unknown_field",
    ]  # fmt: skip


def test_a_rejected_row_is_told_as_it_came() -> None:
    found = rows(1, row1={"tenure": -5})
    chunks, source = planned("a.parquet", parquet_of(found))
    (checked,) = checked_rows(chunks[0], source, CHECKER)
    assert json.loads(checked.rejected[0].row) == found[0]


VALUES = st.one_of(
    st.none(), st.integers(-3, 700), st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(), st.sampled_from(["No", "Yes", "DSL", "x", ""]),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from([*RECORD, "stranger"]), VALUES, max_size=4))
def test_lines_are_judged_by_the_rules_of_online_requests(changed: dict[str, Any]) -> None:
    record = {**RECORD, **changed}
    accepted, rejected = CHECKER.lines([json.dumps({KEY: 1, **record}).encode()], np.array([1]))
    expected = violations(record, DOCUMENT["request"])
    assert len(accepted) == (not expected)
    assert [(one.code, one.field) for one in rejected] == [
        (one.code, one.field) for one in expected[:1]
    ]


NUMBERS = st.one_of(st.integers(-3, 700), st.floats(-10, 2000).map(lambda v: round(v, 2)))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(NUMBERS, st.sampled_from(["One year", "x", "Two year"])), min_size=1))
def test_columns_are_judged_by_the_rules_of_online_requests(
    found: list[tuple[float, str]],
) -> None:
    records = [{**RECORD, "monthly_charges": float(a), "contract": b} for a, b in found]
    content = parquet_of([{KEY: str(n), **record} for n, record in enumerate(records)])
    _, rejected = judged("a.parquet", content)
    schema = DOCUMENT["request"]
    # Columns are checked in the contract's order, as `violations` tells them.
    expected = {
        number: (problems[0].code, problems[0].field)
        for number, record in enumerate(records, 1)
        if (problems := violations(record, schema))
    }
    assert rejected == expected
