"""sagemaker:createTrainingJob in a state machine of the local AWS."""

from typing import Any

import pytest

from tests.integration.local.machines import Events, Machines, catching, only, task
from tests.integration.local.training_world import (
    ENDLESS,
    SAY_READY,
    TrainingWorld,
    allow,
    unique,
    until,
    world,
)

pytestmark = pytest.mark.local_aws
__all__ = ["world"]

SYNC = "sagemaker:createTrainingJob.sync"
SAVE = "(ROOT / 'model/m').write_text('m')"
JOB = "arn:aws:sagemaker:us-east-1:000000000000:training-job/*"
RULE = (
    "arn:aws:events:us-east-1:000000000000:rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule"
)


@pytest.fixture
def machines(world: TrainingWorld) -> Machines:
    """The maker of state machines."""
    return Machines(world)


def test_sync_waits_for_the_job_and_returns_it(machines: Machines, world: TrainingWorld) -> None:
    request = world.request(SAVE, Tags=[{"Key": "owner", "Value": "ml"}])
    execution = machines.run(only(task(SYNC, request)))
    assert execution["status"] == "SUCCEEDED", execution
    job = execution["output"]
    described = world.describe(request["TrainingJobName"])
    assert job["TrainingJobStatus"] == "Completed"
    assert job["ModelArtifacts"] == described["ModelArtifacts"]
    assert job["BillableTimeInSeconds"] == described["BillableTimeInSeconds"]
    created = job["CreationTime"]
    assert (type(created), created) == (int, int(described["CreationTime"].timestamp() * 1000))
    assert job["Tags"] == {
        "owner": "ml",
        "MANAGED_BY_AWS": "STARTED_BY_STEP_FUNCTIONS",
        "AWS_STEP_FUNCTIONS_EXECUTION_ARN": execution["executionArn"],
    }
    tags = world.sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == job["Tags"]


def test_without_sync_the_job_is_only_started(machines: Machines, world: TrainingWorld) -> None:
    request = world.request()
    output = machines.output(only(task("sagemaker:createTrainingJob", request)))
    job = world.ended(request["TrainingJobName"])
    assert output == {"TrainingJobArn": job["TrainingJobArn"]}


def test_a_failed_job_is_a_failed_task_with_the_job_in_its_cause(
    machines: Machines, world: TrainingWorld
) -> None:
    request = world.request("(ROOT / 'output/failure').write_text('no rows')\nsys.exit(2)")
    caught = machines.output(
        only(task(SYNC, request, Catch=[
            {
                "ErrorEquals": ["States.TaskFailed"],
                "Next": "Caught",
                "Output": "{% {'error': $states.errorOutput.Error, "
                          "'reason': $parse($states.errorOutput.Cause).FailureReason} %}",
            }
        ]))
    )  # fmt: skip
    assert caught == {
        "error": "States.TaskFailed",
        "reason": "AlgorithmError: no rows, exit code: 2",
    }


def test_a_job_stopped_at_its_limit_is_a_result(machines: Machines, world: TrainingWorld) -> None:
    request = world.request(ENDLESS, StoppingCondition={"MaxRuntimeInSeconds": 1})
    job = machines.output(only(task(SYNC, request)))
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_a_taken_name_is_a_sagemaker_exception(machines: Machines, world: TrainingWorld) -> None:
    request = world.request(TrainingJobName=world.run()["TrainingJobName"])
    caught = machines.output(
        only(task(SYNC, request, Catch=catching("SageMaker.AmazonSageMakerException")))
    )
    assert "Error Code: ResourceInUse" in caught["Cause"]


def test_a_retry_with_a_name_of_its_own_succeeds(machines: Machines, world: TrainingWorld) -> None:
    request = world.request(
        TrainingJobName="{% $states.input.name & '-' & $states.context.State.RetryCount %}"
    )
    taken = unique("retried")
    world.run(TrainingJobName=f"{taken}-0")
    retry = [{"ErrorEquals": ["SageMaker.AmazonSageMakerException"], "IntervalSeconds": 1}]
    job = machines.output(only(task(SYNC, request, Retry=retry)), value={"name": taken})
    assert job["TrainingJobName"] == f"{taken}-1"


def test_the_quota_is_an_error_of_its_own(machines: Machines, world: TrainingWorld) -> None:
    resources = {**world.request()["ResourceConfig"], "InstanceType": "ml.c5.2xlarge"}
    running = [world.create_running(ResourceConfig=resources) for _ in range(2)]
    request = world.request(ResourceConfig=resources)
    names = ["SageMaker.ResourceLimitExceededException"]
    caught = machines.output(only(task(SYNC, request, Catch=catching(*names))))
    assert caught["Error"] == names[0]
    for name in running:
        world.sagemaker.stop_training_job(TrainingJobName=name)
        world.ended(name)


def test_what_is_not_emulated_fails_the_execution_past_every_catch(
    machines: Machines, world: TrainingWorld
) -> None:
    vpc = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    for resource, request in (
        (SYNC, world.request(VpcConfig=vpc)),
        ("sagemaker:createProcessingJob.sync", {"ProcessingJobName": "x"}),
    ):
        execution = machines.run(
            only(task(resource, request, Catch=catching("States.ALL"))),
        )
        assert execution["status"] == "FAILED"
        assert "VpcConfig" in execution["cause"] or "ProcessingJob" in execution["cause"]


def test_a_timeout_of_the_state_stops_the_job(machines: Machines, world: TrainingWorld) -> None:
    request = world.request(ENDLESS)
    caught = machines.output(
        only(task(SYNC, request, TimeoutSeconds=1, Catch=catching("States.Timeout")))
    )
    assert caught["Error"] == "States.Timeout"
    assert world.ended(request["TrainingJobName"])["TrainingJobStatus"] == "Stopped"


def test_the_end_of_an_execution_stops_its_job(machines: Machines, world: TrainingWorld) -> None:
    place = unique("ready")
    request = world.request(
        SAY_READY + ENDLESS, CheckpointConfig={"S3Uri": f"s3://{world.bucket}/{place}"}
    )
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1}]
    execution = machines.start(machines.create(only(task(SYNC, request, Retry=retry))))
    until(lambda: world.keys(f"{place}/ready"))
    machines.states.stop_execution(executionArn=execution)
    assert world.ended(request["TrainingJobName"])["TrainingJobStatus"] == "Stopped"
    assert machines.ended(execution)["status"] == "ABORTED"
    # While others run, the Retry of a task that nobody waits for would come.
    for _ in range(2):
        machines.output(only({"Type": "Succeed"}))
    history = machines.states.get_execution_history(executionArn=execution)["events"]
    assert [event["type"] for event in history].count("TaskScheduled") == 1


def test_each_change_of_a_job_is_an_event(world: TrainingWorld) -> None:
    name = unique("told")
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Training Job State Change"],
        "detail": {"TrainingJobName": [name]},
    }
    events = Events(world, pattern)
    job = world.run(SAVE, TrainingJobName=name, Tags=[{"Key": "owner", "Value": "ml"}])
    seen = events.until_one_is("TrainingJobStatus", "Completed")
    assert [event["detail"]["SecondaryStatus"] for event in seen] == [
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    last = seen[-1]
    assert last["resources"] == [job["TrainingJobArn"]]
    assert last["detail"]["Tags"] == {"owner": "ml"}
    assert last["detail"]["ModelArtifacts"] == job["ModelArtifacts"]
    assert isinstance(last["detail"]["TrainingEndTime"], int)


def rights(world: TrainingWorld, without: str | None = None) -> list[dict[str, Any]]:
    """Return the rights of a role that trains with `.sync`, as AWS lists them."""
    passed = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    actions = ("CreateTrainingJob", "DescribeTrainingJob", "StopTrainingJob", "AddTags")
    statements = [allow(f"sagemaker:{name}", JOB) for name in actions]
    statements.append(allow("iam:PassRole", world.job_role, **passed))
    statements.append(allow(["events:PutTargets", "events:PutRule", "events:DescribeRule"], RULE))
    return [item for item in statements if item["Action"] != without]


def test_the_rights_that_aws_lists_are_enough(machines: Machines, world: TrainingWorld) -> None:
    request = world.request()
    job = machines.output(only(task(SYNC, request)), *rights(world))
    assert job["TrainingJobStatus"] == "Completed"


def test_each_of_these_rights_is_needed(machines: Machines, world: TrainingWorld) -> None:
    tried = {
        missing: machines.start(
            machines.create(only(task(SYNC, world.request())), *rights(world, without=missing))
        )
        for missing in (
            "sagemaker:CreateTrainingJob",
            "sagemaker:DescribeTrainingJob",
            "sagemaker:StopTrainingJob",
            "sagemaker:AddTags",
            "iam:PassRole",
        )
    }
    for missing, execution in tried.items():
        found = machines.ended(execution)
        assert found.get("error") == "SageMaker.AmazonSageMakerException", missing
        assert f"not authorized to perform: {missing}" in found["cause"]


def test_the_sdk_integration_describes_a_job(machines: Machines, world: TrainingWorld) -> None:
    name = world.run()["TrainingJobName"]
    describe = task("aws-sdk:sagemaker:describeTrainingJob", {"TrainingJobName": name})
    right = allow("sagemaker:DescribeTrainingJob", JOB)
    assert machines.output(only(describe), right)["TrainingJobStatus"] == "Completed"
    refused = machines.run(only(describe), allow("sagemaker:ListTrainingJobs"))
    assert refused["error"] == "SageMaker.SageMakerException"
    unknown = task("aws-sdk:sagemaker:describeTrainingJob", {"TrainingJobName": "none"})
    assert machines.run(only(unknown), right)["error"] == "SageMaker.SageMakerException"
