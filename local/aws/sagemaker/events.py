"""SageMaker's event on the default bus at each change of a job.

AWS sends "SageMaker Training Job State Change" and "SageMaker Transform Job State Change" from
aws.sagemaker, the detail like that of the job's Describe operation with dates in epoch
milliseconds and tags as a map ("Automating Amazon SageMaker with Amazon EventBridge", SageMaker
Developer Guide). Delivery there is best effort and may repeat; here each event comes once.
"""

import json
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import eventbridge

from local.aws.sagemaker.store import Job
from local.aws.sagemaker.timestamps import in_milliseconds

_DETAIL_TYPES = {
    "TrainingJob": "SageMaker Training Job State Change",
    "TransformJob": "SageMaker Transform Job State Change",
}


def detail(job: Job, record: dict[str, Any], tags: dict[str, str]) -> dict[str, Any]:
    """Return a job as events and Step Functions' results show it."""
    return {**in_milliseconds(f"Describe{job.KIND}", record), "Tags": tags}


def publish(job: Job, record: dict[str, Any], tags: dict[str, str]) -> None:
    """Put the state change of `job` on the default bus of its account and Region."""
    entry = {
        "Source": "aws.sagemaker",
        "DetailType": _DETAIL_TYPES[job.KIND],
        "Resources": [job.arn],
        "Detail": json.dumps(detail(job, record, tags)),
    }
    with request_scope(job.account, job.region):
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
