"""Bodies as bytes: what is taken, and the code and the field of what is not."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boringml.contract.contract import Contract
from boringml.contract.violations import violations
from boringml.errors import STATUSES, BoringError
from boringml.serving.decoder import Decoder
from tests.unit.serving import tiny

DECODER = Decoder(tiny.CONTRACT)
TEXT = json.dumps(tiny.RECORD)


def refused(body: bytes | str, decoder: Decoder = DECODER) -> tuple[str, str | None] | None:
    """Return code and field of the refusal of a body, or None where it is taken."""
    raw = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    try:
        decoder.decode(raw)
    except BoringError as error:
        refusal = error
    else:
        return None
    assert refusal.status == STATUSES[refusal.code]
    assert json.dumps(refusal.body(), ensure_ascii=False).encode(), "UTF-8 can tell it"
    return refusal.code, refusal.details.get("field")


def with_value(name: str, token: str) -> str:
    """Return the typical record with a raw JSON token as one value."""
    return json.dumps({**tiny.RECORD, name: "@"}).replace('"@"', token)


# --- whole bodies -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"{'a': 1}",
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.encode("utf-16"),
        TEXT.encode().replace(b"CA", b"\xff\xfe"),
        TEXT.encode() + b"{}",
        TEXT.encode()[:-1] + b",}",
        b"[" * 60_000,
        b'{"a":' * 10_000,
        with_value("annual_inc", "[" * 50_000).encode(),
        b'"\xed\xa0\x80"',
        with_value("annual_inc", "+1").encode(),
        with_value("annual_inc", "01").encode(),
        with_value("annual_inc", ".5").encode(),
    ],
    ids=[
        "empty",
        "blank",
        "broken off",
        "single quotes",
        "byte order mark",
        "UTF-16",
        "no UTF-8",
        "two values",
        "trailing comma",
        "deep lists",
        "deep objects",
        "deep value",
        "raw surrogate",
        "plus sign",
        "leading zero",
        "leading point",
    ],
)
def test_what_is_not_one_json_value_is_malformed(body: bytes) -> None:
    assert refused(body) == ("malformed_json", None)


@pytest.mark.parametrize("body", ["5", "null", "true", '"text"', "NaN", "-0.0", "1e999"])
def test_a_lone_scalar_is_no_record(body: str) -> None:
    assert refused(body) == ("wrong_type", "$")


@pytest.mark.parametrize("item", ["7", "null", "[]", f"[{TEXT}]"])
def test_an_item_that_is_no_record_is_told_by_its_place(item: str) -> None:
    assert refused(f"[{TEXT},{TEXT},{item}]") == ("wrong_type", "$[2]")


def test_the_first_bad_record_of_a_list_is_told() -> None:
    bad = with_value("term", '"term_48"')
    assert refused(f"[{TEXT},{bad},{bad}]") == ("unknown_category", "$[1].term")


def test_a_list_has_its_bounds() -> None:
    most = tiny.CONTRACT.max_records
    short = json.dumps([tiny.RECORD] * most, separators=(",", ":"))
    assert refused("[]") == ("list_empty", "$")
    assert refused(short) is None
    assert refused(f"{short[:-1]},{TEXT}]") == ("list_too_long", "$")


def test_a_body_has_its_bound_in_bytes() -> None:
    most = tiny.CONTRACT.max_body_bytes
    assert refused(TEXT.ljust(most)) is None
    assert refused(TEXT.ljust(most + 1)) == ("body_too_large", None)
    assert refused(TEXT + " " * (most - len(TEXT) - 1) + "é") == ("body_too_large", None)


# --- values -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "token", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 400, "-" + "9" * 5000]
)
@pytest.mark.parametrize("name", ["annual_inc", "delinq_2yrs"])
def test_what_no_double_holds_is_not_finite(name: str, token: str) -> None:
    assert refused(with_value(name, token)) == ("not_finite", f"$.{name}")


@pytest.mark.parametrize(
    ("name", "token", "code"),
    [
        ("annual_inc", "true", "wrong_type"),
        ("annual_inc", "null", "wrong_type"),
        ("annual_inc", '"1"', "wrong_type"),
        ("annual_inc", "-0.0", None),
        ("annual_inc", "1E5", None),
        ("annual_inc", "5", None),
        ("annual_inc", "-5e-324", "out_of_bounds"),
        ("delinq_2yrs", "2.0", "wrong_type"),
        ("delinq_2yrs", "2e0", "wrong_type"),
        ("delinq_2yrs", "-0", None),
        ("delinq_2yrs", "18446744073709551616", "out_of_bounds"),
        ("delinq_2yrs", "false", "wrong_type"),
        ("term", "36", "wrong_type"),
        ("term", "[]", "wrong_type"),
        ("term", '""', "unknown_category"),
        ("term", '"term_36 "', "unknown_category"),
        ("term", '"\\u0074erm_36"', None),
        ("term", '"\\ud800"', "unknown_category"),
        ("term", '"term_36\\u0000"', "unknown_category"),
    ],
)
def test_each_value_has_its_code(name: str, token: str, code: str | None) -> None:
    expected = None if code is None else (code, f"$.{name}")
    assert refused(with_value(name, token)) == expected


def test_a_name_given_twice_is_malformed_where_one_of_the_values_is_bad() -> None:
    good, bad = '"term": "term_36"', '"term": "term_48"'
    for pair in (f"{good}, {bad}", f"{bad}, {good}"):
        assert refused(TEXT.replace('"term": "term_60"', pair)) == ("malformed_json", None)


def test_a_name_given_twice_may_be_no_utf_8() -> None:
    assert refused('{"\\ud800": 1, "\\ud800": 2}') == ("malformed_json", None)


def test_an_unknown_name_is_told_but_not_at_any_length() -> None:
    refusal = refused(TEXT.replace('"term"', f'"{"x" * 5000}"'))
    assert refusal == ("unknown_field", "$." + "x" * 64)


TEXTS = {
    "required": ["note"],
    "properties": {"note": {"type": "string", "minLength": 2, "maxLength": 4}},
}


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ('"ab"', None),
        ('"abcd"', None),
        ('"a"', "text_too_short"),
        ('""', "text_too_short"),
        ('"abcde"', "text_too_long"),
        # A character is a code point, whatever its bytes or its escape.
        ('"éééé"', None),
        ('"\\ud83d\\ude00"', "text_too_short"),
        ('"\U0001f600\U0001f600\U0001f600\U0001f600"', None),
        ('"a\\n\\u0000"', None),
        ('"  "', None),
        ('"ab\\ud83d"', "malformed_json"),
        ("5", "wrong_type"),
        ("null", "wrong_type"),
        ('["ab"]', "wrong_type"),
    ],
)
def test_a_text_has_its_bounds_in_characters(token: str, code: str | None) -> None:
    request = {**tiny.DOCUMENT["request"], **TEXTS}
    contract = Contract.of({**tiny.DOCUMENT, "request": request})
    expected = None if code is None else (code, "$.note")
    assert refused(f'{{"note": {token}}}', Decoder(contract)) == expected


# --- any contract, any record: the decoder says no exactly when the explainer does -------------

TOKENS = st.one_of(
    st.sampled_from(
        ["null", "true", "NaN", "-Infinity", "1e999", "-0", "-0.0", "1.0", "1e0", "2.5", "[]", "{}"]
    ),
    st.sampled_from(['"a"', '"b"', '"\\u0061"', '"c"', '""', '"\\ud800"', '"1"']),
    st.text(max_size=6).map(json.dumps),
    st.text("é\n\U0001f600", max_size=6).map(lambda text: json.dumps(text, ensure_ascii=False)),
    st.integers(-30, 30).map(str),
    st.integers().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
)
BOUNDS = st.one_of(st.none(), st.integers(-20, 20), st.floats(-20, 20))


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["string", "text", "number", "integer"]))
    rule: dict[str, Any] = {"type": "string" if kind == "text" else kind}
    if kind == "text":
        rule["minLength"] = draw(st.integers(1, 3))
        rule["maxLength"] = rule["minLength"] + draw(st.integers(0, 3))
    elif kind == "string":
        rule["enum"] = draw(st.lists(st.sampled_from("abc"), min_size=1, unique=True))
    else:
        for name in ("minimum", "maximum"):
            bound = draw(BOUNDS)
            if bound is not None:
                rule[name] = bound
    if draw(st.booleans()):
        rule["nullable"] = draw(st.booleans())
    return rule


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    properties = draw(st.dictionaries(st.sampled_from("pqrs"), rules(), min_size=1))
    document = copy.deepcopy(tiny.DOCUMENT)
    required = draw(st.lists(st.sampled_from(sorted(properties)), unique=True))
    document["request"] |= {"properties": properties, "required": required}
    document |= {"key_features": [], "limits": {"max_records": 2, "max_body_bytes": 4096}}
    return Contract.of(document)


@pytest.mark.parametrize(("number", "taken"), [(0, False), (1, True), (2, True), (3, False)])
def test_a_whole_number_may_have_bounds_with_a_fraction(number: int, taken: bool) -> None:
    document = copy.deepcopy(tiny.DOCUMENT)
    rule = {"type": "integer", "minimum": 0.5, "maximum": 2.5}
    document["request"] |= {"properties": {"p": rule}, "required": ["p"]}
    refusal = refused(f'{{"p":{number}}}', Decoder(Contract.of({**document, "key_features": []})))
    assert refusal == (None if taken else ("out_of_bounds", "$.p"))


@settings(max_examples=500, deadline=None)
@given(contracts(), st.dictionaries(st.sampled_from("pqrst"), TOKENS), st.integers(0, 3))
def test_the_decoder_takes_exactly_what_breaks_no_rule(
    contract: Contract, tokens: dict[str, str], wrapped: int
) -> None:
    record = "{" + ",".join(f'"{name}":{token}' for name, token in tokens.items()) + "}"
    body = record if wrapped == 3 else "[" + ",".join([record] * wrapped) + "]"
    path = "$" if wrapped == 3 else "$[0]"
    broken = violations(json.loads(record), contract.schema, path)
    if wrapped == 0:
        expected: tuple[str, str] | None = ("list_empty", "$")
    else:
        expected = (broken[0].code, broken[0].field) if broken else None
    assert refused(body, Decoder(contract)) == expected
