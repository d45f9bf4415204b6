"""Each model is released: with its function where clients ask it, else in the registry alone."""

import json
import re
from typing import Any

import pytest
import yaml

from boringml.errors import BoringError
from boringml.release.plan import check_function, is_served, release_plan
from tests.contract.template.test_promises import ROOT

TEMPLATE = (ROOT / "template.yaml").read_text()
DECLARED: dict[str, Any] = {
    path.parent.name: yaml.safe_load(path.read_text())
    for path in sorted((ROOT / "models").glob("*/model.yaml"))
}
SERVED = {name for name, declared in DECLARED.items() if is_served(declared)}


def test_machines_know_the_functions_of_all_served_models_and_of_no_others() -> None:
    maps = re.findall(r'ServingFunctions: !Sub "(.*)"', TEMPLATE)
    assert len(maps) == 2
    for text in maps:
        assert set(json.loads(text.replace("'", '"'))) == SERVED


def test_what_sweeps_knows_all_models_and_which_have_no_function() -> None:
    settings = re.findall(r"SERVING_FUNCTIONS: !Sub '(.*)'", TEMPLATE)
    assert settings
    for text in settings:
        found = json.loads(text)
        assert set(found) == set(DECLARED)
        assert {name for name, function in found.items() if function} == SERVED


@pytest.mark.parametrize("name", DECLARED)
def test_a_plan_has_a_canary_where_there_is_traffic(name: str) -> None:
    plan = release_plan(DECLARED[name], minute_seconds=60, approval=True)
    has = {part for part in ("smoke", "canary") if plan[part] is not None}
    assert has == ({"smoke", "canary"} if name in SERVED else set())
    assert plan["approval"] is True


@pytest.mark.parametrize("name", DECLARED)
def test_a_release_of_a_model_whose_function_is_not_wired_is_refused(name: str) -> None:
    right, wrong = ("f", None) if name in SERVED else (None, "f")
    check_function(DECLARED[name], right)
    with pytest.raises(BoringError) as refusal:
        check_function(DECLARED[name], wrong)
    assert refusal.value.code == "function_unknown"
