"""SageMaker as a service of MiniStack: the JSON protocol, dispatch, and state.

MiniStack 1.5.33 has no SageMaker. This object has what its service modules have
(handle_request, reset, get_state, load_persisted_state) and is entered in its registry by
`local.aws.sagemaker.install`.
"""

import json
import logging
import threading
from collections.abc import Callable
from typing import Any

from ministack.core.concurrency import run_reentrant
from ministack.core.responses import error_response_json, json_response
from ministack.core.router import extract_access_key_id

from local.aws.sagemaker import roles
from local.aws.sagemaker.errors import SageMakerError, not_emulated
from local.aws.sagemaker.layout import JobFolder
from local.aws.sagemaker.listing import list_training_jobs
from local.aws.sagemaker.model_check import check, service_model
from local.aws.sagemaker.operations import TrainingJobs, job_arn
from local.aws.sagemaker.process import kill_group, kill_orphan
from local.aws.sagemaker.settings import JobSettings
from local.aws.sagemaker.status import advance
from local.aws.sagemaker.store import TERMINAL, Job, JobStore
from local.aws.sagemaker.training_job import INTERNAL_ERROR

logger = logging.getLogger("sagemaker")

_CONTENT_TYPE = "application/x-amz-json-1.1"
Operation = Callable[[dict[str, Any]], dict[str, Any]]


class SageMakerService:
    """The local SageMaker: training jobs. Every other operation is refused by its name."""

    def __init__(self, settings: JobSettings, store: JobStore) -> None:
        self._settings = settings
        self._store = store
        self.training_jobs = TrainingJobs(settings, store)
        self._operations: dict[str, Operation] = {
            "CreateTrainingJob": self.training_jobs.create,
            "DescribeTrainingJob": self.training_jobs.describe,
            "StopTrainingJob": self.training_jobs.stop,
            "ListTrainingJobs": lambda request: list_training_jobs(store, request),
            "AddTags": self.training_jobs.add_tags,
            "DeleteTags": self.training_jobs.delete_tags,
            "ListTags": self.training_jobs.list_tags,
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
        if operation == "CreateTrainingJob" and access_key is not None:
            roles.check_caller(access_key, request, job_arn(request["TrainingJobName"]))
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
        self._store.clear()

    def get_state(self) -> None:
        """Return nothing, so that MiniStack leaves the state file to the store.

        The store writes it at every change; two writers would write over each other.
        """

    def load_persisted_state(self, state: dict[str, Any]) -> None:
        """Take on saved jobs. One that was in progress has failed: its instance is gone."""
        self._store.load(state)
        lost = [job for job in self._store.everywhere() if job.status not in TERMINAL]
        for job in lost:
            folder = JobFolder(self._settings, job)
            kill_orphan(job.process, folder.alive)
            folder.remove()
            job.process = None
            logger.warning("training job %s did not survive the restart", job.name)
        # Its event may start what calls back into this server, so not on the server's loop.
        threading.Thread(target=self._fail, args=(lost,), daemon=True).start()

    def close(self) -> None:
        """End what still runs, when the server does; their records stay as they are."""
        self._store.close()
        for job in self._store.everywhere():
            if job.process is not None:
                kill_group(job.process)

    def _fail(self, jobs: list[Job]) -> None:
        for job in jobs:
            advance(self._store, job, "Failed", FailureReason=INTERNAL_ERROR)


def _error(error: SageMakerError) -> tuple[int, dict[str, str], bytes]:
    response: tuple[int, dict[str, str], bytes] = error_response_json(
        error.code, error.message, 400, content_type=_CONTENT_TYPE
    )
    return response
