"""A transform job's status: when it changed, and who is told (DescribeTransformJob)."""

import time
from typing import Any

from local.aws.sagemaker import events
from local.aws.sagemaker.store import TERMINAL, Job, JobStore

_MAX_FAILURE_REASON = 1024


def advance(store: JobStore, job: Job, status: str, **members: Any) -> bool:
    """Take `job` to `status`, save it, and publish the event.

    Returns False, and changes nothing, where the job has already ended or the server is stopping.
    A job that was told to stop ends Stopped, even if it completed or failed by it.
    """
    now = time.time()
    with job.lock:
        if store.closed or job.status in TERMINAL:
            return False
        if job.status == "Stopping" and status in TERMINAL:
            status, members = "Stopped", {}
        if "FailureReason" in members:
            members["FailureReason"] = members["FailureReason"][:_MAX_FAILURE_REASON]
        if status in TERMINAL:
            members["TransformEndTime"] = now
        job.record.update(TransformJobStatus=status, **members)
        snapshot, tags = job.snapshot(), dict(job.tags)
    store.save()
    events.publish(job, snapshot, tags)
    if status in TERMINAL:
        job.ended.set()
    return True
