"""Answer predictions from a model in memory.

The model is loaded at import, on purpose: a version is (code, model), so what Lambda snapshots or
provisions can answer at once. A package that is not the registered one keeps it from starting.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from boringml.adapters.s3_get import S3Get
from boringml.errors import BoringError
from boringml.serving import prediction_log
from boringml.serving.model import Model, load_model
from boringml.serving.predict import Predictor
from boringml.settings import load

# A layer and its function have 250 MB; a model that needs more than half belongs elsewhere.
MAX_FILE_BYTES = 128 * 1024 * 1024


@dataclass(frozen=True)
class Settings:
    model_name: str
    model_version: int = 0
    model_package: str = ""
    model_digest: str = ""
    aws_lambda_function_version: str = "none"


def _load(settings: Settings) -> Model | None:
    if not settings.model_package:
        return None
    s3 = S3Get.of(os.environ)
    bucket, _, prefix = settings.model_package.removeprefix("s3://").partition("/")
    try:
        return load_model(
            lambda name: s3.fetch(bucket, prefix + name, MAX_FILE_BYTES),
            settings.model_digest,
            settings.model_version,
        )
    except Exception as error:
        # Whatever keeps a version from starting rings the alarm by name, then stops the start.
        told = {
            "model": settings.model_name,
            "model_version": str(settings.model_version),
            "code": error.code if isinstance(error, BoringError) else "model_unusable",
            "message": str(error),
        }
        sys.stdout.write(prediction_log.load_failure_line(told).decode())
        raise


_settings = load(Settings, os.environ)
_predictor = Predictor(
    _settings.model_name, _load(_settings), _settings.aws_lambda_function_version
)


def handler(event: Mapping[str, Any], _context: Any) -> dict[str, Any]:
    """Return API Gateway's answer to one record or a list of them."""
    return _predictor.answer(event)
