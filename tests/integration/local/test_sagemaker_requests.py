"""What the local SageMaker refuses, and how it lists and tags."""

from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.integration.local.training_world import (
    TrainingWorld,
    allow,
    unique,
    world,
)

pytestmark = pytest.mark.local_aws
__all__ = ["world"]

UNCHECKED = Config(parameter_validation=False)


def refusal(world: TrainingWorld, operation: str, **members: Any) -> tuple[str, str]:
    """Return the code and message with which an operation is refused.

    The request goes past boto3's own validation, as Step Functions' and curl's would.
    """
    client = world.client("sagemaker", config=UNCHECKED)
    with pytest.raises(ClientError) as caught:
        getattr(client, operation)(**members)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def refused_job(world: TrainingWorld, **members: Any) -> tuple[str, str]:
    """Return the refusal of a training job that differs by `members` from a good one."""
    return refusal(world, "create_training_job", **world.request(**members))


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"TrainingJobName": "under_score"}, "trainingJobName"),
        ({"TrainingJobName": "x" * 64}, "less than or equal to 63"),
        ({"HyperParameters": {str(n): "" for n in range(101)}}, "less than or equal to 100"),
        ({"HyperParameters": {"code": "x" * 2501}}, "less than or equal to 2500"),
        ({"Environment": {"NAME": "x" * 513}}, "less than or equal to 512"),
        ({"RoleArn": "arn:aws:iam::1:role/x"}, "roleArn"),
        ({"OutputDataConfig": None}, "Value at 'outputDataConfig'"),
        ({"OutputDataConfig": {"S3OutputPath": "bucket/x"}}, "outputDataConfig.s3OutputPath"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 0}}, "greater than or equal to 1"),
        ({"StoppingCondition": {}}, "MaxRuntimeInSeconds is required"),
        ({"AlgorithmSpecification": None}, "AlgorithmSpecification is required"),
        ({"EnableManagedSpotTraining": True}, "MaxWaitTimeInSeconds is required"),
        (
            {
                "EnableManagedSpotTraining": True,
                "StoppingCondition": {"MaxRuntimeInSeconds": 9, "MaxWaitTimeInSeconds": 8},
            },
            "greater than or equal to MaxRuntimeInSeconds",
        ),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 9, "MaxWaitTimeInSeconds": 9}},
            "only allowed when",
        ),
        ({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}, "Duplicate tag"),
        (
            {"ResourceConfig": {"InstanceType": "m5", "InstanceCount": 1, "VolumeSizeInGB": 1}},
            "enum value set",
        ),
    ],
)
def test_what_breaks_a_rule_of_sagemaker_is_a_validation_error(
    world: TrainingWorld, members: dict[str, Any], words: str
) -> None:
    code, message = refused_job(world, **members)
    assert code == "ValidationException"
    assert words in message


def test_a_bad_metric_pattern_is_refused(world: TrainingWorld) -> None:
    metric = {"Name": "auc", "Regex": "auc=("}
    algorithm = {**world.request()["AlgorithmSpecification"], "MetricDefinitions": [metric]}
    code, message = refused_job(world, AlgorithmSpecification=algorithm)
    assert (code, "auc" in message) == ("ValidationException", True)


def test_a_member_that_sagemaker_does_not_know_is_refused(world: TrainingWorld) -> None:
    service = world.client("sagemaker")
    with pytest.raises(Exception, match="Instances"):
        service.create_training_job(**world.request(Instances=2))


def source(**members: Any) -> list[dict[str, Any]]:
    """Return InputDataConfig with one channel whose S3 source has these members."""
    s3 = {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/x", **members}
    return [{"ChannelName": "train", "DataSource": {"S3DataSource": s3}}]


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ({"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}}, "VpcConfig"),
        (
            {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2,
                                "VolumeSizeInGB": 1}},
            "InstanceCount=2",
        ),
        (
            {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1,
                                "VolumeSizeInGB": 1, "KeepAlivePeriodInSeconds": 60}},
            "KeepAlivePeriodInSeconds",
        ),
        (
            {"AlgorithmSpecification": {"TrainingImage": "x", "TrainingInputMode": "Pipe"}},
            "TrainingInputMode=Pipe",
        ),
        ({"InputDataConfig": source(S3DataType="ManifestFile")}, "S3DataType=ManifestFile"),
        (
            {"InputDataConfig": source(S3DataDistributionType="ShardedByS3Key")},
            "S3DataDistributionType=ShardedByS3Key",
        ),
        (
            {"CheckpointConfig": {"S3Uri": "s3://b/c", "LocalPath": "/data"}},
            "CheckpointConfig.LocalPath=/data",
        ),
        ({"ExperimentConfig": {"ExperimentName": "x"}}, "ExperimentConfig"),
        ({"ProfilerConfig": {"S3OutputPath": "s3://b/c"}}, "ProfilerConfig"),
    ],
)  # fmt: skip
def test_what_is_not_emulated_is_refused_by_its_name(
    world: TrainingWorld, members: dict[str, Any], name: str
) -> None:
    code, message = refused_job(world, **members)
    assert code == "NotEmulatedException"
    assert name in message


@pytest.mark.parametrize(
    ("operation", "members", "name"),
    [
        ("list_models", {}, "sagemaker:ListModels"),
        (
            "describe_processing_job",
            {"ProcessingJobName": "x"},
            "sagemaker:DescribeProcessingJob",
        ),
        ("create_endpoint", {"EndpointName": "x", "EndpointConfigName": "y"}, "CreateEndpoint"),
    ],
)
def test_other_operations_are_refused_by_their_name(
    world: TrainingWorld, operation: str, members: dict[str, Any], name: str
) -> None:
    code, message = refusal(world, operation, **members)
    assert code == "NotEmulatedException"
    assert name in message


def test_keys_and_isolation_are_accepted(world: TrainingWorld) -> None:
    resources = {**world.request()["ResourceConfig"], "VolumeKmsKeyId": "alias/training"}
    job = world.run(
        ResourceConfig=resources,
        EnableNetworkIsolation=True,
        EnableInterContainerTrafficEncryption=True,
        RetryStrategy={"MaximumRetryAttempts": 2},
        ProfilerConfig={"DisableProfiler": True},
    )
    assert job["TrainingJobStatus"] == "Completed"
    assert job["EnableNetworkIsolation"] is True


def test_a_name_is_taken_for_ever(world: TrainingWorld) -> None:
    name = world.run("sys.exit(1)")["TrainingJobName"]
    assert refused_job(world, TrainingJobName=name)[0] == "ResourceInUse"


def test_a_prefix_without_objects_is_refused(world: TrainingWorld) -> None:
    code, message = refused_job(world, InputDataConfig=source(S3Uri=f"s3://{world.bucket}/nothing"))
    assert code == "ValidationException"
    assert f'No S3 objects found under S3 URL "s3://{world.bucket}/nothing"' in message


def test_more_jobs_at_once_than_the_quota_are_refused(world: TrainingWorld) -> None:
    resources = {**world.request()["ResourceConfig"], "InstanceType": "ml.c5.xlarge"}
    running = [world.create_running(ResourceConfig=resources) for _ in range(2)]
    code, message = refused_job(world, ResourceConfig=resources)
    assert code == "ResourceLimitExceeded"
    assert "'ml.c5.xlarge for training job usage' is 2 Instances" in message
    for name in running:
        world.sagemaker.stop_training_job(TrainingJobName=name)
        world.ended(name)


def test_a_job_that_is_not_there_is_not_found(world: TrainingWorld) -> None:
    answer = ("ValidationException", "Requested resource not found.")
    assert refusal(world, "describe_training_job", TrainingJobName="none") == answer
    assert refusal(world, "stop_training_job", TrainingJobName="none") == answer


def test_jobs_are_listed_by_filter_order_and_page(world: TrainingWorld) -> None:
    family = unique("listed")
    names = [world.run(TrainingJobName=f"{family}-{letter}")["TrainingJobName"] for letter in "bac"]
    failed = world.run("sys.exit(1)", TrainingJobName=f"{family}-d")["TrainingJobName"]

    def listed(**members: Any) -> list[str]:
        pages = world.sagemaker.get_paginator("list_training_jobs").paginate(
            NameContains=family, PaginationConfig={"PageSize": 2}, **members
        )
        return [item["TrainingJobName"] for page in pages for item in page["TrainingJobSummaries"]]

    assert listed() == [failed, *reversed(names)]
    assert listed(SortBy="Name", SortOrder="Ascending") == [*sorted(names), failed]
    assert listed(StatusEquals="Failed") == [failed]


def test_tags_are_added_listed_and_deleted(world: TrainingWorld) -> None:
    job = world.run(Tags=[{"Key": "cost-centre", "Value": "risk"}])
    arn = job["TrainingJobArn"]
    world.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "owner", "Value": "ml"}])
    world.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "cost-centre", "Value": "sales"}])
    world.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["owner"])
    tags = world.sagemaker.list_tags(ResourceArn=arn)["Tags"]
    assert tags == [{"Key": "cost-centre", "Value": "sales"}]
    assert "Tags" not in job


def test_a_role_must_trust_sagemaker(world: TrainingWorld) -> None:
    role = world.role("lambda", allow("s3:*"))
    code, message = refused_job(world, RoleArn=role)
    assert code == "ValidationException"
    assert message.startswith(f"Could not assume role {role}")


def test_a_job_reads_only_what_its_role_may(world: TrainingWorld) -> None:
    role = world.role("sagemaker", allow("s3:PutObject"), allow("s3:ListBucket"))
    job = world.run(RoleArn=role)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: Data download failed:")
    assert refused_job(world, RoleArn=world.role("sagemaker"))[0] == "ValidationException"


def test_a_job_writes_only_where_its_role_may(world: TrainingWorld) -> None:
    role = world.role("sagemaker", allow(["s3:GetObject", "s3:ListBucket"]))
    job = world.run(RoleArn=role)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: Artifact upload failed:AccessDenied")


@pytest.mark.parametrize(
    ("missing", "condition"),
    [
        ("sagemaker:CreateTrainingJob", {}),
        ("iam:PassRole", {}),
        ("sagemaker:AddTags", {}),
        ("iam:PassRole", {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}),
    ],
)
def test_a_caller_needs_the_rights_that_a_job_implies(
    world: TrainingWorld, missing: str, condition: dict[str, Any]
) -> None:
    needed = {"sagemaker:CreateTrainingJob", "iam:PassRole", "sagemaker:AddTags"}
    statements = [allow(action) for action in sorted(needed - {missing})]
    if condition:
        statements.append(allow(missing, "*", **condition))
    client = world.client_of_user(*statements)
    with pytest.raises(ClientError) as caught:
        client("sagemaker").create_training_job(
            **world.request(Tags=[{"Key": "owner", "Value": "ml"}])
        )
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    assert missing in caught.value.response["Error"]["Message"]


def test_a_caller_with_just_these_rights_starts_a_job(world: TrainingWorld) -> None:
    passed = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    request = world.request(Tags=[{"Key": "owner", "Value": "ml"}])
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:training-job/{request['TrainingJobName']}"
    client = world.client_of_user(
        allow(["sagemaker:CreateTrainingJob", "sagemaker:AddTags"], arn),
        allow("iam:PassRole", world.job_role, **passed),
    )
    assert client("sagemaker").create_training_job(**request)["TrainingJobArn"] == arn
    world.ended(request["TrainingJobName"])
