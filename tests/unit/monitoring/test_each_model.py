"""A schedule asks for each model by itself, and what it asked for asks for no more."""

from collections.abc import Mapping
from typing import Any

import pytest

from boringml.monitoring.each_model import LOOK_DUE, models_of

DECLARED = ["churn", "credit"]


def asked(event: Mapping[str, Any]) -> tuple[list[str], list[Any]]:
    told: list[Any] = []
    found = models_of(event, "drift", DECLARED, lambda name, detail: told.append((name, detail)))
    return found, told


@pytest.mark.parametrize(
    ("event", "models"), [({}, DECLARED), ({"each": False}, DECLARED), ({"models": ["x"]}, ["x"])]
)
def test_whoever_asks_by_hand_is_answered_at_once(event: Any, models: list[str]) -> None:
    assert asked(event) == (models, [])


def test_each_model_is_asked_for_once_and_asks_for_no_other() -> None:
    found, told = asked({"each": True})
    assert found == []
    assert [(name, detail["models"]) for name, detail in told] == [
        (LOOK_DUE, ["churn"]),
        (LOOK_DUE, ["credit"]),
    ]
    for (_, detail), model in zip(told, DECLARED, strict=True):
        # Whatever else the rule hands on.
        assert asked({**detail, "each": True, "stack": "s"}) == ([model], [])
