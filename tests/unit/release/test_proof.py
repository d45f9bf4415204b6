from typing import Any

import pytest

from boringml.errors import BoringError
from boringml.release.proof import golden_answers
from boringml.serving.model import Model
from tests.unit.serving.tiny import CONTRACT, RECORD, onnx_model, probability

MODEL = Model(CONTRACT, onnx_model(), 2)
RIGHT = probability(RECORD)
CASE: dict[str, Any] = {
    "name": "a loan",
    "record": RECORD,
    "probability": RIGHT,
    "prediction": CONTRACT.label(RIGHT),
    "tolerance": 1e-6,
}


def test_a_model_that_answers_as_promised_is_proved() -> None:
    found = golden_answers(MODEL, [CASE, CASE])
    assert found["examples"] == 2
    assert found["largest_difference"] <= 1e-6


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"probability": RIGHT + 1e-3}, "instead of"),
        ({"prediction": "another"}, "instead of another"),
        ({"record": {**RECORD, "term": "term_48"}}, "unknown_category"),
    ],
)
def test_a_model_that_answers_otherwise_is_refused_by_the_name_of_the_example(
    changed: dict[str, Any], told: str
) -> None:
    with pytest.raises(BoringError, match="a loan") as refusal:
        golden_answers(MODEL, [CASE, {**CASE, **changed}])
    assert (refusal.value.code, refusal.value.status) == ("proof_failed", 422)
    assert told in refusal.value.message


def test_a_package_without_golden_examples_shows_nothing() -> None:
    with pytest.raises(BoringError, match="no golden examples"):
        golden_answers(MODEL, [])
