import re
from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from botocore.model import Shape
from botocore.validate import validate_parameters

from boringml.errors import BoringError
from boringml.governance.blueprint import Blueprint, plan_training_job
from boringml.governance.job_rules import as_hyperparameters
from tests.unit.governance.samples import DIGEST, MEDIUM, MODEL, SMALL, request

LIVE = {
    "live_package_uri": "s3://packages/packages/credit/job-1/",
    "live_model_version": 3,
    "live_digest": DIGEST,
}
SPOT = {"checkpoint_uri": "s3://lake/checkpoints/credit/"}


def plan(blueprint: Blueprint = SMALL, **changes: Any) -> dict[str, Any]:
    return plan_training_job(MODEL, blueprint, **request(**changes))


def refusal_of(blueprint: Blueprint = SMALL, **changes: Any) -> BoringError:
    with pytest.raises(BoringError) as refusal:
        plan(blueprint, **changes)
    return refusal.value


def assert_fits(value: Any, shape: Shape) -> None:
    """What botocore's own validation leaves to the service: lengths, patterns, enumerations."""
    limits = shape.metadata
    if "enum" in limits:
        assert value in limits["enum"]
    if "pattern" in limits and r"\p{" not in limits["pattern"]:
        assert re.fullmatch(limits["pattern"], value, re.DOTALL)
    if "max" in limits and shape.type_name in ("string", "list", "map"):
        assert len(value) <= limits["max"]
    if shape.type_name == "structure":
        for name, member in value.items():
            assert_fits(member, shape.members[name])  # type: ignore[attr-defined]
    if shape.type_name == "list":
        for member in value:
            assert_fits(member, shape.member)  # type: ignore[attr-defined]
    if shape.type_name == "map":
        for key, member in value.items():
            assert_fits(key, shape.key)  # type: ignore[attr-defined]
            assert_fits(member, shape.value)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "planned",
    [
        plan(),
        plan(MEDIUM, **SPOT, **LIVE),
        plan(volume_kms_key_id="alias/a", output_kms_key_id="alias/b"),
    ],
    ids=["small", "spot with a live version", "keys"],
)
def test_the_request_is_one_that_sagemaker_takes(planned: dict[str, Any]) -> None:
    service = botocore.session.get_session().get_service_model("sagemaker")
    shape = service.operation_model("CreateTrainingJob").input_shape
    assert shape is not None
    validate_parameters(planned, shape)
    assert_fits(planned, shape)


def test_the_blueprint_decides_what_the_job_takes() -> None:
    planned = plan()
    assert planned["ResourceConfig"] == {
        "InstanceType": "ml.m5.large",
        "InstanceCount": 1,
        "VolumeSizeInGB": 10,
    }
    assert planned["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600}
    assert planned["EnableManagedSpotTraining"] is False
    assert "CheckpointConfig" not in planned


def test_a_spot_job_waits_and_keeps_checkpoints() -> None:
    planned = plan(MEDIUM, **SPOT)
    assert planned["EnableManagedSpotTraining"] is True
    assert planned["StoppingCondition"] == {
        "MaxRuntimeInSeconds": 14400,
        "MaxWaitTimeInSeconds": 28800,
    }
    assert planned["CheckpointConfig"] == {"S3Uri": "s3://lake/checkpoints/credit/"}
    assert refusal_of(MEDIUM).code == "checkpoint_missing"


def test_a_job_reaches_no_network_and_gets_no_environment() -> None:
    planned = plan(MEDIUM, **SPOT, **LIVE)
    assert planned["EnableNetworkIsolation"] is True
    assert "Environment" not in planned


def test_a_job_reads_its_data_and_the_live_package() -> None:
    def channels(planned: dict[str, Any]) -> dict[str, str]:
        return {
            channel["ChannelName"]: channel["DataSource"]["S3DataSource"]["S3Uri"]
            for channel in planned["InputDataConfig"]
        }

    assert channels(plan()) == {"train": "s3://lake/data/credit/"}
    assert channels(plan(**LIVE)) == {
        "train": "s3://lake/data/credit/",
        "live": "s3://packages/packages/credit/job-1/",
    }


def test_hyperparameters_are_text_and_name_what_made_the_model() -> None:
    assert plan()["HyperParameters"] == {
        "model": "credit",
        "seed": "20260101",
        "git_commit": "f00dcafe",
        "n_estimators": "120",
        "learning_rate": "0.05",
        "max_depth": "2",
        "min_samples_leaf": "20",
    }
    changed = plan(hyperparameters={"max_depth": "3", "learning_rate": 0.1, "seed": 7}, **LIVE)
    assert changed["HyperParameters"] | {"max_depth": "2", "learning_rate": "0.05"} == {
        **plan()["HyperParameters"],
        "seed": "7",
        "live_model_version": "3",
        "live_digest": DIGEST,
    }
    assert changed["HyperParameters"]["max_depth"] == "3"
    assert changed["HyperParameters"]["learning_rate"] == "0.1"


@pytest.mark.parametrize(
    ("hyperparameters", "code"),
    [
        ({"depth": 3}, "hyperparameter_unknown"),
        ({"git_commit": "mine"}, "hyperparameter_unknown"),
        ({"live_digest": DIGEST}, "hyperparameter_unknown"),
        ({"max_depth": 2.5}, "hyperparameter_invalid"),
        ({"max_depth": "deep"}, "hyperparameter_invalid"),
        ({"learning_rate": True}, "hyperparameter_invalid"),
        ({"learning_rate": "0." + "1" * 2500}, "hyperparameter_invalid"),
    ],
)
def test_a_hyperparameter_is_declared_and_of_its_type(
    hyperparameters: dict[str, Any], code: str
) -> None:
    assert refusal_of(hyperparameters=hyperparameters).code == code


@pytest.mark.parametrize("missing", ["live_model_version", "live_digest"])
def test_a_live_package_comes_with_its_number_and_digest(missing: str) -> None:
    assert refusal_of(**{**LIVE, missing: None}).code == "live_incomplete"


@pytest.mark.parametrize("image", ["", "  "])
def test_a_stack_without_an_image_says_how_to_get_one(image: str) -> None:
    refusal = refusal_of(image_uri=image)
    assert refusal.code == "image_not_configured"
    assert "make image" in refusal.message
    assert "JobImageUri" in refusal.message


@pytest.mark.parametrize(
    "image", ["jobs", "jobs:latest", "jobs@sha256:12", "jobs@sha256:" + "A" * 64, "j" * 200 + "@"]
)
def test_an_image_is_pinned_by_its_digest(image: str) -> None:
    assert refusal_of(image_uri=image).code == "image_not_pinned"


def test_a_job_has_every_mandatory_tag() -> None:
    tags = {
        tag["Key"]: tag["Value"] for tag in plan(tags=request()["tags"] | {"team": "a"})["Tags"]
    }
    assert tags == {
        "model": "credit",
        "owner": "credit-risk",
        "cost_centre": "lending",
        "blueprint": "small-cpu",
        "environment": "dev",
        "trigger": "s3://lake/data/credit/2026-11.csv",
        "team": "a",
    }
    refusal = refusal_of(tags={"environment": ""})
    assert refusal.code == "tags_missing"
    assert refusal.details == {"tags": ["environment", "trigger"]}


def test_a_tag_of_the_request_cannot_bill_another_cost_centre() -> None:
    tags = plan(tags=request()["tags"] | {"cost_centre": "someone-else"})["Tags"]
    assert {"Key": "cost_centre", "Value": "lending"} in tags


@pytest.mark.parametrize(
    "tag", [{"aws:x": "y"}, {"team": "a;b"}, {"t$": "a"}, {"team": "x" * 257}, {"team": ""}]
)
def test_a_tag_is_one_that_aws_takes(tag: dict[str, str]) -> None:
    assert refusal_of(tags=request()["tags"] | tag).code == "tags_invalid"


def test_a_job_that_may_cost_more_than_its_ceiling_is_refused() -> None:
    refusal = refusal_of(replace(SMALL, cost_ceiling_usd=0.12))
    assert refusal.code == "cost_ceiling_exceeded"
    assert refusal.details["cost_ceiling_usd"] == 0.12
    assert 0.12 < refusal.details["worst_case_usd"] < 0.13
    assert "blueprints/small-cpu.yaml" in refusal.message


def test_a_job_without_a_price_is_refused() -> None:
    assert refusal_of(region="eu-central-1").code == "price_unknown"
    assert refusal_of(replace(SMALL, instance_type="ml.p5.48xlarge")).code == "price_unknown"


@pytest.mark.parametrize("name", ["", "-a", "a-", "a_b", "a" * 64, "crédit"])
def test_a_job_has_a_name_that_sagemaker_takes(name: str) -> None:
    assert refusal_of(job_name=name).code == "job_name_invalid"


@pytest.mark.parametrize("where", ["input_uri", "output_uri", "checkpoint_uri", "live_package_uri"])
@pytest.mark.parametrize(
    "uri",
    [
        "s3://lake/a b/",
        "s3://lake/a+b/",
        "s3://lake/../secrets/",
        "s3://lake/$(id)/",
        "s3://lake/é/",
        "https://lake/a/",
        "s3://Lake/a/",
        "lake/a/",
        "s3://lake/a\n/",
    ],
)
def test_keys_are_of_safe_characters(where: str, uri: str) -> None:
    assert refusal_of(MEDIUM, **{**SPOT, **LIVE, where: uri}).code == "key_unsafe"


def test_a_live_package_is_a_folder_since_job_1_is_a_prefix_of_job_10() -> None:
    uri = "s3://packages/packages/credit/job-1"
    assert refusal_of(**{**LIVE, "live_package_uri": uri}).code == "key_unsafe"


@pytest.mark.parametrize("value", [True, None, [1], {"a": 1}])
def test_a_hyperparameter_is_text_or_a_number(value: object) -> None:
    with pytest.raises(BoringError) as refusal:
        as_hyperparameters({"a": value})
    assert refusal.value.code == "hyperparameter_invalid"


def test_there_are_as_many_hyperparameters_as_sagemaker_takes() -> None:
    assert len(as_hyperparameters({str(n): n for n in range(100)})) == 100
    with pytest.raises(BoringError):
        as_hyperparameters({str(n): n for n in range(101)})
