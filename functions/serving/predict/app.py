"""Answer predictions from a model in memory.

The model is loaded at import, on purpose: a version is (code, model), so what Lambda snapshots or
provisions can answer at once. A package that is not the registered one keeps it from starting.
"""

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from boringml.adapters.s3_get import S3Get
from boringml.errors import BoringError
from boringml.package import layout
from boringml.package.ahead import ahead
from boringml.settings import load

if TYPE_CHECKING:
    from boringml.serving.model import Model
    from boringml.serving.predict import Predictor

# A layer and its function have 250 MB; a model that needs more than half belongs elsewhere.
MAX_FILE_BYTES = 128 * 1024 * 1024
_FILES = (layout.MANIFEST, layout.ONNX_MODEL, layout.CONTRACT)


@dataclass(frozen=True)
class Settings:
    model_name: str
    model_version: int = 0
    model_package: str = ""
    model_digest: str = ""
    metrics_namespace: str = "BoringML"
    feature_flags: str = ""
    aws_lambda_function_version: str = "none"


def _model(settings: Settings) -> "Model | None":
    """Return the released model, or None on the version that no release made."""
    if not settings.model_package:
        return None
    if settings.model_version < 1:
        raise BoringError("settings_missing", "Set the environment variable MODEL_VERSION.")
    with S3Get.of(os.environ) as s3:
        files = ahead(s3.folder(settings.model_package, MAX_FILE_BYTES), _FILES)
        # Here, while the files are on their way: imports are most of a start.
        from boringml.serving.model import load_model

        return load_model(files, settings.model_name, settings.model_digest, settings.model_version)


def _start(settings: Settings) -> "Predictor":
    begin = time.perf_counter()
    try:
        model = _model(settings)
    except Exception as error:
        from boringml.serving.prediction_log import load_failure_line

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
    load_ms = (time.perf_counter() - begin) * 1000 if model else None
    from boringml.serving.predict import Predictor
    from boringml.serving.prediction_log import ProcessStart

    return Predictor(
        settings.model_name,
        model,
        settings.aws_lambda_function_version,
        namespace=settings.metrics_namespace,
        flags=settings.feature_flags,
        start=ProcessStart(load_ms),
    )


_predictor = _start(load(Settings, os.environ))


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Return API Gateway's answer to one record or a list of them."""
    return _predictor.answer(event, context.aws_request_id)
