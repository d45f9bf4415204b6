"""The schedules of looks ask for each model, and the rules hear what the functions publish."""

import json

import pytest

from boringml.adapters.event_bus import SOURCE
from boringml.monitoring.each_model import LOOK_DUE, models_of
from tests.contract.template.test_wiring import RESOURCES, ROOT

LOOKS = {"quality": "MeasureQualityFunction", "drift": "MeasureDriftFunction"}


@pytest.mark.parametrize(("look", "function"), LOOKS.items())
def test_a_schedule_asks_for_each_model_and_a_rule_hears_it(look: str, function: str) -> None:
    events = RESOURCES[f"template.yaml:{function}"][2]["Properties"]["Events"]
    told = []
    asked = json.loads(events["EveryHour"]["Properties"]["Input"])
    assert models_of(asked, look, ["credit"], lambda *event: told.append(event)) == []
    ((name, detail),) = told
    rule = events["LookDue"]["Properties"]
    assert rule["Pattern"] == {
        "source": [SOURCE],
        "detail-type": [name],
        # The account's bus has the events of other stacks, too.
        "detail": {"stack": ["AWS::StackName"], "look": [detail["look"]]},
    }
    assert name == LOOK_DUE
    # What the rule hands on is the detail, which names the model.
    assert rule["InputPath"] == "$.detail"
    assert rule["DeadLetterConfig"]["Arn"] == "DeadEventsQueue.Arn"


@pytest.mark.parametrize(("look", "function"), LOOKS.items())
def test_a_function_asks_for_its_own_looks(look: str, function: str) -> None:
    code = RESOURCES[f"template.yaml:{function}"][2]["Properties"]["CodeUri"]
    assert f'models_of(event, "{look}", ' in (ROOT / code / "app.py").read_text()
