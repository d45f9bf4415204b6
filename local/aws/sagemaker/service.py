"""SageMaker as a service of MiniStack: the JSON protocol, dispatch, and state.

MiniStack 1.5.33 has no SageMaker. This object has what its service modules have
(handle_request, reset, get_state, load_persisted_state) and is entered in its registry by
`local.aws.sagemaker.install`.
"""

import json
import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from ministack.core.concurrency import run_reentrant
from ministack.core.responses import error_response_json, json_response
from ministack.core.router import extract_access_key_id

from local.aws.sagemaker import roles
from local.aws.sagemaker.errors import SageMakerError, not_emulated
from local.aws.sagemaker.layout import JobFolder
from local.aws.sagemaker.listing import list_jobs
from local.aws.sagemaker.model_check import check, service_model
from local.aws.sagemaker.models import Models, model_arn
from local.aws.sagemaker.operations import TrainingJobs, job_arn
from local.aws.sagemaker.process import kill_group, kill_orphan
from local.aws.sagemaker.settings import JobSettings
from local.aws.sagemaker.status import advance
from local.aws.sagemaker.store import TERMINAL, Job, JobStore, StateFile, TransformJob
from local.aws.sagemaker.tags import Tags
from local.aws.sagemaker.training_job import INTERNAL_ERROR
from local.aws.sagemaker.transform import status as transform_status
from local.aws.sagemaker.transform.operations import TransformJobs, transform_arn

logger = logging.getLogger("sagemaker")

_CONTENT_TYPE = "application/x-amz-json-1.1"
Operation = Callable[[dict[str, Any]], dict[str, Any]]


# What each operation would create: the member of its name, and its ARN.
_CREATED: dict[str, tuple[str, Callable[[str], str]]] = {
    "CreateTrainingJob": ("TrainingJobName", job_arn),
    "CreateTransformJob": ("TransformJobName", transform_arn),
    "CreateModel": ("ModelName", model_arn),
}


class SageMakerService:
    """The local SageMaker: training jobs, models and transform jobs.

    Every other operation is refused by its name.
    """

    def __init__(self, settings: JobSettings) -> None:
        self._settings = settings
        self._file = StateFile()
        self._training = JobStore(self._file)
        self._transforms = JobStore(self._file, "transform_jobs", TransformJob)
        self._models = Models(self._file)
        self.training_jobs = TrainingJobs(settings, self._training)
        self.transform_jobs = TransformJobs(settings, self._transforms, self._models)
        sources = (self._training.here, self._transforms.here, self._models.here)
        tags = Tags(sources, self._file.save)
        self._operations: dict[str, Operation] = {
            "CreateTrainingJob": self.training_jobs.create,
            "DescribeTrainingJob": self.training_jobs.describe,
            "StopTrainingJob": self.training_jobs.stop,
            "ListTrainingJobs": partial(list_jobs, self._training, "TrainingJob"),
            "CreateModel": self._models.create,
            "DescribeModel": self._models.describe,
            "DeleteModel": self._models.delete,
            "CreateTransformJob": self.transform_jobs.create,
            "DescribeTransformJob": self.transform_jobs.describe,
            "StopTransformJob": self.transform_jobs.stop,
            "ListTransformJobs": partial(list_jobs, self._transforms, "TransformJob"),
            "AddTags": tags.add,
            "DeleteTags": tags.delete,
            "ListTags": tags.list,
        }

    def call(
        self, operation: str, request: dict[str, Any], access_key: str | None = None
    ) -> dict[str, Any]:
        """Answer one operation; raise SageMakerError where it is refused.

        `access_key` is the caller's, where MiniStack has authenticated a request with it.
        """
        if operation not in service_model().operation_names:
            raise SageMakerError("UnknownOperationException", f"{operation} is no operation.")
        if operation not in self._operations:
            raise not_emulated(f"sagemaker:{operation}")
        check(operation, request)
        if operation in _CREATED and access_key is not None:
            name, arn = _CREATED[operation]
            roles.check_caller(access_key, request, arn(request[name]))
        return self._operations[operation](request)

    async def handle_request(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes | str,
        query_params: dict[str, Any],
    ) -> tuple[int, dict[str, str], bytes]:
        """Answer an HTTP request, on a thread: creating a job calls back into this server."""
        del method, path
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        try:
            request = json.loads(body or b"{}")
            access_key = extract_access_key_id(headers, query_params)
            answer = await run_reentrant(self.call, operation, request, access_key)
        except json.JSONDecodeError as error:
            return _error(SageMakerError("SerializationException", str(error)))
        except SageMakerError as error:
            return _error(error)
        return json_response(answer, content_type=_CONTENT_TYPE)  # type: ignore[no-any-return]

    def reset(self) -> None:
        """Forget everything (MiniStack's /_ministack/reset)."""
        self._training.clear()
        self._transforms.clear()
        self._models.clear()

    def get_state(self) -> None:
        """Return nothing, so that MiniStack leaves the state file to us.

        It is written at every change; two writers would write over each other.
        """

    def load_persisted_state(self, state: dict[str, Any]) -> None:
        """Take on saved jobs. One that was in progress has failed: its instance is gone."""
        self._models.load(state)
        self._training.load(state)
        self._transforms.load(state)
        lost = [job for job in self._jobs() if job.status not in TERMINAL]
        for job in lost:
            folder = JobFolder(self._settings, job)
            kill_orphan(job.process, folder.alive)
            folder.remove()
            job.process = None
            logger.warning("%s %s did not survive the restart", job.KIND, job.name)
        # Its event may start what calls back into this server, so not on the server's loop.
        threading.Thread(target=self._fail, args=(lost,), daemon=True).start()

    def close(self) -> None:
        """End what still runs, when the server does; their records stay as they are."""
        self._training.close()
        self._transforms.close()
        self._file.close()
        for job in self._jobs():
            if job.process is not None:
                kill_group(job.process)

    def _jobs(self) -> list[Job]:
        return [*self._training.everywhere(), *self._transforms.everywhere()]

    def _fail(self, jobs: list[Job]) -> None:
        for job in jobs:
            if isinstance(job, TransformJob):
                change, store = transform_status.advance, self._transforms
            else:
                change, store = advance, self._training
            change(store, job, "Failed", FailureReason=INTERNAL_ERROR)


def _error(error: SageMakerError) -> tuple[int, dict[str, str], bytes]:
    response: tuple[int, dict[str, str], bytes] = error_response_json(
        error.code, error.message, 400, content_type=_CONTENT_TYPE
    )
    return response
