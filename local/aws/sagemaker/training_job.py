"""The life of one training job, from its instance to its artifacts, on a thread of its own."""

import threading
import time
from typing import Any

from botocore.exceptions import ClientError

from local.aws.sagemaker import artifacts, channels, images
from local.aws.sagemaker.checkpoints import Checkpoints
from local.aws.sagemaker.errors import SageMakerError
from local.aws.sagemaker.layout import JobFolder
from local.aws.sagemaker.logs import LogStream
from local.aws.sagemaker.metrics import LogMetrics
from local.aws.sagemaker.process import STOPPED, TIMED_OUT, EntryPoint, Outcome
from local.aws.sagemaker.s3_access import JobS3, reason
from local.aws.sagemaker.settings import JobSettings
from local.aws.sagemaker.status import advance
from local.aws.sagemaker.store import Job, JobStore

INTERNAL_ERROR = "InternalServerError: We encountered an internal error. Please try again."


def start(settings: JobSettings, store: JobStore, job: Job) -> None:
    """Run `job` in the background; its status tells the rest."""
    run = TrainingRun(settings, store, job)
    threading.Thread(target=run.run, name=f"training-job {job.name}", daemon=True).start()


def stop(store: JobStore, job: Job) -> None:
    """Ask a running job to stop: SIGTERM, and later SIGKILL."""
    if job.status == "InProgress" and advance(store, job, "Stopping"):
        job.stop.set()
        job.wake.set()


class TrainingRun:
    """Everything that happens to one job. However it ends, the job ends too: never stuck."""

    def __init__(self, settings: JobSettings, store: JobStore, job: Job) -> None:
        self._settings = settings
        self._store = store
        self._job = job
        self._folder = JobFolder(settings, job)
        self._s3 = JobS3.of(job)
        self._checkpoints = Checkpoints(self._s3, self._folder, job.record)
        algorithm = job.record["AlgorithmSpecification"]
        self._metrics = LogMetrics(algorithm.get("MetricDefinitions", []))

    def run(self) -> None:
        """Run the job to its end."""
        try:
            self._folder.create_for_training(self._job.record)
            limit = self._download()
            if self._job.stop.is_set():
                advance(self._store, self._job, "Stopped")
            else:
                self._finish(*self._train(*limit))
        except SageMakerError as error:
            self._fail(f"{error.code}: {error.message}")
        except ClientError as error:
            self._fail(f"ClientError: Data download failed:{reason(error)}")
        finally:
            self._fail(INTERNAL_ERROR)  # no effect on a job that has ended
            self._folder.remove()

    def _download(self) -> tuple[float, str]:
        """Fetch the inputs; return the deadline (time.monotonic) and what passing it is called."""
        job, record = self._job, self._job.record
        advance(self._store, job, "Downloading")
        limit = self._limit(record)
        for channel in record.get("InputDataConfig", []):
            uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
            folder = self._folder.channel(channel["ChannelName"])
            channels.download(self._s3, uri, folder, job.stop.is_set)
        self._checkpoints.restore(job.stop.is_set)
        return limit

    @staticmethod
    def _limit(record: dict[str, Any]) -> tuple[float, str]:
        stopping, now = record["StoppingCondition"], time.monotonic()
        runtime = float(stopping["MaxRuntimeInSeconds"])
        waited = time.time() - record["CreationTime"]
        wait = stopping.get("MaxWaitTimeInSeconds", float("inf")) - waited
        if wait < runtime:
            return now + wait, "MaxWaitTimeExceeded"
        return now + runtime, "MaxRuntimeExceeded"

    def _train(self, deadline: float, exceeded: str) -> tuple[Outcome, str]:
        """Run the entry point; return how it ended and the last status if it did not fail."""
        job, record = self._job, self._job.record
        image = record["AlgorithmSpecification"]["TrainingImage"]
        command = images.command(self._settings, image, "train")
        advance(self._store, job, "Training")
        log = LogStream(job)

        def on_line(line: str) -> None:
            log.write(line)
            self._metrics.read(line)

        environment = images.environment(
            self._settings,
            self._folder,
            record.get("Environment", {}),
            TRAINING_JOB_NAME=record["TrainingJobName"],
            TRAINING_JOB_ARN=record["TrainingJobArn"],
        )
        try:
            entry = EntryPoint(
                command, environment, self._folder.home, self._folder.alive, on_line, job.wake
            )
        except OSError as error:
            raise SageMakerError(
                "AlgorithmError",
                "CannotStartContainerError. Please ensure the model container starts correctly "
                f"when invoked with 'docker run <image> train': {error}",
            ) from error
        job.process = entry.group
        self._store.save()
        self._checkpoints.start()
        outcome = entry.wait(job.stop, deadline, self._settings.stop_grace)
        job.process = None
        log.close()
        if outcome.how == TIMED_OUT:
            advance(self._store, job, "Stopping")
            return outcome, exceeded
        return outcome, "Completed"

    def _finish(self, outcome: Outcome, last: str) -> None:
        """Upload what the job made and give it its last status."""
        job, record = self._job, self._job.record
        failed = outcome.how not in (STOPPED, TIMED_OUT) and outcome.exit_code != 0
        members: dict[str, Any] = {}
        try:
            self._checkpoints.finish()
            artifacts.upload_output(self._s3, self._folder, record)
            if not failed:
                advance(self._store, job, "Uploading")
                uri = artifacts.upload_model(self._s3, self._folder, record)
                members["ModelArtifacts"] = {"S3ModelArtifacts": uri}
        except ClientError as error:
            raise SageMakerError(
                "ClientError", f"Artifact upload failed:{reason(error)}"
            ) from error
        final = self._metrics.final()
        if final:
            members["FinalMetricDataList"] = final
        if failed:
            text = f"{self._folder.failure()[:1024]}, exit code: {outcome.exit_code}"
            members["FailureReason"] = f"AlgorithmError: {text}"
            last = "Failed"
        advance(self._store, job, last, **members)

    def _fail(self, failure: str) -> None:
        advance(self._store, self._job, "Failed", FailureReason=failure)
