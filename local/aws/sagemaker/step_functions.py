"""Step Functions' optimised integrations of SageMaker: createTrainingJob and createTransformJob,
plain and `.sync`, and createModel, which has no `.sync`.

AWS ("Create and manage Amazon SageMaker jobs with Step Functions"): `.sync` waits for the end of
the job; its result is the job as the state-change event shows it, PascalCase, dates in epoch
milliseconds, tags as a map. Completed and Stopped are results, Failed is States.TaskFailed with
the job as JSON in Cause. Refusals are SageMaker.ResourceLimitExceededException, or
SageMaker.AmazonSageMakerException for all else. The job gets the tags MANAGED_BY_AWS and
AWS_STEP_FUNCTIONS_EXECUTION_ARN. A timeout of the state, or the end of the execution, stops it.
MiniStack 1.5.33 has no SageMaker integration.

Seams: stepfunctions._SERVICE_DISPATCH and _AWS_SDK_ERROR_PREFIX.
"""

import json
from functools import partial
from typing import Any

from ministack.services import stepfunctions as sfn

from local.aws.sagemaker.errors import SageMakerError
from local.aws.sagemaker.events import detail
from local.aws.sagemaker.service import SageMakerService
from local.aws.sagemaker.store import Job
from local.aws.seams import seam
from local.aws.step_functions.running_task import current_task, ended

_PREFIX = "arn:aws:states:::sagemaker:create"
_POLL_SECONDS = 0.1


def install(service: SageMakerService) -> None:
    """Enter the integrations in MiniStack; raise SeamMissingError where a seam is gone."""
    dispatch = seam(sfn, "_SERVICE_DISPATCH")
    for kind in ("TrainingJob", "TransformJob", "Model"):
        dispatch[f"{_PREFIX}{kind}"] = partial(_create, service, kind)
    seam(sfn, "_AWS_SDK_ERROR_PREFIX")["sagemaker"] = "SageMaker"


def _create(service: SageMakerService, kind: str, resource: str, arguments: Any) -> dict[str, Any]:
    suffix = resource.removeprefix(f"{_PREFIX}{kind}")
    if suffix not in ("", ".sync") or (kind == "Model" and suffix):
        raise sfn._ExecutionError("States.Runtime", f"{resource} is no integration of AWS.")
    is_job = kind != "Model" and isinstance(arguments, dict)
    request = _with_tags(arguments) if is_job else arguments
    try:
        answer = service.call(f"Create{kind}", request)
    except SageMakerError as error:
        raise _refused(error) from error
    if not suffix:
        return answer
    jobs = service.training_jobs if kind == "TrainingJob" else service.transform_jobs
    return _wait(service, jobs.find(request[f"{kind}Name"]))


def _wait(service: SageMakerService, job: Job) -> dict[str, Any]:
    task = current_task()
    while not job.ended.wait(_POLL_SECONDS):
        if task is not None and task.given_up and job.status == "InProgress":
            service.call(f"Stop{job.KIND}", {f"{job.KIND}Name": job.name})
            raise ended()
    with job.lock:
        tags = dict(job.tags)
    result = detail(job, job.snapshot(), tags)
    if job.status == "Failed":
        raise sfn._ExecutionError("States.TaskFailed", json.dumps(result))
    return result


def _with_tags(arguments: dict[str, Any]) -> dict[str, Any]:
    task = current_task()
    added = {"MANAGED_BY_AWS": "STARTED_BY_STEP_FUNCTIONS"}
    if task is not None:
        added["AWS_STEP_FUNCTIONS_EXECUTION_ARN"] = task.execution["executionArn"]
    own = [tag for tag in arguments.get("Tags") or [] if tag.get("Key") not in added]
    tags = own + [{"Key": key, "Value": value} for key, value in added.items()]
    return {**arguments, "Tags": tags}


def _refused(error: SageMakerError) -> Exception:
    if error.code == "NotEmulatedException":
        loud: Exception = sfn._ExecutionError("States.Runtime", error.message)
        return loud
    name = "AmazonSageMakerException"
    if error.code == "ResourceLimitExceeded":
        name = "ResourceLimitExceededException"
    cause = (
        f"{error.message} (Service: AmazonSageMaker; Status Code: 400; Error Code: {error.code})"
    )
    refused: Exception = sfn._ExecutionError(f"SageMaker.{name}", cause)
    return refused
