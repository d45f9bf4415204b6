"""A planned job, started: SageMaker's stand-in takes it, and the container understands it."""

import json
import time
from typing import Any

import pytest

from boringml.governance.blueprint import job_name, plan_training_job
from local.server import LocalAWS
from local.settings import JOB_IMAGE
from tests.unit.governance.samples import DIGEST, MODEL, SMALL, request

pytestmark = pytest.mark.local_aws

BUCKET = "planned-jobs"
DEADLINE_SECONDS = 30


@pytest.fixture(scope="module")
def role(local_aws: LocalAWS) -> str:
    """A bucket with data that break the contract, and the role of a job that reads it."""
    s3, iam = local_aws.client("s3"), local_aws.client("iam")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="data/credit/rows.csv", Body=b"a,b\n1,2\n")
    s3.put_object(Bucket=BUCKET, Key="packages/credit/job-1/manifest.json", Body=b"{}")
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    trust["Principal"] = {"Service": "sagemaker.amazonaws.com"}  # type: ignore[assignment]
    document = {"Version": "2012-10-17", "Statement": trust}
    answer = iam.create_role(RoleName="planned", AssumeRolePolicyDocument=json.dumps(document))
    allow = {"Effect": "Allow", "Action": "s3:*", "Resource": f"arn:aws:s3:::{BUCKET}*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": allow})
    iam.put_role_policy(RoleName="planned", PolicyName="s3", PolicyDocument=policy)
    return str(answer["Role"]["Arn"])


def ended(sagemaker: Any, name: str) -> dict[str, Any]:
    """Wait for the end of a job and return its description."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        job: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=name)
        if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped"):
            return job
        assert time.monotonic() < deadline, "the job did not end in time"
        time.sleep(0.1)


def test_a_planned_job_runs_the_container_with_what_was_planned(
    local_aws: LocalAWS, role: str
) -> None:
    planned = plan_training_job(
        MODEL,
        SMALL,
        **request(
            job_name=job_name("credit", "planned-job", 0),
            image_uri=JOB_IMAGE,
            role_arn=role,
            input_uri=f"s3://{BUCKET}/data/credit/",
            output_uri=f"s3://{BUCKET}/training/",
            live_package_uri=f"s3://{BUCKET}/packages/credit/job-1/",
            live_model_version=3,
            live_digest=DIGEST,
        ),
    )
    sagemaker = local_aws.client("sagemaker")
    arn = sagemaker.create_training_job(**planned)["TrainingJobArn"]
    job = ended(sagemaker, planned["TrainingJobName"])
    # The hyperparameters and the channel were understood: it is the data that are refused.
    assert job["TrainingJobStatus"] == "Failed"
    assert "missing_column" in job["FailureReason"]
    assert job["HyperParameters"] == planned["HyperParameters"]
    assert job["ResourceConfig"] == planned["ResourceConfig"]
    assert job["EnableNetworkIsolation"] is True
    tags = sagemaker.list_tags(ResourceArn=arn)["Tags"]
    assert sorted(tags, key=lambda tag: tag["Key"]) == planned["Tags"]
