"""Where the local jobs run, and with what: read once, when the local AWS starts."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class JobSettings:
    """How a container image is stood in for.

    `image` is the only image URI that can be pulled; its entry points are the files
    `command_dir/train` and `serve`, run by the interpreter `python` with
    `python_path`. `directory` holds one folder per running job; `locks` one file for each,
    which outlives a killed server. `stop_grace` is the time in seconds between SIGTERM and
    SIGKILL (SageMaker: 120). `parallel` is the quota of jobs in progress per instance type.
    `ping` is how long in seconds `serve` may take until /ping says 200 (SageMaker: 30 minutes, by
    aws/amazon-sagemaker-examples issue 815).
    """

    image: str
    command_dir: Path
    python: Path
    python_path: str
    directory: Path
    locks: Path
    stop_grace: float = 10.0
    parallel: int = 4
    ping: float = 120.0

    @classmethod
    def load(cls, environ: Mapping[str, str]) -> "JobSettings":
        """Return the settings from `environ`; raise RuntimeError where a path is missing."""
        image = environ.get("LOCAL_JOB_IMAGE", "")
        directory = Path(
            environ.get("LOCAL_JOB_DIR") or Path(tempfile.gettempdir()) / "sagemaker-jobs"
        )
        settings = cls(
            image=image,
            command_dir=Path(environ.get("LOCAL_JOB_COMMAND_DIR", "")),
            python=Path(environ.get("LOCAL_JOB_PYTHON", "")),
            python_path=environ.get("LOCAL_JOB_PYTHONPATH", ""),
            directory=directory,
            locks=Path(environ.get("STATE_DIR") or directory) / "running-jobs",
            stop_grace=float(environ.get("LOCAL_JOB_STOP_GRACE_SECONDS", "10")),
            parallel=int(environ.get("LOCAL_JOB_PARALLEL", "4")),
            ping=float(environ.get("LOCAL_JOB_PING_SECONDS", "120")),
        )
        if image and not settings.command_dir.is_dir():
            raise RuntimeError(f"LOCAL_JOB_COMMAND_DIR is no directory: {settings.command_dir}")
        if image and not settings.python.is_file():
            raise RuntimeError(f"LOCAL_JOB_PYTHON is no interpreter: {settings.python}")
        return settings
