import json
from importlib.resources import files

import pytest

from boringml.errors import BoringError
from boringml.governance.blueprint import Blueprint
from boringml.governance.cost import training_cost, worst_case_cost
from boringml.governance.prices import Prices
from tests.unit.governance.samples import BLUEPRINTS, MEDIUM, SMALL

PRICES = Prices(
    {
        "regions": {
            "here": {
                "training_hour": {"ml.a": {"usd": 3.6, "as_of": "2026-01-02", "source": "a bill"}},
                "storage_gb_month": {"usd": 0.72, "as_of": "2026-01-02", "source": "a bill"},
            },
            "there": {
                "training_hour": {"ml.a": {"usd": 1.0, "as_of": "2026-01-02", "source": "a bill"}}
            },
        }
    }
)


def test_a_job_costs_its_billable_seconds_on_every_instance() -> None:
    cost = training_cost("ml.a", 90, 2, region="here", prices=PRICES)
    assert cost.usd == 0.18
    assert cost.price_source == "ml.a in here at 3.6 USD/h (a bill, 2026-01-02)"


def test_a_job_pays_for_its_volume_too() -> None:
    # 0.72 USD a month of 720 hours is 0.001 an hour and gigabyte.
    cost = training_cost("ml.a", 3600, 1, region="here", volume_gb=10, prices=PRICES)
    assert cost.usd == 3.61
    assert "volume at 0.72 USD/GB-month (a bill, 2026-01-02)" in cost.price_source


def test_a_job_that_was_not_billed_costs_nothing() -> None:
    assert training_cost("ml.a", 0, region="here", volume_gb=10, prices=PRICES).usd == 0


@pytest.mark.parametrize(("instance", "region"), [("ml.b", "here"), ("ml.a", "nowhere")])
def test_a_price_that_nobody_looked_up_is_not_guessed(instance: str, region: str) -> None:
    with pytest.raises(BoringError, match="add it to layers") as refusal:
        training_cost(instance, 1, region=region, prices=PRICES)
    assert (refusal.value.code, refusal.value.details) == ("price_unknown", {"price": instance})


def test_a_price_of_storage_is_not_guessed_either() -> None:
    assert training_cost("ml.a", 3600, region="there", prices=PRICES).usd == 1
    with pytest.raises(BoringError, match="no price of training storage in there"):
        training_cost("ml.a", 3600, region="there", volume_gb=1, prices=PRICES)


def blueprint(**changes: object) -> Blueprint:
    given = {
        "instance_type": "ml.a",
        "instance_count": 1,
        "volume_gb": 10,
        "max_runtime_seconds": 3480,
    }
    return Blueprint.parse({**BLUEPRINTS["small-cpu"], **given, **changes})


def test_the_worst_case_is_all_of_the_time_and_the_wait_for_the_last_signal() -> None:
    assert worst_case_cost(blueprint(), region="here", prices=PRICES).usd == 3.61
    assert worst_case_cost(blueprint(instance_count=2), region="here", prices=PRICES).usd == 7.22


def test_the_worst_case_of_spot_is_the_price_on_demand() -> None:
    spot = blueprint(spot=True, checkpoints=True, max_wait_seconds=7200)
    assert worst_case_cost(spot, region="here", prices=PRICES).usd == 3.62


@pytest.mark.parametrize("mine", [SMALL, MEDIUM], ids=lambda mine: mine.name)
def test_every_blueprint_of_the_repository_stays_below_its_ceiling(mine: Blueprint) -> None:
    assert 0 < worst_case_cost(mine, region="us-east-1").usd <= mine.cost_ceiling_usd


def test_the_default_blueprint_has_a_price_wherever_there_is_one() -> None:
    document = json.loads((files("boringml.governance") / "prices.json").read_text())
    assert len(document["regions"]) > 1
    for region in document["regions"]:
        assert worst_case_cost(SMALL, region=region).usd <= SMALL.cost_ceiling_usd
