"""ListTrainingJobs: filters, order and pages."""

import base64
import binascii
from datetime import datetime
from typing import Any

from local.aws.sagemaker.errors import invalid, not_emulated
from local.aws.sagemaker.store import Job, JobStore

_PAGE = 10
_SORT = {"Name": "TrainingJobName", "CreationTime": "CreationTime", "Status": "TrainingJobStatus"}
_SUMMARY = (
    "TrainingJobName",
    "TrainingJobArn",
    "CreationTime",
    "TrainingEndTime",
    "LastModifiedTime",
    "TrainingJobStatus",
    "SecondaryStatus",
)


def list_training_jobs(store: JobStore, request: dict[str, Any]) -> dict[str, Any]:
    """Return the summaries that match, newest first unless asked otherwise.

    Raises SageMakerError for a NextToken that is none of ours.
    """
    for name in ("WarmPoolStatusEquals", "TrainingPlanArnEquals"):
        if name in request:
            raise not_emulated(f"ListTrainingJobs.{name}")
    records = [job.snapshot() for job in store.here() if _matches(job, request)]
    records.sort(
        key=lambda record: record[_SORT[request.get("SortBy", "CreationTime")]],
        reverse=request.get("SortOrder", "Descending") == "Descending",
    )
    begin = _offset(request.get("NextToken"))
    end = begin + request.get("MaxResults", _PAGE)
    answer: dict[str, Any] = {
        "TrainingJobSummaries": [
            {key: record[key] for key in _SUMMARY if key in record} for record in records[begin:end]
        ]
    }
    if end < len(records):
        answer["NextToken"] = base64.b64encode(str(end).encode()).decode()
    return answer


def _matches(job: Job, request: dict[str, Any]) -> bool:
    record = job.record
    return (
        request.get("NameContains", "").lower() in job.name.lower()
        and request.get("StatusEquals", job.status) == job.status
        and all(
            _epoch(request.get(f"{member}After", 0)) <= record[member]
            and record[member] <= _epoch(request.get(f"{member}Before", float("inf")))
            for member in ("CreationTime", "LastModifiedTime")
        )
    )


def _epoch(value: float | str) -> float:
    if isinstance(value, str):
        return datetime.fromisoformat(value).timestamp()
    return value


def _offset(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.b64decode(token, validate=True))
    except (binascii.Error, ValueError) as error:
        raise invalid("Invalid NextToken.") from error
