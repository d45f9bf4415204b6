"""What SageMaker tells the process: which model, which port, and how batches come."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from boringml.errors import BoringError
from boringml.settings import load

# CreateTransformJob: 6 MB unless said otherwise; 0 is "no limit", where 100 MB is the most that
# any request may be asked to hold.
_DEFAULT_MB, _MOST_MB, _MB = 6, 100, 1024 * 1024


@dataclass(frozen=True)
class Settings:
    """The model's environment is that of CreateModel; the others are SageMaker's own.

    `ml_root` is /opt/ml in the image. `serve_host` is where a laptop says that it means itself.
    """

    model_name: str
    model_version: int
    model_digest: str
    ml_root: str = "/opt/ml"
    serve_host: str = "0.0.0.0"  # noqa: S104 - SageMaker calls from outside the container
    sagemaker_bind_to_port: int = 8080
    sagemaker_max_payload_in_mb: int = _DEFAULT_MB

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Settings":
        """Return the settings. Raises BoringError `settings_missing` or `settings_invalid`."""
        settings = load(cls, environ)
        if settings.model_version < 1 or settings.sagemaker_max_payload_in_mb < 0:
            told = "MODEL_VERSION starts at 1, and SAGEMAKER_MAX_PAYLOAD_IN_MB at 0."
            raise BoringError("settings_invalid", told)
        return settings

    @property
    def package(self) -> Path:
        """Where SageMaker unpacks model.tar.gz."""
        return Path(self.ml_root) / "model"

    @property
    def max_payload_mb(self) -> int:
        """The most megabytes of a request's body."""
        return self.sagemaker_max_payload_in_mb or _MOST_MB

    @property
    def max_payload_bytes(self) -> int:
        """The most bytes of a request's body."""
        return self.max_payload_mb * _MB


def processors() -> int:
    """Return how many processors this process may use: one worker on each."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
