"""The fast path through a record batch says of every row what the plain definition says."""

import copy
import io
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boringml.batch.categories import Texts
from boringml.batch.checking import Accepted, Rejection, RowChecker
from boringml.batch.reading import checked_rows
from boringml.contract.contract import Contract
from boringml.errors import BoringError
from tests.unit.batch.plain_checking import PlainChecker
from tests.unit.batch.tables import DOCUMENT, KEY, RECORD, planned, rows


def with_gaps() -> Contract:
    """Churn's contract with a category that may be null, and one that may be left out."""
    document = copy.deepcopy(DOCUMENT)
    document["request"]["properties"]["contract"]["nullable"] = True
    document["request"]["required"].remove("tech_support")
    return Contract.of(document)


CONTRACT = with_gaps()
FAST, PLAIN = RowChecker(CONTRACT, KEY), PlainChecker(CONTRACT, KEY)
FEATURES = CONTRACT.features
Judged = tuple[list[str], list[int], list[Any], list[Any], list[Rejection]]


def judged(accepted: Any, rejected: list[Rejection]) -> Judged:
    """Return what was found as lists, NaN as None, places as texts."""
    if isinstance(accepted, Accepted):
        texts = Texts(FEATURES).of(accepted.places)
        keys = accepted.keys.to_pylist()
    else:
        texts, keys = accepted.categorical, list(accepted.keys)
    numeric = np.where(np.isnan(accepted.numeric), None, accepted.numeric)
    return keys, accepted.row_numbers.tolist(), numeric.tolist(), texts.tolist(), rejected


def both(batch: Any) -> Judged:
    numbers = np.arange(7, 7 + batch.num_rows)
    fast = judged(*FAST.columns(batch, numbers))
    assert fast == judged(*PLAIN.columns(batch, numbers))
    return fast


# What each kind of column may be in Parquet, and what of it is wrong.
WHOLE = st.one_of(st.sampled_from([0, 1]), st.sampled_from([-1, 2, 601, 2**53, None]))
NUMBER = st.one_of(
    st.floats(0, 1000),
    st.sampled_from([0.0, 1.0, 1000.0, -0.5, 1e9, float("nan"), float("inf"), -float("inf"), None]),
)
TEXT_NUMBER = st.sampled_from(["1", " 0 ", "1.0", "0.5", "nan", "inf", "ten", "", "1e3", None])
WORDS = ["No", "Yes", "No internet service", "No phone service", "DSL", "One year", "", "x", None]
KEYS = st.sampled_from(["K1", "K2", "schlüssel", "", "b\ufffdd", None])


def columns(name: str) -> st.SearchStrategy[tuple[Any, Any]]:
    """Draw (a value of one row, the column's Arrow type)."""
    if name == KEY:
        return st.tuples(st.just(KEYS), st.sampled_from([pa.string(), pa.large_string()]))
    if name in FEATURES.categories:
        values = st.sampled_from([*FEATURES.categories[name], *WORDS])
        kinds = [
            pa.string(), pa.large_string(),
            pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int32(), pa.large_string()),
        ]  # fmt: skip
        return st.tuples(st.just(values), st.sampled_from(kinds))
    return st.one_of(
        st.tuples(st.just(WHOLE), st.sampled_from([pa.int64(), pa.float64()])),
        st.tuples(st.just(NUMBER), st.just(pa.float64())),
        st.tuples(st.just(TEXT_NUMBER), st.just(pa.string())),
    )


@st.composite
def batches(draw: st.DrawFn) -> Any:
    """Draw a batch in which three columns are whatever may come, and the others good."""
    count = draw(st.integers(1, 12))
    strange = draw(st.lists(st.sampled_from([KEY, *RECORD]), max_size=3, unique=True))
    table = {name: pa.array([value] * count) for name, value in {KEY: "K", **RECORD}.items()}
    for name in strange:
        values, kind = draw(columns(name))
        found = draw(st.lists(values, min_size=count, max_size=count))
        if pa.types.is_dictionary(kind):
            words = pa.array(found, kind.value_type).dictionary_encode()
            table[name] = words.cast(kind)
        elif kind == pa.string() and name in FEATURES.bounds:
            table[name] = pa.array(found, kind)
        else:
            table[name] = pa.array(found, kind, from_pandas=False)
    batch = pa.record_batch(table)
    start = draw(st.integers(0, count - 1))
    return batch.slice(start)


@settings(max_examples=400, deadline=None)
@given(batches())
def test_the_fast_path_finds_the_same_rows_values_and_reasons(batch: Any) -> None:
    both(batch)


# Eight kinds of bad rows, as the demo's bad files have them.
KINDS: list[dict[str, Any]] = [
    {"tenure": -1}, {"tenure": 601}, {"tenure": 1.5}, {"monthly_charges": float("inf")},
    {"monthly_charges": None}, {"contract": "Three year"}, {"multiple_lines": None}, {KEY: ""},
]  # fmt: skip


@pytest.mark.parametrize("share", [0.0, 0.03, 1.0])
def test_rows_of_which_some_are_bad_are_told_apart_as_ever(share: float) -> None:
    draw = np.random.default_rng(6)
    found = []
    for number in range(4000):
        row = {KEY: f"K{number}", **RECORD, "tenure": float(draw.integers(0, 70))}
        if number % 3 == 0:
            row["total_charges"] = None
        if draw.random() < share:
            row |= KINDS[int(draw.integers(len(KINDS)))]
        found.append(row)
    batch = pa.RecordBatch.from_pylist(found)
    keys, *_, rejected = both(batch)
    assert len(keys) + len(rejected) == 4000
    assert len({(one.code, one.field) for one in rejected}) == (7 if share else 0)


def test_a_dictionary_of_more_words_than_rows_is_that_of_its_rows_alone() -> None:
    words = [*FEATURES.categories["contract"], *(f"stranger {n}" for n in range(1000))]
    batch = pa.RecordBatch.from_pylist(rows(3))
    column = pa.DictionaryArray.from_arrays(pa.array([0, 900, 1], pa.int16()), pa.array(words))
    place = batch.schema.get_field_index("contract")
    batch = batch.set_column(place, "contract", column)
    _, numbers, _, _, rejected = both(batch)
    assert (numbers, [one.row_number for one in rejected]) == ([7, 9], [8])


def test_a_file_is_read_the_same_with_dictionaries_and_without() -> None:
    table = pa.Table.from_pylist(rows(50, row9={"contract": "x"}, row20={"total_charges": None}))
    answers = []
    for encoded in (True, False):
        sink = io.BytesIO()
        pq.write_table(table, sink, use_dictionary=encoded, row_group_size=20)
        chunks, source = planned("a.parquet", sink.getvalue())
        # With dictionaries no batch spans two row groups: the rows are compared, not the batches.
        checked = checked_rows(chunks[0], source, FAST)
        found = [judged(one.accepted, one.rejected) for one in checked]
        answers.append([list(chain(*parts)) for parts in zip(*found, strict=True)])
    assert answers[0] == answers[1]
    assert [one.row_number for one in answers[0][-1]] == [9]


def test_a_key_that_is_no_utf_8_is_an_unreadable_file() -> None:
    table = pa.Table.from_pylist(rows(3))
    broken = pa.array([b"K1", b"\xff\xfe", b"K3"], pa.binary()).view(pa.string())
    sink = io.BytesIO()
    pq.write_table(table.set_column(0, KEY, broken), sink)
    chunks, source = planned("a.parquet", sink.getvalue())
    with pytest.raises(BoringError, match="cannot be read") as caught:
        list(checked_rows(chunks[0], source, FAST))
    assert caught.value.code == "data_unreadable"
