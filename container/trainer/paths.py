"""SageMaker's folders: /opt/ml in a job, any folder (ML_ROOT) elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Paths:
    """Where a training job reads and writes."""

    root: Path

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Paths":
        """Return the folders under ML_ROOT, which SageMaker leaves at /opt/ml."""
        return cls(Path(environ.get("ML_ROOT", "/opt/ml")))

    @property
    def hyperparameters(self) -> Path:
        return self.root / "input" / "config" / "hyperparameters.json"

    @property
    def model(self) -> Path:
        """What lies here at the end becomes model.tar.gz."""
        return self.root / "model"

    @property
    def failure(self) -> Path:
        """Its first 1,024 characters become the job's FailureReason."""
        return self.root / "output" / "failure"

    @property
    def checkpoints(self) -> Path:
        """Synchronised with S3 while the job runs; absent unless the job asks for checkpoints."""
        return self.root / "checkpoints"

    def channel(self, name: str) -> Path:
        """The folder of an input channel; absent when the job has no such channel."""
        return self.root / "input" / "data" / name
