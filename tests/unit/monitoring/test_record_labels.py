"""Files and bodies of labels: kept once, bad rows apart, and counts that add up."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from boringml.adapters.labels_table import APART, KEPT, MOST_OBJECTS, LabelsTable
from boringml.errors import BoringError
from boringml.monitoring.label_rows import counted
from boringml.monitoring.labels import LabelRules
from boringml.monitoring.post_labels import LabelPoster
from boringml.monitoring.record_labels import (
    MOST_BODY_BYTES,
    MOST_LABELS,
    LabelRecorder,
    model_of,
)
from tests.unit.monitoring.lake import MemoryLake

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
AT = "2026-11-26T11:00:00Z"
KEY = "labels/credit/loans"
RULES = LabelRules("bad", "good", requests=True, keys=False, horizon=timedelta(days=30))


class Lake(MemoryLake):
    """A lake in memory that can forget."""

    def delete(self, keys: list[str]) -> None:
        for key in keys:
            self.objects.pop(key, None)

    def rows(self, prefix: str) -> list[dict[str, Any]]:
        found = [self.objects[key] for key in sorted(self.objects) if key.startswith(prefix)]
        return [row for content in found for row in pq.read_table(io.BytesIO(content)).to_pylist()]


def rules_of(model: str) -> LabelRules:
    if model != "credit":
        raise BoringError("model_unknown", "There is none.", 404)
    return RULES


@pytest.fixture
def lake() -> Lake:
    return Lake()


@pytest.fixture
def table(lake: Lake) -> LabelsTable:
    return LabelsTable(lake)  # type: ignore[arg-type]


@pytest.fixture
def recorder(table: LabelsTable) -> LabelRecorder:
    return LabelRecorder(table, rules_of, lambda: NOW)


def parquet(rows: list[dict[str, Any]]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


ROWS = [
    {"request_id": "a", "record": 0, "at": AT, "label": "bad"},
    {"request_id": "b", "record": 2, "at": AT, "label": "fine"},
    {"request_id": "c", "record": None, "at": AT, "label": "good"},
]
CSV = f"request_id,record,at,label\na,0,{AT},bad\n\nb,2,{AT},fine\nc,,{AT},good\nd,x\n"
FILES = {
    "parquet": (parquet(ROWS), 3, {"unknown_label": 1}),
    "csv": (CSV.encode(), 4, {"malformed_row": 1, "unknown_label": 1}),
    "jsonl": (
        ("\n".join(json.dumps(row) for row in ROWS) + "\n{\n[1]\n").encode(),
        5,
        {"malformed_row": 2, "unknown_label": 1},
    ),
}


@pytest.mark.parametrize("ending", FILES)
def test_good_rows_are_kept_and_bad_ones_apart_with_number_and_reason(
    ending: str, recorder: LabelRecorder, lake: Lake
) -> None:
    content, received, refused = FILES[ending]
    receipt = recorder.record_file(f"{KEY}.{ending}", "v1", content)
    assert (receipt.received, receipt.accepted, dict(receipt.refused)) == (received, 2, refused)
    assert receipt.received == receipt.accepted + sum(receipt.refused.values())
    kept = lake.rows(f"{KEPT}model=credit/date=2026-11-26/")
    assert [(row["request_id"], row["record"], row["positive"]) for row in kept] == [
        ("a", 0, True),
        ("c", 0, False),
    ]
    apart = lake.rows(f"{APART}model=credit/date=2026-11-26/")
    assert [row["row_number"] for row in apart if row["code"] == "unknown_label"] == [2]
    assert len(apart) == sum(refused.values())
    assert {row["source"] for row in apart} == {f"{KEY}.{ending}"}


def test_a_file_that_is_told_twice_is_kept_once(recorder: LabelRecorder, lake: Lake) -> None:
    for _ in range(2):
        recorder.record_file(f"{KEY}.csv", "v1", CSV.encode())
    assert len(lake.objects) == 2
    recorder.record_file(f"{KEY}.csv", "v2", CSV.encode())
    assert len(lake.objects) == 4


@pytest.mark.parametrize(
    ("key", "content", "code"),
    [
        (f"{KEY}.txt", b"x", "data_format_unknown"),
        (f"{KEY}.csv", b"", "data_unreadable"),
        (f"{KEY}.csv", b"a,a\n1,2\n", "data_unreadable"),
        (f"{KEY}.csv", "ä".encode("latin-1"), "data_unreadable"),
        (f"{KEY}.parquet", parquet(ROWS)[:-20], "data_unreadable"),
        ("labels/nosuch/x.csv", CSV.encode(), "model_unknown"),
        (f"{KEY}.csv", b"x" * (64 * 1024 * 1024 + 1), "data_too_large"),
    ],
)
def test_a_file_that_is_none_is_kept_apart_whole(
    key: str, content: bytes, code: str, recorder: LabelRecorder, lake: Lake
) -> None:
    receipt = recorder.record_file(key, "v1", content)
    assert (receipt.file_code, receipt.received, receipt.accepted) == (code, 0, 0)
    (row,) = lake.rows(APART)
    assert (row["row_number"], row["code"], row["source"]) == (0, code, key)
    line = json.loads(receipt.line("ns", ["credit"]))
    assert line["labels_refused"] == 1
    # A name that anybody may choose becomes no metric.
    sets = line["_aws"]["CloudWatchMetrics"][0]["Dimensions"]
    assert sets == ([["model"], []] if key.startswith(KEY) else [[]])


def test_a_key_names_its_model() -> None:
    assert model_of("labels/credit/2026/x.csv") == "credit"
    for key in ("labels/credit", "labels//x.csv", "labels/credit/", "data/credit/x.csv"):
        with pytest.raises(BoringError, match="key_unsafe"):
            model_of(key)


def body(*labels: Any) -> bytes:
    return json.dumps(labels[0] if len(labels) == 1 else list(labels)).encode()


LABEL = {"request_id": "a", "at": AT, "label": "bad"}


@pytest.mark.parametrize(
    ("content", "code", "field"),
    [
        (b"{", "malformed_json", None),
        (b"[]", "list_empty", "$"),
        (body([LABEL] * (MOST_LABELS + 1)), "list_too_long", "$"),
        (b" " * MOST_BODY_BYTES + b"{}", "body_too_large", None),
        (b"[1]", "wrong_type", "$[0]"),
        (b"7", "wrong_type", "$"),
        (body({**LABEL, "label": "x"}), "unknown_label", "$.label"),
    ],
)
def test_a_body_that_is_none_is_refused(
    content: bytes, code: str, field: str | None, recorder: LabelRecorder, lake: Lake
) -> None:
    with pytest.raises(BoringError) as refusal:
        recorder.record_body("credit", content, "post-1")
    assert (refusal.value.code, refusal.value.details.get("field")) == (code, field)
    assert lake.objects == {}


def post(
    recorder: LabelRecorder, content: bytes, model: str = "credit"
) -> tuple[int, Any, list[str]]:
    lines: list[str] = []
    event = {
        "resource": f"/models/{model}/labels",
        "headers": {"Content-Type": "application/json"},
        "requestContext": {"requestId": "r-1"},
        "body": content.decode(),
    }
    answer = LabelPoster(recorder, lines.append, "ns", ["credit"]).answer(event, "i-1")
    return answer["statusCode"], json.loads(answer["body"]), lines


def test_a_list_is_answered_row_by_row(recorder: LabelRecorder, lake: Lake) -> None:
    status, told, lines = post(recorder, body(LABEL, {**LABEL, "label": "x"}, LABEL))
    assert (status, told["received"], told["accepted"]) == (200, 3, 2)
    (refused,) = told["refused"]
    assert (refused["row_number"], refused["code"], refused["field"]) == (
        2,
        "unknown_label",
        "label",
    )
    assert told["request_id"] == "r-1"
    assert (json.loads(lines[0])["labels_received"], json.loads(lines[0])["labels_refused"]) == (
        3,
        1,
    )
    # The caller was told: no alarm need be.
    assert json.loads(lines[0])["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["model"]]
    assert len(lake.rows(KEPT)) == 2


def test_a_refused_body_is_told_by_its_code(recorder: LabelRecorder) -> None:
    status, told, lines = post(recorder, b"[]")
    assert (status, told["error"]["code"], lines) == (422, "list_empty", [])


def test_a_label_is_found_by_its_request(recorder: LabelRecorder, table: LabelsTable) -> None:
    later = {**LABEL, "at": "2026-11-26T11:30:00Z", "label": "good"}
    recorder.record_body("credit", body(LABEL, {**LABEL, "request_id": "b"}, later), "post-1")
    found = table.find("credit", "a", NOW.date(), NOW.date())
    assert [one.label for one in found] == ["bad", "good"]
    assert (known := counted(found)) is not None
    assert known.label == "good"
    assert table.find("credit", "a", NOW.date(), NOW.date(), record=1) == []
    assert counted([]) is None


def test_many_objects_of_a_day_become_one_and_no_label_is_lost(
    recorder: LabelRecorder, table: LabelsTable, lake: Lake
) -> None:
    for number in range(MOST_OBJECTS + 1):
        recorder.record_body("credit", body({**LABEL, "request_id": f"r{number}"}), f"p{number}")
    before = table.read("credit", NOW.date(), NOW.date()).to_pylist()
    assert table.merge("credit", NOW.date()) == MOST_OBJECTS + 1
    assert len(lake.objects) == 1
    after = table.read("credit", NOW.date(), NOW.date()).to_pylist()
    assert sorted(before, key=str) == sorted(after, key=str)
    assert table.merge("credit", NOW.date()) == 0


def test_a_merge_that_died_half_way_leaves_labels_twice_which_count_once(
    recorder: LabelRecorder, table: LabelsTable, lake: Lake
) -> None:
    for number in range(MOST_OBJECTS + 1):
        recorder.record_body("credit", body({**LABEL, "request_id": f"r{number}"}), f"p{number}")
    held = dict(lake.objects)
    table.merge("credit", NOW.date())
    lake.objects.update(held)
    found = table.find("credit", "r3", NOW.date(), NOW.date())
    assert (len(found), counted(found)) == (2, found[0])


def test_a_reader_lists_again_where_a_merge_was_faster(
    recorder: LabelRecorder, table: LabelsTable, lake: Lake
) -> None:
    recorder.record_body("credit", body(LABEL), "p")
    real, gone = lake.list, []

    def stale(prefix: str) -> Any:
        found = list(real(prefix))
        if found and not gone:
            gone.append(found[0].key)
            lake.objects["known_labels/model=credit/date=2026-11-26/m.parquet"] = lake.objects.pop(
                found[0].key
            )
        return iter(found)

    lake.list = stale  # type: ignore[method-assign]
    assert table.read("credit", NOW.date(), NOW.date()).num_rows == 1
    assert gone
