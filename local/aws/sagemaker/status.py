"""A job's status: what each step is called, when it began, and who is told.

The words are those of DescribeTrainingJob (SecondaryStatus and its transitions, SageMaker API
reference); the messages are those that SageMaker shows for its own jobs.
"""

import time
from typing import Any

from local.aws.sagemaker import events
from local.aws.sagemaker.store import Job, JobStore

MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Stopping": "Stopping the training job",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
    "MaxWaitTimeExceeded": "Training job wait time exceeded MaxWaitTimeInSeconds provided",
}
_STATUS = {
    "Stopping": "Stopping",
    "Completed": "Completed",
    "Failed": "Failed",
    "Stopped": "Stopped",
    "MaxRuntimeExceeded": "Stopped",
    "MaxWaitTimeExceeded": "Stopped",
}
_MAX_FAILURE_REASON = 1024
_ENDED = {"Completed", "Failed", "Stopped"}


def first(now: float) -> dict[str, Any]:
    """Return the status members of a job that was created at `now` (epoch seconds)."""
    return {
        "TrainingJobStatus": "InProgress",
        "SecondaryStatus": "Starting",
        "SecondaryStatusTransitions": [
            {"Status": "Starting", "StartTime": now, "StatusMessage": MESSAGES["Starting"]}
        ],
    }


def advance(store: JobStore, job: Job, step: str, **members: Any) -> bool:
    """Take `job` to the secondary status `step`, save it, and publish the event.

    `members` are further members of the record. Returns False, and changes nothing, where the
    job has already ended or the server is stopping. A job that was told to stop ends Stopped,
    even if it completed. A FailureReason is cut to the 1,024 characters that SageMaker keeps.
    """
    now = time.time()
    with job.lock:
        record = job.record
        if store.closed or record["TrainingJobStatus"] in _ENDED:
            return False
        if step == "Completed" and record["TrainingJobStatus"] == "Stopping":
            step = "Stopped"
        status = _STATUS.get(step, record["TrainingJobStatus"])
        if "FailureReason" in members:
            members["FailureReason"] = members["FailureReason"][:_MAX_FAILURE_REASON]
        transition = {"Status": step, "StartTime": now, "StatusMessage": MESSAGES[step]}
        record["SecondaryStatusTransitions"][-1]["EndTime"] = now
        if status in _ENDED:
            transition["EndTime"] = now
            if "TrainingStartTime" in record:
                members |= _times(record, now)
        if step == "Downloading":
            members["TrainingStartTime"] = now
        record["SecondaryStatusTransitions"].append(transition)
        record.update(
            TrainingJobStatus=status, SecondaryStatus=step, LastModifiedTime=now, **members
        )
        snapshot, tags = job.snapshot(), dict(job.tags)
    store.save()
    events.publish(job, snapshot, tags)
    if status in _ENDED:
        job.ended.set()
    return True


def _times(record: dict[str, Any], now: float) -> dict[str, Any]:
    """The end of a job and its whole seconds, at least one; nothing local runs on spot prices."""
    seconds = max(1, round(now - record["TrainingStartTime"]))
    return {
        "TrainingEndTime": now,
        "TrainingTimeInSeconds": seconds,
        "BillableTimeInSeconds": seconds * record["ResourceConfig"]["InstanceCount"],
    }
