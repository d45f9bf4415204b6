"""Whatever is sent, every row is accepted or refused by a code, and nothing fails."""

import csv
import io
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boringml.adapters.labels_table import APART, KEPT, LabelsTable
from boringml.monitoring import label_files
from boringml.monitoring.labels import LabelRules
from boringml.monitoring.post_labels import LabelPoster
from boringml.monitoring.record_labels import LabelRecorder
from tests.unit.monitoring.lake import MemoryLake

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
AT = "2026-11-26T11:00:00Z"
GOOD = {"request_id": "a", "at": AT, "label": "bad"}
RULES = LabelRules("bad", "good", requests=True, keys=True, horizon=timedelta(days=30))
HALF = "\ud800"
EDGES = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-01:00"]


def recorded(name: str, content: bytes) -> tuple[Any, int, list[dict[str, Any]]]:
    """Return the receipt of a file, how many labels were kept, and what was kept apart."""
    lake = MemoryLake()
    recorder = LabelRecorder(LabelsTable(lake), lambda _: RULES, lambda: NOW)  # type: ignore[arg-type]
    receipt = recorder.record_file(f"labels/credit/{name}", "v1", content)
    tables = {
        kind: [pq.read_table(io.BytesIO(lake.objects[key])) for key in lake.objects if kind in key]
        for kind in (KEPT, APART)
    }
    apart = [row for table in tables[APART] for row in table.to_pylist()]
    kept = sum(table.num_rows for table in tables[KEPT])
    if receipt.file_code is None:
        assert receipt.received == receipt.accepted + sum(receipt.refused.values())
        assert (kept, len(apart)) == (receipt.accepted, sum(receipt.refused.values()))
    else:
        assert (kept, [row["row_number"] for row in apart]) == (0, [0])
    return receipt, kept, apart


def posted(body: str) -> tuple[int, Any]:
    recorder = LabelRecorder(LabelsTable(MemoryLake()), lambda _: RULES, lambda: NOW)  # type: ignore[arg-type]
    event = {
        "resource": "/models/credit/labels",
        "headers": {"Content-Type": "application/json"},
        "body": body,
    }
    answer = LabelPoster(recorder, lambda _: None, "ns", ["credit"]).answer(event, "i-1")
    return answer["statusCode"], json.loads(answer["body"])


def lines(rows: list[Any]) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


TEXTS = st.one_of(
    st.text(st.characters(), max_size=8),
    st.text(st.characters(categories=["Cs", "Cc", "Lo"]), max_size=8),
    st.sampled_from([AT, *EDGES, "a", "bad", "good", HALF, "2026-11-26T11:00:00+23:59"]),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(TEXTS, inner, max_size=2)),
    max_leaves=4,
)
FIELDS = ["request_id", "record", "key", "at", "label"]
ROWS = st.lists(st.dictionaries(st.sampled_from(FIELDS) | TEXTS, JSON, max_size=6), max_size=6)
# Rows of which one thing is wrong reach further than those of which all is.
ALMOST = st.lists(
    st.builds(
        lambda row, key, value: {**row, key: value},
        st.sampled_from([GOOD, {"key": "k", "at": AT, "label": "good"}]),
        st.sampled_from(FIELDS) | TEXTS,
        JSON,
    ),
    max_size=6,
)


@given(ROWS | ALMOST)
def test_of_json_lines_each_row_is_accepted_or_refused(rows: list[Any]) -> None:
    receipt, kept, _ = recorded("x.jsonl", lines([GOOD, *rows]))
    assert receipt.received == len(rows) + 1
    assert kept >= 1


@given(ROWS | ALMOST)
def test_of_what_is_posted_each_row_is_accepted_or_refused(rows: list[Any]) -> None:
    status, told = posted(json.dumps([GOOD, *rows]))
    assert status == 200
    assert told["received"] == len(rows) + 1 == told["accepted"] + len(told["refused"])
    for row in rows:
        assert posted(json.dumps(row))[0] in (200, 422)


@given(st.lists(st.lists(TEXTS.filter(lambda text: HALF not in text), max_size=5), max_size=6))
def test_of_csv_each_record_is_accepted_or_refused(rows: list[list[str]]) -> None:
    sink = io.StringIO()
    csv.writer(sink).writerows([[*GOOD, "key"], [*GOOD.values(), ""], *rows])
    receipt, kept, _ = recorded("x.csv", sink.getvalue().encode("utf-8", "replace"))
    assert receipt.file_code is None
    assert kept >= 1


# Parquet has no seconds.
UNITS = st.sampled_from(["ms", "us", "ns"])
ZONES = st.sampled_from([None, "UTC", "+01:00", "Europe/Berlin", "No/Where"])
TIMES = st.integers(-(2**63), 2**63 - 1) | st.just(int(NOW.timestamp() * 1000))


@given(UNITS, ZONES, st.lists(TIMES | st.none(), min_size=1, max_size=4))
def test_of_parquet_times_each_row_is_accepted_or_refused(
    unit: str, zone: str | None, times: list[int | None]
) -> None:
    at = pa.array(times, pa.int64()).cast(pa.timestamp(unit, zone))
    content = parquet({"request_id": ["a"] * len(at), "label": ["bad"] * len(at), "at": at})
    assert recorded("x.parquet", content)[0].received == len(at)


@given(st.binary(max_size=200), st.sampled_from(["parquet", "csv", "jsonl"]))
def test_any_bytes_are_a_file_or_refused_whole(content: bytes, ending: str) -> None:
    recorded(f"x.{ending}", content)


def parquet(columns: dict[str, Any]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, compression="none", use_dictionary=False)
    return sink.getvalue()


@pytest.mark.parametrize("at", EDGES)
def test_a_time_that_is_none_in_utc_is_refused_by_its_row(at: str) -> None:
    receipt, kept, _ = recorded("x.jsonl", lines([GOOD, {**GOOD, "at": at}]))
    assert (kept, receipt.refused) == (1, {"time_invalid": 1})
    assert posted(json.dumps({**GOOD, "at": at}))[1]["error"]["code"] == "time_invalid"


@pytest.mark.parametrize(
    ("row", "code", "field"),
    [
        ({"key": HALF, "at": AT, "label": "bad"}, "wrong_type", "key"),
        ({**GOOD, HALF: 1}, "unknown_field", r"\ud800"),
    ],
)
def test_text_that_is_no_utf8_is_refused_by_its_row(
    row: dict[str, Any], code: str, field: str
) -> None:
    receipt, kept, apart = recorded("x.jsonl", lines([GOOD, row]))
    assert (kept, receipt.refused, apart[0]["field"]) == (1, {code: 1}, field)
    status, told = posted(json.dumps(row))
    assert (status, told["error"]["field"]) == (422, f"$.{field}")


def test_a_year_that_python_does_not_know_costs_its_row_alone() -> None:
    now = int(NOW.timestamp()) * 1000
    at = pa.array([now, 10**15, now], pa.timestamp("ms", "UTC"))
    columns = {"request_id": ["a", "b", "c"], "label": ["bad"] * 3, "at": at}
    receipt, kept, apart = recorded("x.parquet", parquet(columns))
    assert (kept, receipt.refused, apart[0]["row_number"]) == (2, {"malformed_row": 1}, 2)


def test_text_of_parquet_that_is_no_utf8_costs_its_row_alone() -> None:
    content = parquet({"request_id": ["a", "b" * 9], "label": ["bad"] * 2, "at": [AT] * 2})
    receipt, kept, _ = recorded("x.parquet", content.replace(b"b" * 9, b"\xff" * 9))
    assert (kept, receipt.refused) == (1, {"malformed_row": 1})


def test_a_damaged_page_refuses_the_file_and_is_no_failure() -> None:
    sink = io.BytesIO()
    columns = {"request_id": [f"r{n}" for n in range(300)], "label": ["bad"] * 300}
    pq.write_table(pa.table(columns), sink, compression="zstd")
    content = bytearray(sink.getvalue())
    content[40:80] = bytes(40)
    assert recorded("x.parquet", bytes(content))[0].file_code == "data_unreadable"


def test_a_column_that_is_there_twice_refuses_the_file() -> None:
    sink = io.BytesIO()
    table = pa.table([["a"], ["bad"], ["good"], [AT]], names=["request_id", "label", "label", "at"])
    pq.write_table(table, sink)
    receipt, _, _ = recorded("x.parquet", sink.getvalue())
    assert receipt.file_code == "data_unreadable"


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_a_file_of_more_rows_than_memory_holds_is_refused_whole(
    ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_files, "MOST_ROWS", 1500)
    for rows, code in ((1500, None), (1501, "data_too_large")):
        columns = {name: [value] * rows for name, value in GOOD.items()}
        content = {
            "parquet": parquet(columns),
            "csv": "\n".join([",".join(GOOD), *[",".join(GOOD.values())] * rows]).encode(),
            "jsonl": lines([GOOD] * rows),
        }[ending]
        receipt, _, apart = recorded(f"x.{ending}", content)
        assert (receipt.file_code, receipt.accepted) == (code, 0 if code else rows)
        assert [row["message"] for row in apart if "cut it" not in row["message"]] == []


def test_a_line_that_would_fill_memory_costs_its_row_alone() -> None:
    deep = b"[" + b"[]," * label_files.MOST_LINE + b"[]]"
    receipt, kept, _ = recorded(
        "x.jsonl", lines([GOOD]) + b"\n" + deep + b"\n\xff\n" + lines([GOOD])
    )
    assert (kept, receipt.refused) == (2, {"malformed_row": 2})


# A process of its own: pyarrow remembers zones.
_WITHOUT_ZONES = """
import io, sys, zoneinfo
from datetime import UTC, datetime
sys.modules["tzdata"] = None
zoneinfo.reset_tzpath([])
import pyarrow as pa, pyarrow.parquet as pq
from boringml.monitoring.label_files import rows_of
from boringml.monitoring.label_rows import labels_of, table_of
from boringml.monitoring.labels import Label
at, sink = datetime(2026, 11, 26, 11, tzinfo=UTC), io.BytesIO()
times = pa.array([int(at.timestamp())], pa.timestamp("s", "Europe/Berlin"))
pq.write_table(pa.table({"at": times}), sink)
assert list(rows_of("x.parquet", sink.getvalue())) == [(1, {"at": at})]
label = Label(at, "bad", True, request_id="a")
assert labels_of(table_of([label], at)) == [label]
"""


def test_times_need_no_database_of_time_zones() -> None:
    done = subprocess.run([sys.executable, "-c", _WITHOUT_ZONES], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
