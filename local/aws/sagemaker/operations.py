"""The SageMaker operations on training jobs."""

import threading
import time
from typing import Any

from ministack.core.responses import get_account_id, get_region

from local.aws.sagemaker import events, training_job
from local.aws.sagemaker.channels import check_not_empty
from local.aws.sagemaker.errors import SageMakerError, invalid
from local.aws.sagemaker.metrics import LogMetrics
from local.aws.sagemaker.quotas import check_quota
from local.aws.sagemaker.request_rules import check_training_job
from local.aws.sagemaker.roles import check_trust
from local.aws.sagemaker.s3_access import JobS3
from local.aws.sagemaker.settings import JobSettings
from local.aws.sagemaker.status import first
from local.aws.sagemaker.store import TERMINAL, Job, JobStore
from local.aws.sagemaker.tags import tags_of

_NOT_IN_RECORD = {"Tags", "ProfilerConfig"}


class TrainingJobs:
    """Each method is an operation: it takes the request's members and returns the answer's."""

    def __init__(self, settings: JobSettings, store: JobStore) -> None:
        self._settings = settings
        self._store = store
        self._creating = threading.Lock()

    def create(self, request: dict[str, Any]) -> dict[str, Any]:
        """CreateTrainingJob. A name is taken for ever, however its job ended."""
        check_training_job(request)
        LogMetrics(request["AlgorithmSpecification"].get("MetricDefinitions", []))
        name = request["TrainingJobName"]
        if taken := self._store.find(name):
            raise _in_use(taken.record["TrainingJobArn"])
        check_trust(request["RoleArn"])
        s3 = JobS3(get_account_id(), get_region(), request["RoleArn"])
        check_not_empty(s3, request)
        tags = tags_of(request)
        job = Job(get_account_id(), get_region(), name, _record(request), tags)
        with self._creating:
            check_quota(self._settings, self._store, request["ResourceConfig"]["InstanceType"])
            if not self._store.add(job):
                raise _in_use(job.record["TrainingJobArn"])
        self._store.save()
        events.publish(job, job.snapshot(), tags)
        training_job.start(self._settings, self._store, job)
        return {"TrainingJobArn": job.record["TrainingJobArn"]}

    def describe(self, request: dict[str, Any]) -> dict[str, Any]:
        """DescribeTrainingJob."""
        return self.find(request["TrainingJobName"]).snapshot()

    def stop(self, request: dict[str, Any]) -> dict[str, Any]:
        """StopTrainingJob. A job that has ended cannot be stopped."""
        job = self.find(request["TrainingJobName"])
        if job.status in TERMINAL:
            raise invalid(
                f"The request was rejected because the training job is in status {job.status}."
            )
        training_job.stop(self._store, job)
        return {}

    def find(self, name: str) -> Job:
        """Return the job, or raise SageMakerError as AWS does for a name it does not know."""
        job = self._store.find(name)
        if job is None:
            raise invalid("Requested resource not found.")
        return job


def job_arn(name: str) -> str:
    """Return the ARN of a training job of this account and Region; ARNs are in lower case."""
    return f"arn:aws:sagemaker:{get_region()}:{get_account_id()}:training-job/{name.lower()}"


def _record(request: dict[str, Any]) -> dict[str, Any]:
    """What Describe answers for a new job: the request with AWS's defaults, and its status."""
    now = time.time()
    record = {key: value for key, value in request.items() if key not in _NOT_IN_RECORD}
    if "InputDataConfig" in record:
        record["InputDataConfig"] = [_channel(item) for item in record["InputDataConfig"]]
    for flag in (
        "EnableNetworkIsolation",
        "EnableInterContainerTrafficEncryption",
        "EnableManagedSpotTraining",
    ):
        record[flag] = bool(record.get(flag))
    return {
        **record,
        "OutputDataConfig": {"CompressionType": "GZIP", **record["OutputDataConfig"]},
        "TrainingJobArn": job_arn(request["TrainingJobName"]),
        "CreationTime": now,
        "LastModifiedTime": now,
        **first(now),
    }


def _channel(channel: dict[str, Any]) -> dict[str, Any]:
    source = channel["DataSource"]["S3DataSource"]
    source = {"S3DataDistributionType": "FullyReplicated", **source}
    return {
        "CompressionType": "None",
        "RecordWrapperType": "None",
        **channel,
        "DataSource": {"S3DataSource": source},
    }


def _in_use(arn: str) -> SageMakerError:
    return SageMakerError(
        "ResourceInUse",
        "Training job names must be unique within an AWS account and region, and a training job "
        f"with this name already exists ({arn})",
    )
