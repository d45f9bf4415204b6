"""What is a label, what is none, and that no row is lost between the two."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boringml.errors import BoringError
from boringml.monitoring.labels import Label, LabelRules, sorted_rows

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
RULES = LabelRules("bad", "good", requests=True, keys=False, horizon=timedelta(days=30))
KEYED = LabelRules("Yes", "No", requests=False, keys=True, horizon=timedelta(days=30))
ROW = {"request_id": "r-1", "at": "2026-11-26T11:00:00Z", "label": "bad"}


def test_a_label_is_of_one_prediction_since_a_time() -> None:
    at = datetime(2026, 11, 26, 11, tzinfo=UTC)
    assert RULES.label_of(ROW, NOW) == Label(at, "bad", True, request_id="r-1", record=0)
    berlin = {**ROW, "at": "2026-11-26T12:00:00+01:00", "record": "3", "key": None}
    assert RULES.label_of(berlin, NOW) == Label(at, "bad", True, request_id="r-1", record=3)
    keyed = KEYED.label_of({"key": 7, "at": at, "label": "No"}, NOW)
    assert keyed == Label(at, "No", False, key="7")


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"request_id": None}, "missing_field", "request_id"),
        ({"request_id": "no id"}, "wrong_type", "request_id"),
        ({"request_id": "r" * 129}, "wrong_type", "request_id"),
        ({"record": -1}, "wrong_type", "record"),
        ({"record": 1.5}, "wrong_type", "record"),
        ({"record": True}, "wrong_type", "record"),
        ({"record": float("nan")}, "wrong_type", "record"),
        ({"key": "C1"}, "identity_ambiguous", "key"),
        ({"key": "C1", "request_id": None}, "identity_not_offered", "key"),
        ({"label": None}, "missing_field", "label"),
        ({"label": "BAD"}, "unknown_label", "label"),
        ({"label": ["bad"]}, "unknown_label", "label"),
        ({"at": None}, "missing_field", "at"),
        ({"at": "yesterday"}, "time_invalid", "at"),
        ({"at": 1764151200}, "time_invalid", "at"),
        ({"at": "2026-11-26T11:00:00"}, "time_invalid", "at"),
        ({"at": "2026-11-26T12:06:00Z"}, "label_in_future", "at"),
        ({"at": "2026-10-27T11:59:59Z"}, "label_too_late", "at"),
        ({"note": "x"}, "unknown_field", "note"),
    ],
)
def test_what_is_no_label_is_refused_by_a_code(
    change: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(BoringError) as refusal:
        RULES.label_of({**ROW, **change}, NOW)
    assert (refusal.value.code, refusal.value.details["field"]) == (code, field)


def test_a_model_of_batches_knows_no_requests() -> None:
    with pytest.raises(BoringError, match="identity_not_offered"):
        KEYED.label_of({**ROW, "label": "No"}, NOW)
    for key in ("", "k" * 257, 1.5, True):
        with pytest.raises(BoringError, match="wrong_type"):
            KEYED.label_of({"key": key, "at": ROW["at"], "label": "No"}, NOW)


VALUES = st.one_of(
    st.none(), st.text(max_size=4), st.integers(-2, 12_000), st.floats(), st.sampled_from(
        ["bad", "good", "r-1", "2026-11-26T11:00:00Z", "2020-01-01T00:00:00Z"]
    ),
)  # fmt: skip
NAMES = st.sampled_from(["request_id", "record", "key", "at", "label", "note"])


@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=5)))
def test_every_row_is_a_label_or_a_refusal(rows: list[dict[str, Any]]) -> None:
    done = sorted_rows(enumerate([ROW, *rows], 1), RULES, NOW)
    assert done.received == len(rows) + 1
    assert sum(done.codes().values()) == len(done.refused)
    assert len({one.row_number for one in done.refused}) == len(done.refused)
    assert done.labels[0].request_id == "r-1"


def test_a_model_that_declares_nothing_takes_no_labels() -> None:
    declaration = {"name": "credit", "patterns": ["online"]}
    with pytest.raises(BoringError, match="quality_not_measured"):
        LabelRules.of(declaration, {"decision": {"positive": "bad", "negative": "good"}})
