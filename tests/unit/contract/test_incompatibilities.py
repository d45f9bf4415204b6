"""A contract is compatible exactly when a client of the other one notices nothing."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boringml.contract.incompatibilities import incompatibilities
from boringml.contract.violations import violations
from tests.unit.contract.mutations import BREAKING, COMPATIBLE, CREDIT, chains, changed

slow = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

bounds = st.tuples(st.integers(-3, 3), st.integers(0, 3)).map(lambda b: (b[0], b[0] + b[1]))
numbers = st.builds(
    lambda kind, bound, null: {
        "type": kind, "minimum": bound[0], "maximum": bound[1], "nullable": null
    },
    st.sampled_from(["integer", "number"]),
    bounds,
    st.booleans(),
)  # fmt: skip
categories = st.builds(
    lambda words, null: {"type": "string", "enum": words, "nullable": null},
    st.lists(st.sampled_from(["u", "v", "ww", "xxx"]), min_size=1, unique=True),
    st.booleans(),
)
texts = st.builds(
    lambda least, more, null: {
        "type": "string", "minLength": least, "maxLength": least + more, "nullable": null
    },
    st.integers(1, 3),
    st.integers(0, 2),
    st.booleans(),
)  # fmt: skip


@st.composite
def requests(draw: Any) -> dict[str, Any]:
    """The request of a small contract, over the same few names."""
    fields = draw(st.dictionaries(st.sampled_from("abc"), numbers | categories | texts, min_size=1))
    required = [name for name in sorted(fields) if draw(st.booleans())]
    return {"properties": fields, "required": required}


def edges(rule: dict[str, Any]) -> list[Any]:
    """The values of a field at the edges of what its rule accepts."""
    found: list[Any] = [None] if rule["nullable"] else []
    if "enum" in rule:
        return found + rule["enum"]
    if rule["type"] == "string":
        # No word of any category.
        return [*found, "é" * rule["minLength"], "é" * rule["maxLength"]]
    found += [rule["minimum"], rule["maximum"]]
    if rule["type"] == "number":
        found.append(float(rule["minimum"]))
    return found


def edge_records(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Records that the request accepts, at its edges, one field at a time."""
    typical = {name: edges(rule)[-1] for name, rule in request["properties"].items()}
    records = [
        {**typical, name: value}
        for name, rule in request["properties"].items()
        for value in edges(rule)
    ]
    optional = set(request["properties"]) - set(request["required"])
    return records + [{n: v for n, v in typical.items() if n != name} for name in optional]


def with_request(request: dict[str, Any]) -> dict[str, Any]:
    return {**CREDIT, "request": request}


@settings(max_examples=1500, deadline=None)
@given(requests(), requests())
def test_a_request_is_compatible_exactly_when_all_that_live_accepts_is_accepted(
    live: dict[str, Any], candidate: dict[str, Any]
) -> None:
    records = edge_records(live)
    assert all(violations(record, live) == [] for record in records)
    accepted = all(violations(record, candidate) == [] for record in records)
    assert (incompatibilities(with_request(live), with_request(candidate)) == []) == accepted


@slow
@given(chains())
def test_compatible_changes_stay_compatible_however_many_follow_each_other(
    documents: list[dict[str, Any]],
) -> None:
    for number, live in enumerate(documents):
        for candidate in documents[number:]:
            assert incompatibilities(live, candidate) == []


@pytest.mark.parametrize("name", COMPATIBLE)
@slow
@given(data=st.data())
def test_a_change_that_keeps_clients_is_compatible(name: str, data: Any) -> None:
    candidate, _ = changed(CREDIT, COMPATIBLE[name], data.draw)
    assert incompatibilities(CREDIT, candidate) == []


@pytest.mark.parametrize("name", BREAKING)
@slow
@given(documents=chains(), data=st.data())
def test_a_change_that_breaks_clients_is_told_with_its_path(
    name: str, documents: list[dict[str, Any]], data: Any
) -> None:
    live = documents[-1]
    candidate, path = changed(live, BREAKING[name], data.draw)
    assert path in [told.split(":")[0] for told in incompatibilities(live, candidate)]


def test_an_optional_field_may_not_become_required_nor_null_be_withdrawn() -> None:
    rule = {"type": "number", "minimum": 0, "maximum": 1}
    live = with_request({"properties": {"a": {**rule, "nullable": True}}, "required": []})
    candidate = with_request({"properties": {"a": rule}, "required": ["a"]})
    assert incompatibilities(live, candidate) == [
        "request.properties.a: became required, so clients that leave it out are refused",
        "request.properties.a.nullable: null is no longer accepted",
    ]


def test_each_break_is_told_once_and_in_words() -> None:
    term = CREDIT["request"]["properties"]["term"]
    fields = {**CREDIT["request"]["properties"], "term": {**term, "enum": ["term_36", "term_48"]}}
    candidate = {
        **CREDIT,
        "request": {**CREDIT["request"], "properties": fields},
        "limits": {"max_records": 50, "max_body_bytes": 65536},
    }
    assert incompatibilities(CREDIT, candidate) == [
        "request.properties.term.enum: 'term_60' is no longer accepted",
        "limits.max_records: fell from 100 to 50",
    ]


def test_a_text_that_may_no_longer_be_as_short_or_as_long_is_told() -> None:
    def text(least: int, most: int) -> dict[str, Any]:
        rule = {"type": "string", "minLength": least, "maxLength": most}
        return with_request({"properties": {"note": rule}, "required": ["note"]})

    assert incompatibilities(text(1, 9), text(2, 8)) == [
        "request.properties.note.minLength: rose from 1 to 2",
        "request.properties.note.maxLength: fell from 9 to 8",
    ]
    assert incompatibilities(text(2, 8), text(1, 9)) == []
