"""ListTrainingJobs and ListTransformJobs: filters, order and pages."""

import base64
import binascii
from datetime import datetime
from typing import Any

from local.aws.sagemaker.errors import invalid, not_emulated
from local.aws.sagemaker.store import Job, JobStore

_PAGE = 10
_SUMMARIES = {
    "TrainingJob": ("Name", "Arn", "EndTime", "Status", "SecondaryStatus"),
    "TransformJob": ("Name", "Arn", "EndTime", "Status", "FailureReason"),
}
_TIMES = ("CreationTime", "LastModifiedTime")


def list_jobs(store: JobStore, kind: str, request: dict[str, Any]) -> dict[str, Any]:
    """Return the summaries that match, newest first unless asked otherwise.

    `kind` is TrainingJob or TransformJob. Raises SageMakerError for a NextToken that is none of
    ours.
    """
    for name in ("WarmPoolStatusEquals", "TrainingPlanArnEquals"):
        if name in request:
            raise not_emulated(f"List{kind}s.{name}")
    summaries = [_summary(job) for job in store.here()]
    summaries = [summary for summary in summaries if _matches(summary, kind, request)]
    by = request.get("SortBy", "CreationTime")
    summaries.sort(
        key=lambda summary: summary[by if by == "CreationTime" else f"{kind}{by}"],
        reverse=request.get("SortOrder", "Descending") == "Descending",
    )
    begin = _offset(request.get("NextToken"))
    end = begin + request.get("MaxResults", _PAGE)
    answer: dict[str, Any] = {f"{kind}Summaries": summaries[begin:end]}
    if end < len(summaries):
        answer["NextToken"] = base64.b64encode(str(end).encode()).decode()
    return answer


def _summary(job: Job) -> dict[str, Any]:
    record = job.snapshot()
    verb = job.KIND.removesuffix("Job")
    names = {"Name": f"{job.KIND}Name", "Arn": f"{job.KIND}Arn", "Status": f"{job.KIND}Status"}
    names["EndTime"] = f"{verb}EndTime"
    wanted = ["CreationTime", *(names.get(name, name) for name in _SUMMARIES[job.KIND])]
    times = [record.get(f"{verb}{when}", 0) for when in ("StartTime", "EndTime")]
    # A transform job's description has no such member, its summary has.
    modified = record.get("LastModifiedTime", max(record["CreationTime"], *times))
    summary = {name: record[name] for name in wanted if name in record}
    return {**summary, "LastModifiedTime": modified}


def _matches(summary: dict[str, Any], kind: str, request: dict[str, Any]) -> bool:
    status = summary[f"{kind}Status"]
    return (
        request.get("NameContains", "").lower() in summary[f"{kind}Name"].lower()
        and request.get("StatusEquals", status) == status
        and all(
            _epoch(request.get(f"{member}After", 0)) <= summary[member]
            and summary[member] <= _epoch(request.get(f"{member}Before", float("inf")))
            for member in _TIMES
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
