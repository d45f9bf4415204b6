"""A live request, made again from its line."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boringml.contract.contract import Contract
from boringml.contract.violations import violations
from boringml.errors import BoringError
from boringml.monitoring.baseline import categorical_baseline, numeric_baseline, text_baseline
from boringml.release.replay import (
    Rebuilder,
    answer_of,
    ask,
    is_mirrored,
    logged_request,
    replay_event,
)
from boringml.serving.decoder import Decoder

DOCUMENT: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "models/credit/contract.json").read_text()
)
RECORD = DOCUMENT["examples"][0]["record"]
STATES = DOCUMENT["request"]["properties"]["addr_state"]["enum"]
BASELINE = {
    "annual_inc": numeric_baseline([30e3, 50e3, 65e3, 80e3, 200e3]),
    "addr_state": categorical_baseline(["NY", "TX", "NY"], STATES),
}
LINE = {
    "model": "credit",
    "function_version": "10",
    "stage": "v1",
    "request_id": "r-1",
    "prediction": "good",
    "features": {n: v for n, v in RECORD.items() if n not in DOCUMENT["sensitive"]},
}


def changed(**fields: Any) -> dict[str, Any]:
    return json.loads(json.dumps({**DOCUMENT, **fields}))


def test_a_rebuilt_record_meets_the_contract_with_typical_sensitive_values() -> None:
    rebuilder = Rebuilder(DOCUMENT, BASELINE)
    record = rebuilder.record(LINE["features"])
    assert record == {**RECORD, "annual_inc": 65e3, "addr_state": "NY"}
    assert violations(record, DOCUMENT["request"]) == []
    assert rebuilder.filled == {"annual_inc": 65e3, "addr_state": "NY"}
    assert rebuilder.key_features == ("int_rate", "sub_grade", "term")


def test_without_a_baseline_the_first_example_stands_in() -> None:
    assert Rebuilder(DOCUMENT, {}).record(LINE["features"]) == RECORD


def test_a_typical_whole_number_is_whole() -> None:
    document = changed(sensitive=["funded_amnt"])
    rebuilder = Rebuilder(document, {"funded_amnt": numeric_baseline([999.6])})
    filled = rebuilder.filled["funded_amnt"]
    assert (filled, type(filled)) == (1000, int)


def test_a_sensitive_text_is_that_of_the_first_example_and_no_text_is_a_segment() -> None:
    document = changed(key_features=["note", "int_rate"], sensitive=["note"])
    rule = {"type": "string", "minLength": 1, "maxLength": 99}
    document["request"]["properties"]["note"] = rule
    document["request"]["required"].append("note")
    document["examples"][0]["record"]["note"] = "A loan for a roof."
    rebuilder = Rebuilder(document, {"note": text_baseline(["mine", "yours"])})
    assert rebuilder.record({})["note"] == "A loan for a roof."
    assert rebuilder.key_features == ("int_rate",)
    assert Rebuilder({**document, "sensitive": []}, {}).key_features == ("int_rate",)


def test_an_optional_field_that_was_left_out_stays_out() -> None:
    document = changed()
    for name in ("addr_state", "all_util"):
        document["request"]["required"].remove(name)
    rebuilder = Rebuilder(document, BASELINE)
    record = rebuilder.record({**LINE["features"], "all_util": None})
    assert "all_util" not in record
    assert "addr_state" not in record
    assert rebuilder.filled == {"addr_state": None, "annual_inc": 65e3}


def test_a_required_field_that_may_be_null_stays_null() -> None:
    document = changed()
    document["request"]["properties"]["all_util"]["nullable"] = True
    record = Rebuilder(document, BASELINE).record({**LINE["features"], "all_util": None})
    assert record["all_util"] is None


def test_a_line_of_live_is_one_request_however_often_it_is_read() -> None:
    first, again = (logged_request(dict(LINE), "credit", "10") for _ in range(2))
    assert first is not None
    assert first == again
    other = logged_request({**LINE, "features": {"a": 1}}, "credit", "10")
    assert other is not None
    assert other.id != first.id


@pytest.mark.parametrize(
    "line",
    [
        {**LINE, "stage": "shadow"},
        {**LINE, "stage": "smoke"},
        {**LINE, "function_version": "11"},
        {**LINE, "model": "churn"},
        {k: v for k, v in LINE.items() if k != "features"},
        {k: v for k, v in LINE.items() if k != "prediction"},
        {**LINE, "features": None},
        {"type": "platform.report", "record": {}},
        {},
    ],
)
def test_other_lines_are_no_live_requests(line: dict[str, Any]) -> None:
    assert logged_request(line, "credit", "10") is None


def test_the_share_of_mirrored_requests_is_the_one_asked_for() -> None:
    ids = [f"request-{i}" for i in range(5000)]
    found = [i for i in ids if is_mirrored(i, 0.2)]
    assert 0.17 < len(found) / len(ids) < 0.23
    assert found == [i for i in ids if is_mirrored(i, 0.2)]
    assert set(found) <= {i for i in ids if is_mirrored(i, 0.5)}


@given(st.text())
def test_all_or_none_are_mirrored_at_the_ends(request_id: str) -> None:
    assert is_mirrored(request_id, 1.0)
    assert not is_mirrored(request_id, 0.0)


def test_a_replay_is_told_apart_from_live_traffic() -> None:
    event = replay_event("credit", "r-1", RECORD)
    assert event["requestContext"] == {"requestId": "r-1-shadow", "stage": "shadow"}
    assert json.loads(event["body"]) == RECORD


@pytest.mark.parametrize(
    ("told", "failure"),
    [
        ({"statusCode": 500, "body": '{"error": {"code": "internal_error"}}'}, "internal_error"),
        ({"statusCode": 422, "body": '{"error": {"code": "wrong_type"}}'}, "wrong_type"),
        ({"statusCode": 502, "body": "{}"}, "502"),
        ({"statusCode": 200, "body": "no json"}, "unreadable_answer"),
        ({"statusCode": 200, "body": "[]"}, "unreadable_answer"),
        ({"statusCode": 200, "body": '{"prediction": "good"}'}, "unreadable_answer"),
        ({}, "unreadable_answer"),
    ],
)
def test_whatever_is_no_prediction_is_a_failure(told: dict[str, Any], failure: str) -> None:
    assert answer_of(told, 1.0).failure == failure


def test_a_version_that_does_not_start_failed_and_one_without_room_was_not_asked() -> None:
    def refusing(code: str, status: int):
        def invoke(version: str, event: Any) -> Any:
            raise BoringError(code, "no", status)

        return invoke

    assert ask(refusing("candidate_failed", 502), "11", {}).failure == "candidate_failed"
    with pytest.raises(BoringError, match="function_throttled"):
        ask(refusing("function_throttled", 429), "11", {})


BOUNDS = {"minimum": 0, "maximum": 9}
RULES = {
    "string": {"type": "string", "enum": ["a", "b"]},
    "text": {"type": "string", "minLength": 1, "maxLength": 9},
}


@st.composite
def documents_and_records(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a contract of up to four fields of every kind, and a record that meets it."""
    values: dict[str, st.SearchStrategy[Any]] = {
        "string": st.sampled_from("ab"),
        "text": st.text(st.characters(codec="utf-8"), min_size=1, max_size=9),
        "integer": st.integers(0, 9),
        "number": st.floats(0, 9),
    }
    properties, record = {}, {}
    names = draw(st.lists(st.sampled_from("pqrs"), min_size=1, unique=True))
    required = draw(st.lists(st.sampled_from(names), unique=True))
    for name in names:
        kind = draw(st.sampled_from(sorted(values)))
        nullable = draw(st.booleans())
        properties[name] = {"nullable": nullable, **RULES.get(kind, {"type": kind, **BOUNDS})}
        if name in required or draw(st.booleans()):
            record[name] = draw(values[kind] | st.none() if nullable else values[kind])
    sensitive = draw(st.lists(st.sampled_from(names), unique=True))
    request = {"properties": properties, "required": required}
    example = {name: "a" if properties[name]["type"] == "string" else 1 for name in names}
    document = {**DOCUMENT, "request": request, "sensitive": sensitive, "key_features": names}
    return {**document, "examples": [{"record": example}]}, record


@given(documents_and_records())
def test_what_was_logged_is_asked_again_as_it_was_but_for_sensitive_fields(made: Any) -> None:
    document, record = made
    contract = Contract.of(document)
    decoder = Decoder(contract)
    logged = json.loads(decoder.loggable(decoder.decode(json.dumps(record).encode())))
    assert not set(logged) & set(contract.sensitive)
    rebuilt = Rebuilder(document, {}).record(logged)
    assert violations(rebuilt, contract.schema) == []
    for name in set(record) - set(contract.sensitive):
        # Null and absent are the same to a model.
        assert rebuilt.get(name) == record[name]
    assert set(contract.schema["required"]) <= set(rebuilt)
