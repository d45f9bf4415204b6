"""Run jobs of one model from its queue, and answer what its releases ask.

The model is loaded at import, on purpose: a version is (code, model), as in serving/predict.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from boringml.adapters.callback_endpoints import CallbackEndpoints
from boringml.adapters.callback_queue import CallbackQueue
from boringml.adapters.job_queue import JobQueue
from boringml.adapters.jobs_table import JobsTable, Limits
from boringml.adapters.object_store import ObjectStore
from boringml.adapters.once import Once
from boringml.adapters.s3_get import S3Get
from boringml.errors import BoringError
from boringml.jobs.heartbeat import Heartbeat
from boringml.jobs.run_job import METRICS, Policy, TryAgainError, Worker
from boringml.serving.predict import Predictor
from boringml.serving.prediction_log import (
    PredictionLog,
    ProcessStart,
    line_constants,
    load_failure_line,
)
from boringml.serving.served_model import ServedModel
from boringml.settings import load

# A layer and its function have 250 MB; a model that needs more than half belongs elsewhere.
MAX_FILE_BYTES = 128 * 1024 * 1024
# With less time left, a message is left to the next invocation.
RESERVE_MS = 2_000
PATTERN = "async"


@dataclass(frozen=True)
class Settings:
    model_name: str
    model_runtime: str
    jobs_table: str
    results_bucket: str
    job_queue: str
    callback_queue: str
    callback_endpoints_table: str
    job_max_age_seconds: int
    job_closes_after_seconds: int
    job_keep_seconds: int
    idempotency_keep_seconds: int
    lease_seconds: int
    timeout_seconds: int
    attempts: int
    model_version: int = 0
    model_package: str = ""
    model_digest: str = ""
    metrics_namespace: str = "BoringML"
    feature_flags: str = ""
    aws_lambda_function_version: str = "none"


def _model(settings: Settings) -> ServedModel | None:
    """Return the released model, or None on the version that no release made."""
    if not settings.model_package:
        return None
    if settings.model_version < 1:
        raise BoringError("settings_missing", "Set the environment variable MODEL_VERSION.")
    # Each runtime is a layer of its own, and only one is there.
    if settings.model_runtime == "sklearn":
        from boringml.serving.joblib_model import load_joblib_model

        load_model: Callable[..., ServedModel] = load_joblib_model
    else:
        from boringml.serving.model import load_model as load_onnx_model

        load_model = load_onnx_model
    with S3Get.of(os.environ) as s3:
        return load_model(
            s3.folder(settings.model_package, MAX_FILE_BYTES),
            settings.model_name,
            settings.model_digest,
            settings.model_version,
        )


def _loaded(settings: Settings) -> ServedModel | None:
    try:
        return _model(settings)
    except Exception as error:
        # Whatever keeps a version from starting rings the alarm by name, then stops the start.
        told = {
            "model": settings.model_name,
            "model_version": str(settings.model_version),
            "function_version": settings.aws_lambda_function_version,
            "code": error.code if isinstance(error, BoringError) else "model_unusable",
            "message": str(error).encode(errors="replace").decode(),
        }
        sys.stdout.write(load_failure_line(told, settings.metrics_namespace))
        raise


def _print(line: str) -> None:
    # Looked up each time: Lambda's runtime puts its own stream there.
    sys.stdout.write(line)


_settings = load(Settings, os.environ)
_begin = time.perf_counter()
_loaded_model = _loaded(_settings)
# One of the process: the first line tells of it, be it a job's or a release's.
_start = ProcessStart((time.perf_counter() - _begin) * 1000 if _loaded_model else None)
_predictor = Predictor(
    _settings.model_name,
    _loaded_model,
    _settings.aws_lambda_function_version,
    namespace=_settings.metrics_namespace,
    pattern=PATTERN,
    flags=_settings.feature_flags,
    start=_start,
)
_dynamodb, _sqs = boto3.client("dynamodb"), boto3.client("sqs")
_queue = JobQueue(_sqs, _settings.job_queue)
_once = Once(_dynamodb, _settings.jobs_table, _settings.idempotency_keep_seconds)
_endpoints = CallbackEndpoints(_dynamodb, _settings.callback_endpoints_table)
_results = ObjectStore(boto3.client("s3"), _settings.results_bucket)
_worker = Worker(
    name=_settings.model_name,
    model=_loaded_model,
    jobs=JobsTable(
        _dynamodb,
        _settings.jobs_table,
        Limits(_settings.job_closes_after_seconds, _settings.job_keep_seconds),
    ),
    once=_once,
    store=_results.write,
    callbacks=CallbackQueue(_sqs, _settings.callback_queue),
    knows=lambda client, name: _endpoints.get(client, name) is not None,
    log=PredictionLog(
        line_constants(
            _settings.model_name,
            _loaded_model.version if _loaded_model else None,
            _loaded_model.contract.version if _loaded_model else None,
            _settings.aws_lambda_function_version,
            PATTERN,
            _settings.feature_flags,
        ),
        _settings.metrics_namespace,
        METRICS,
        _start,
    ),
    write=_print,
    policy=Policy(
        _settings.job_max_age_seconds,
        _settings.attempts,
        _settings.lease_seconds,
        _settings.timeout_seconds,
    ),
)
# A batch of which nothing succeeded is no failed invocation: each message failed for itself.
_processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def handler(event: dict[str, Any], context: Any) -> Any:
    """Return {"batchItemFailures"} of an SQS batch, or API Gateway's answer to anything else."""
    if "Records" not in event:
        return _predictor.answer(event, context.aws_request_id)
    _once.start(context)
    receipts = [record["receiptHandle"] for record in event["Records"]]
    with Heartbeat(receipts, _queue.hide, _settings.lease_seconds, _unrenewed) as heartbeat:

        def run(record: SQSRecord) -> None:
            try:
                if context.get_remaining_time_in_millis() < RESERVE_MS:
                    raise TryAgainError("out_of_time", 0)
                _worker.run_job(record.body, int(record.attributes.approximate_receive_count))
            except TryAgainError as again:
                _tell("WARNING", record, again.code, str(again))
                heartbeat.retry_in(record.receipt_handle, again.seconds)
                raise
            except Exception as error:
                code = error.code if isinstance(error, BoringError) else type(error).__name__
                _tell("ERROR", record, code, str(error))
                heartbeat.retry_in(record.receipt_handle, _settings.lease_seconds)
                raise

        return process_partial_response(event, run, _processor, context)


def _tell(level: str, record: SQSRecord, code: str, message: str) -> None:
    line: Mapping[str, Any] = {
        "level": level,
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "step": "run_job",
        "message_id": record.message_id,
        "receives": record.attributes.approximate_receive_count,
        "code": code,
        "message": message,
    }
    sys.stdout.write(json.dumps(line) + "\n")


def _unrenewed(error: Exception) -> None:
    line = {"level": "WARNING", "step": "run_job", "code": "lease_not_renewed"}
    sys.stdout.write(json.dumps({**line, "message": str(error)}) + "\n")
