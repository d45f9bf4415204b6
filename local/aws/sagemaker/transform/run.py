"""The life of one transform job, from its instance to the last answer, on a thread of its own.

A job that fails on one object goes on with the others and keeps their answers; the object that
failed has none ("Use Batch Transform to Get Inferences from Large Datasets", SageMaker Developer
Guide).
"""

import tarfile
import threading
import time
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from local.aws.sagemaker.errors import SageMakerError
from local.aws.sagemaker.layout import JobFolder
from local.aws.sagemaker.logs import LogStream
from local.aws.sagemaker.s3_access import JobS3, reason, split
from local.aws.sagemaker.settings import JobSettings
from local.aws.sagemaker.store import Job, JobStore
from local.aws.sagemaker.training_job import INTERNAL_ERROR
from local.aws.sagemaker.transform.container import Container
from local.aws.sagemaker.transform.inputs import Source, sources
from local.aws.sagemaker.transform.requests import Choice, Output, Requests
from local.aws.sagemaker.transform.status import advance

# What DescribeTransformJob says of every failure at an object; the data log says which.
_SEE_LOGS = "See job logs for more information"


def start(settings: JobSettings, store: JobStore, job: Job, model: dict[str, Any]) -> None:
    """Run `job` with the record of its `model` in the background; its status tells the rest."""
    run = TransformRun(settings, store, job, model)
    threading.Thread(target=run.run, name=f"transform-job {job.name}", daemon=True).start()


class TransformRun:
    """Everything that happens to one job. However it ends, the job ends too: never stuck."""

    def __init__(
        self, settings: JobSettings, store: JobStore, job: Job, model: dict[str, Any]
    ) -> None:
        self._settings = settings
        self._store = store
        self._job = job
        self._model = model
        self._folder = JobFolder(settings, job)
        self._s3 = JobS3(job.account, job.region, model["ExecutionRoleArn"])

    def run(self) -> None:
        """Run the job to its end."""
        try:
            self._folder.create()
            self._unpack()
            found = sources(
                self._s3, self._job.record["TransformInput"]["DataSource"]["S3DataSource"]
            )
            self._serve(found)
            advance(self._store, self._job, "Completed")
        except SageMakerError as error:
            self._fail(f"{error.code}: {error.message}")
        except ClientError as error:
            self._fail(f"ClientError: Data download failed:{reason(error)}")
        finally:
            self._fail(INTERNAL_ERROR)  # no effect on a job that has ended
            self._folder.remove()

    def _unpack(self) -> None:
        uri = self._model["PrimaryContainer"]["ModelDataUrl"]
        archive = self._folder.base / "model.tar.gz"
        self._s3.download(*split(uri), archive)
        try:
            with tarfile.open(archive, "r:gz") as tar:
                tar.extractall(self._folder.model, filter="data")
        except (tarfile.TarError, OSError) as error:
            told = f"Failed to extract model data archive from {uri}: {error}"
            raise SageMakerError("ClientError", told) from error

    def _serve(self, found: list[Source]) -> None:
        """Start the container, ask it about every object, and end it."""
        job = self._job
        if job.stop.is_set():
            return
        log, data_log = LogStream(job), LogStream(job, "/data-log")
        container = None
        try:
            image = self._model["PrimaryContainer"]["Image"]
            container = Container(
                self._settings, self._folder, job, image, self._environment(), log.write
            )
            job.process = container.group
            advance(self._store, job, job.status, TransformStartTime=time.time())
            if not container.ready(self._settings.ping):
                data_log.write("[sagemaker logs]: The container did not pass the /ping check")
                raise SageMakerError("AlgorithmError", _SEE_LOGS)
            self._ask(container, found, data_log)
        finally:
            if container is not None:
                container.close()
            job.process = None
            log.close()
            data_log.close()

    def _ask(self, container: Container, found: list[Source], data_log: LogStream) -> None:
        choice = Choice.of(self._job.record, container.parameters())
        data_log.write(
            f"[sagemaker logs]: MaxConcurrentTransforms={choice.concurrency}, "
            f"MaxPayloadInMB={choice.payload_mb}, BatchStrategy={choice.strategy}"
        )
        stopped = self._job.stop.is_set
        requests = Requests(container, self._job.record, choice, data_log.write, stopped)
        faults = []
        for output in requests.run(self._fetched(found, container)):
            if output.fault:
                faults.append(output.fault)
            else:
                self._upload(output)
            output.given.unlink()
            output.answers.unlink()
        if faults or (container.ended.is_set() and not stopped()):
            raise SageMakerError((faults or ["AlgorithmError"])[0], _SEE_LOGS)

    def _fetched(self, found: list[Source], container: Container) -> Iterator[Output]:
        for number, source in enumerate(found):
            if self._job.stop.is_set() or container.ended.is_set():
                return
            given = self._folder.base / f"{number}.in"
            self._s3.download(source.bucket, source.key, given)
            yield Output(source, given, given.with_suffix(".out"))

    def _upload(self, output: Output) -> None:
        place = self._job.record["TransformOutput"]
        uri = f"{place['S3OutputPath'].rstrip('/')}/{output.source.path}.out"
        try:
            self._s3.upload(output.answers, uri, place.get("KmsKeyId") or None)
        except ClientError as error:
            told = f"Artifact upload failed:{reason(error)}"
            raise SageMakerError("ClientError", told) from error

    def _environment(self) -> dict[str, str]:
        """The model's variables, the job's over them, and what the request says of batches."""
        record = self._job.record
        told = {
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": record.get("MaxPayloadInMB"),
            "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": record.get("MaxConcurrentTransforms"),
            "SAGEMAKER_BATCH_STRATEGY": {
                "SingleRecord": "SINGLE_RECORD",
                "MultiRecord": "MULTI_RECORD",
            }.get(record.get("BatchStrategy", "")),
        }
        return {
            **self._model["PrimaryContainer"].get("Environment", {}),
            **record.get("Environment", {}),
            **{name: str(value) for name, value in told.items() if value},
        }

    def _fail(self, failure: str) -> None:
        advance(self._store, self._job, "Failed", FailureReason=failure)
