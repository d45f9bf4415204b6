"""The SageMaker operations on training jobs and their tags."""

import threading
import time
from typing import Any

from ministack.core.responses import get_account_id, get_region

from local.aws.sagemaker import events, training_job
from local.aws.sagemaker.channels import check_not_empty
from local.aws.sagemaker.errors import SageMakerError, invalid
from local.aws.sagemaker.metrics import LogMetrics
from local.aws.sagemaker.request_rules import check_training_job
from local.aws.sagemaker.roles import check_trust
from local.aws.sagemaker.s3_access import JobS3
from local.aws.sagemaker.settings import JobSettings
from local.aws.sagemaker.status import first
from local.aws.sagemaker.store import TERMINAL, Job, JobStore

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
        tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
        job = Job(get_account_id(), get_region(), name, _record(request), tags)
        with self._creating:
            self._check_quota(request["ResourceConfig"]["InstanceType"])
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

    def add_tags(self, request: dict[str, Any]) -> dict[str, Any]:
        """AddTags: a key that is there gets the new value."""
        job = self._by_arn(request["ResourceArn"])
        with job.lock:
            job.tags.update({tag["Key"]: tag["Value"] for tag in request["Tags"]})
        self._store.save()
        return {"Tags": _tag_list(job)}

    def delete_tags(self, request: dict[str, Any]) -> dict[str, Any]:
        """DeleteTags."""
        job = self._by_arn(request["ResourceArn"])
        with job.lock:
            for key in request["TagKeys"]:
                job.tags.pop(key, None)
        self._store.save()
        return {}

    def list_tags(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListTags, all at once: a job has at most 50, the smallest page there is."""
        return {"Tags": _tag_list(self._by_arn(request["ResourceArn"]))}

    def find(self, name: str) -> Job:
        """Return the job, or raise SageMakerError as AWS does for a name it does not know."""
        job = self._store.find(name)
        if job is None:
            raise invalid("Requested resource not found.")
        return job

    def _by_arn(self, arn: str) -> Job:
        for job in self._store.here():
            if job.record["TrainingJobArn"] == arn:
                return job
        raise SageMakerError("ResourceNotFound", f"Requested resource not found: {arn}")

    def _check_quota(self, instance_type: str) -> None:
        running = sum(
            job.status not in TERMINAL
            and job.record["ResourceConfig"]["InstanceType"] == instance_type
            for job in self._store.here()
        )
        if running >= self._settings.parallel:
            raise SageMakerError(
                "ResourceLimitExceeded",
                f"The account-level service limit '{instance_type} for training job usage' is "
                f"{self._settings.parallel} Instances, with current utilization of {running} "
                "Instances and a request delta of 1 Instances. Please use AWS Service Quotas to "
                "request an increase for this quota.",
            )


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


def _tag_list(job: Job) -> list[dict[str, str]]:
    with job.lock:
        return [{"Key": key, "Value": value} for key, value in job.tags.items()]
