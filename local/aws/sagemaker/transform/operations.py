"""The SageMaker operations on transform jobs."""

import threading
import time
from typing import Any

from ministack.core.responses import get_account_id, get_region

from local.aws.sagemaker import events
from local.aws.sagemaker.errors import SageMakerError, invalid
from local.aws.sagemaker.models import Models
from local.aws.sagemaker.quotas import check_quota
from local.aws.sagemaker.settings import JobSettings
from local.aws.sagemaker.store import TERMINAL, Job, JobStore, TransformJob
from local.aws.sagemaker.tags import tags_of
from local.aws.sagemaker.transform import run
from local.aws.sagemaker.transform.rules import check_transform_job
from local.aws.sagemaker.transform.status import advance


class TransformJobs:
    """Each public method but `find` is an operation: the request's members in, the answer's out."""

    def __init__(self, settings: JobSettings, store: JobStore, models: Models) -> None:
        self._settings = settings
        self._store = store
        self._models = models
        self._creating = threading.Lock()

    def create(self, request: dict[str, Any]) -> dict[str, Any]:
        """CreateTransformJob. A name is taken for ever, however its job ended."""
        check_transform_job(request)
        model = self._models.find(request["ModelName"])
        name, tags = request["TransformJobName"], tags_of(request)
        if taken := self._store.find(name):
            raise _in_use(taken.arn)
        job = TransformJob(get_account_id(), get_region(), name, _record(request), tags)
        with self._creating:
            check_quota(self._settings, self._store, request["TransformResources"]["InstanceType"])
            if not self._store.add(job):
                raise _in_use(job.arn)
        self._store.save()
        events.publish(job, job.snapshot(), tags)
        # The model's record of now: a job runs on when its model is deleted.
        run.start(self._settings, self._store, job, dict(model.record))
        return {"TransformJobArn": job.arn}

    def describe(self, request: dict[str, Any]) -> dict[str, Any]:
        """DescribeTransformJob."""
        return self.find(request["TransformJobName"]).snapshot()

    def stop(self, request: dict[str, Any]) -> dict[str, Any]:
        """StopTransformJob. A job that has ended cannot be stopped."""
        job = self.find(request["TransformJobName"])
        if job.status in TERMINAL:
            raise invalid(
                f"The request was rejected because the transform job is in status {job.status}."
            )
        if job.status == "InProgress" and advance(self._store, job, "Stopping"):
            job.stop.set()
            job.wake.set()
        return {}

    def find(self, name: str) -> Job:
        """Return the job, or raise SageMakerError as AWS does for a name it does not know."""
        job = self._store.find(name)
        if job is None:
            raise invalid(f'Could not find requested job with name: "{name}"')
        return job


def transform_arn(name: str) -> str:
    """Return the ARN of a transform job of this account and Region; ARNs are in lower case."""
    return f"arn:aws:sagemaker:{get_region()}:{get_account_id()}:transform-job/{name.lower()}"


def _record(request: dict[str, Any]) -> dict[str, Any]:
    """What Describe answers for a new job: the request with AWS's defaults, and its status."""
    record = {key: value for key, value in request.items() if key != "Tags"}
    given, output = request["TransformInput"], request["TransformOutput"]
    return {
        **record,
        "TransformInput": {"CompressionType": "None", "SplitType": "None", **given},
        "TransformOutput": {"AssembleWith": "None", **output},
        "TransformJobArn": transform_arn(request["TransformJobName"]),
        "TransformJobStatus": "InProgress",
        "CreationTime": time.time(),
    }


def _in_use(arn: str) -> SageMakerError:
    return SageMakerError(
        "ResourceInUse",
        "Job name must be unique within an AWS account and region, and a job with this name "
        f"already exists ({arn})",
    )
