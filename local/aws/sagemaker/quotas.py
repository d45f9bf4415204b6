"""The account's quota of jobs in progress, per kind of job and instance type."""

import re

from local.aws.sagemaker.errors import SageMakerError
from local.aws.sagemaker.settings import JobSettings
from local.aws.sagemaker.store import TERMINAL, Job, JobStore

_RESOURCES = {"TrainingJob": "ResourceConfig", "TransformJob": "TransformResources"}


def check_quota(settings: JobSettings, store: JobStore, instance_type: str) -> None:
    """Raise SageMakerError where one more job of the store's kind would be too many."""
    running = [job for job in store.here() if _runs_on(job, instance_type)]
    if len(running) >= settings.parallel:
        kind = re.sub("([a-z])([A-Z])", r"\1 \2", running[0].KIND).lower()
        raise SageMakerError(
            "ResourceLimitExceeded",
            f"The account-level service limit '{instance_type} for {kind} usage' is "
            f"{settings.parallel} Instances, with current utilization of {len(running)} "
            "Instances and a request delta of 1 Instances. Please use AWS Service Quotas to "
            "request an increase for this quota.",
        )


def _runs_on(job: Job, instance_type: str) -> bool:
    resources = job.record[_RESOURCES[job.KIND]]
    return job.status not in TERMINAL and resources["InstanceType"] == instance_type
