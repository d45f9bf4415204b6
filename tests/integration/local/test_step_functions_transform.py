"""sagemaker:createModel and sagemaker:createTransformJob in a state machine of the local AWS."""

import pytest
from botocore.exceptions import ClientError

from tests.integration.local.machines import Machines, catching, only, task
from tests.integration.local.training_world import TrainingWorld, allow, unique, world
from tests.integration.local.transform_world import TransformWorld, transforms

pytestmark = pytest.mark.local_aws
__all__ = ["transforms", "world"]

SYNC = "sagemaker:createTransformJob.sync"
MODEL = "arn:aws:sagemaker:us-east-1:000000000000:model/*"
JOB = "arn:aws:sagemaker:us-east-1:000000000000:transform-job/*"
RULE = (
    "arn:aws:events:us-east-1:000000000000:rule/StepFunctionsGetEventsForSageMakerTransformJobsRule"
)
PASSED = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}


@pytest.fixture
def machines(world: TrainingWorld) -> Machines:
    """The maker of state machines."""
    return Machines(world)


def test_a_machine_makes_a_model_and_waits_for_a_batch_with_it(
    machines: Machines, transforms: TransformWorld
) -> None:
    transforms.put("a.txt", "one\n")
    name = unique("made")
    model = transforms.model_request(transforms.model) | {"ModelName": name}
    request = transforms.request(ModelName=name)
    definition = {
        "StartAt": "Make",
        "States": {
            "Make": task("sagemaker:createModel", model, Next="Transform"),
            "Transform": task(SYNC, request),
        },
    }
    role = transforms.world.job_role
    execution = machines.run(
        definition,
        allow("sagemaker:CreateModel", MODEL),
        allow("iam:PassRole", role, **PASSED),
        allow(
            [
                "sagemaker:CreateTransformJob",
                "sagemaker:DescribeTransformJob",
                "sagemaker:StopTransformJob",
                "sagemaker:AddTags",
            ],
            JOB,
        ),
        allow(["events:PutTargets", "events:PutRule", "events:DescribeRule"], RULE),
    )
    assert execution["status"] == "SUCCEEDED", execution
    job = execution["output"]
    assert job["TransformJobStatus"] == "Completed"
    assert type(job["CreationTime"]) is int
    assert job["Tags"]["MANAGED_BY_AWS"] == "STARTED_BY_STEP_FUNCTIONS"
    assert transforms.outputs() == {"a.txt.out": b"ONE\n"}


def test_a_failed_job_is_a_failed_task_with_the_job_in_its_cause(
    machines: Machines, transforms: TransformWorld
) -> None:
    transforms.put("a.txt", "bad\n")
    caught = machines.output(
        only(task(SYNC, transforms.request(), Catch=catching("States.TaskFailed")))
    )
    assert caught["Error"] == "States.TaskFailed"
    assert '"FailureReason": "ClientError: See job logs' in caught["Cause"]


@pytest.mark.parametrize("lacking", ["CreateTransformJob", "StopTransformJob", "AddTags"])
def test_a_role_that_lacks_a_right_of_sync_fails_the_task(
    machines: Machines, transforms: TransformWorld, lacking: str
) -> None:
    transforms.put("a.txt", "one\n")
    actions = {"CreateTransformJob", "DescribeTransformJob", "StopTransformJob", "AddTags"}
    execution = machines.run(
        only(task(SYNC, transforms.request())),
        allow([f"sagemaker:{action}" for action in sorted(actions - {lacking})], JOB),
        allow(["events:PutTargets", "events:PutRule", "events:DescribeRule"], RULE),
    )
    assert execution["status"] == "FAILED"
    assert f"sagemaker:{lacking}" in execution["cause"]


def test_a_role_without_the_managed_rule_makes_no_machine(
    machines: Machines, transforms: TransformWorld
) -> None:
    with pytest.raises(ClientError, match="not authorized to create managed-rule"):
        machines.create(only(task(SYNC, transforms.request())), allow("sagemaker:*"))


def test_a_timeout_of_the_state_stops_the_job(
    machines: Machines, transforms: TransformWorld
) -> None:
    transforms.put("a.txt", "one\n")
    request = transforms.request({"BEHAVIOUR": "hangs"})
    caught = machines.output(
        only(task(SYNC, request, TimeoutSeconds=2, Catch=catching("States.Timeout")))
    )
    assert caught["Error"] == "States.Timeout"
    assert transforms.ended(request["TransformJobName"])["TransformJobStatus"] == "Stopped"


def test_without_sync_the_job_is_only_started(
    machines: Machines, transforms: TransformWorld
) -> None:
    transforms.put("a.txt", "one\n")
    request = transforms.request()
    output = machines.output(only(task("sagemaker:createTransformJob", request)))
    job = transforms.ended(request["TransformJobName"])
    assert output == {"TransformJobArn": job["TransformJobArn"]}


def test_create_model_has_no_sync(machines: Machines, transforms: TransformWorld) -> None:
    request = transforms.model_request(transforms.model)
    execution = machines.run(only(task("sagemaker:createModel.sync", request)))
    assert (execution["status"], execution["error"]) == ("FAILED", "States.Runtime")


def test_a_taken_model_is_a_sagemaker_exception(
    machines: Machines, transforms: TransformWorld
) -> None:
    request = transforms.model_request(transforms.model)
    state = task(
        "sagemaker:createModel", request, Catch=catching("SageMaker.AmazonSageMakerException")
    )
    assert "already existing model" in machines.output(only(state))["Cause"]
