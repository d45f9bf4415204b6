"""The explainer of refusals, and that it says no exactly when serving does."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from boringml.contract.violations import violations
from boringml.errors import BoringError
from boringml.serving.decoder import Decoder
from tests.unit.serving import tiny

SCHEMA = tiny.DOCUMENT["request"]
DECODER = Decoder(tiny.CONTRACT)
NAMES = sorted(SCHEMA["properties"])
CODES = {error["code"] for error in tiny.DOCUMENT["errors"]}
CATEGORIES = sorted({c for many in tiny.CONTRACT.features.categories.values() for c in many})

values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-2, 600),
    st.floats(),
    st.floats(-1, 600),
    st.text(max_size=8),
    st.sampled_from(CATEGORIES),
    st.just([]),
    st.just({}),
)
changes = st.dictionaries(st.sampled_from([*NAMES, "other", ""]), values, max_size=3)
removals = st.sets(st.sampled_from(NAMES), max_size=1)


def refusal(body: bytes) -> BoringError | None:
    try:
        DECODER.decode(body)
    except BoringError as error:
        return error
    return None


@settings(max_examples=400, deadline=None)
@given(changes, removals)
@example({"delinq_2yrs": 3.0}, set())
@example({"annual_inc": 10**400}, set())
@example({"int_rate": 5}, set())
def test_serving_accepts_a_record_exactly_when_nothing_is_violated(
    changed: dict[str, Any], removed: set[str]
) -> None:
    record = {k: v for k, v in {**tiny.RECORD, **changed}.items() if k not in removed}
    body = json.dumps(record).encode()
    found = violations(json.loads(body), SCHEMA)
    refused = refusal(body)
    assert (refused is None) == (found == [])
    if refused is not None:
        first = found[0]
        assert (refused.code, refused.details["field"]) == (first.code, first.field)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=60), st.text(max_size=60).map(str.encode)))
def test_whatever_is_sent_is_refused_by_a_code_of_the_contract(body: bytes) -> None:
    refused = refusal(body)
    assert refused is not None
    assert refused.code in CODES


@pytest.mark.parametrize("record", tiny.RECORDS.values(), ids=tiny.RECORDS)
def test_each_example_of_the_contract_is_good(record: dict[str, Any]) -> None:
    assert violations(record, SCHEMA) == []
    assert refusal(json.dumps(record).encode()) is None


@pytest.mark.parametrize("name", tiny.CONTRACT.features.numeric)
def test_both_bounds_are_good_and_what_is_beyond_is_not(name: str) -> None:
    rule = SCHEMA["properties"][name]
    for value in (rule["minimum"], rule["maximum"]):
        assert refusal(json.dumps({**tiny.RECORD, name: value}).encode()) is None
    for value in (rule["minimum"] - 1, rule["maximum"] + 1):
        refused = refusal(json.dumps({**tiny.RECORD, name: value}).encode())
        assert refused is not None
        assert (refused.code, refused.details["field"]) == ("out_of_bounds", f"$.{name}")


def test_every_broken_rule_is_told() -> None:
    record = {**tiny.RECORD, "term": "term_48", "int_rate": 41, "more": 1}
    del record["sub_grade"]
    found = {(v.code, v.field) for v in violations(record, SCHEMA)}
    assert found == {
        ("unknown_field", "$.more"),
        ("unknown_category", "$.term"),
        ("out_of_bounds", "$.int_rate"),
        ("missing_field", "$.sub_grade"),
    }


def test_a_nullable_or_optional_field_may_be_null_or_absent() -> None:
    schema = {
        "required": ["a"],
        "properties": {"a": {"type": "number", "nullable": True}, "b": {"type": "integer"}},
    }
    assert violations({"a": None}, schema) == []
    assert [v.code for v in violations({"a": 1, "b": None}, schema)] == ["wrong_type"]


def test_a_refused_text_is_not_repeated_to_the_caller() -> None:
    schema = {
        "required": ["note"],
        "properties": {"note": {"type": "string", "minLength": 2, "maxLength": 9}},
    }
    for text, code in (("x", "text_too_short"), ("secret " * 9, "text_too_long")):
        (found,) = violations({"note": text}, schema)
        assert (found.code, found.field) == (code, "$.note")
        assert text not in found.message


def test_a_text_may_be_null_where_the_contract_says_so() -> None:
    rule = {"type": "string", "minLength": 2, "maxLength": 9, "nullable": True}
    schema = {"required": ["note"], "properties": {"note": rule}}
    assert violations({"note": None}, schema) == []
    assert [v.code for v in violations({"note": ""}, schema)] == ["text_too_short"]
