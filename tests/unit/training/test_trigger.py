import copy

import pytest

from boringml.errors import BoringError
from boringml.training.trigger import trigger_of

EVENT = {
    "detail-type": "Object Created",
    "detail": {"object": {"key": "data/credit/a.csv", "version-id": "v1", "sequencer": "01"}},
}


def test_an_event_delivered_twice_is_one_trigger():
    assert trigger_of(EVENT, "one") == trigger_of(copy.deepcopy(EVENT), "two")


def test_another_version_is_another_trigger():
    other = copy.deepcopy(EVENT)
    other["detail"]["object"]["version-id"] = "v2"
    assert trigger_of(EVENT, "one").trigger_id != trigger_of(other, "one").trigger_id


@pytest.mark.parametrize(
    "key", ["", "credit/a.csv", "data/credit/", "data/Credit/a", "data/credit/a b", "data/credit/é"]
)
def test_an_unsafe_key_is_refused(key):
    event = {"detail-type": "Object Created", "detail": {"object": {"key": key}}}
    with pytest.raises(BoringError) as error:
        trigger_of(event, "one")
    assert error.value.code == "key_unsafe"


def test_a_person_may_not_name_another_models_data():
    with pytest.raises(BoringError) as error:
        trigger_of({"model": "credit", "key": "data/churn/a.csv"}, "one")
    assert error.value.code == "key_unsafe"


def test_a_run_without_a_model_is_refused():
    with pytest.raises(BoringError) as error:
        trigger_of({}, "one")
    assert error.value.code == "model_missing"


def test_a_model_may_have_a_hyphen_in_its_name_as_its_contract_may():
    assert trigger_of({"model": "home-loans", "key": "data/home-loans/a.csv"}, "one").key
