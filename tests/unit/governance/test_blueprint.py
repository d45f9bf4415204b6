from typing import Any

import pytest

from boringml.errors import BoringError
from boringml.governance.blueprint import Blueprint, check_parallelism
from tests.unit.governance.samples import BLUEPRINTS, MEDIUM, SMALL

SPOT = BLUEPRINTS["medium-cpu"]


@pytest.mark.parametrize("document", BLUEPRINTS.values(), ids=BLUEPRINTS)
def test_every_blueprint_of_the_repository_is_read(document: dict[str, Any]) -> None:
    blueprint = Blueprint.parse(document)
    assert blueprint.mandatory_tags == tuple(document["mandatory_tags"])
    assert {**vars(blueprint), "mandatory_tags": document["mandatory_tags"]} == document


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"max_wait_seconds": 14399}, "max_wait_seconds >= max_runtime_seconds"),
        ({"max_wait_seconds": None}, "max_wait_seconds >= max_runtime_seconds"),
        ({"checkpoints": False}, "spot needs checkpoints"),
        ({"spot": False}, "for spot only"),
        ({"instance_count": 0}, "instance_count is 0"),
        ({"volume_gb": "30"}, "volume_gb is '30'"),
        ({"max_parallel": True}, "max_parallel is True"),
        ({"cost_ceiling_usd": -1}, "cost_ceiling_usd is -1"),
        ({"max_runtime_seconds": None}, "max_runtime_seconds is None"),
        ({"gpu": True}, "must not have gpu"),
    ],
)
def test_a_blueprint_that_cannot_work_is_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(BoringError, match=problem) as refusal:
        Blueprint.parse({**SPOT, **changes})
    assert refusal.value.code == "blueprint_invalid"
    assert "blueprints/medium-cpu.yaml" in refusal.value.message


def test_a_blueprint_says_what_it_lacks() -> None:
    document = {name: value for name, value in SPOT.items() if name != "cost_ceiling_usd"}
    with pytest.raises(BoringError, match="cost_ceiling_usd"):
        Blueprint.parse(document)


def test_no_more_jobs_of_a_model_run_than_its_blueprint_allows() -> None:
    assert SMALL.max_parallel == MEDIUM.max_parallel == 2
    check_parallelism(SMALL, 1)
    with pytest.raises(BoringError, match="small-cpu allows 2") as refusal:
        check_parallelism(SMALL, 2)
    assert (refusal.value.code, refusal.value.status) == ("too_many_jobs", 429)
