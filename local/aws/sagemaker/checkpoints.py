"""Checkpoints: restored from S3 before the entry point starts, copied to S3 while it runs.

SageMaker "copies checkpoint data to S3 as it is created" and puts it back when a job starts with
the same S3Uri ("Checkpoints in Amazon SageMaker"). Like there, a file that the job deletes stays
in S3.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.aws.sagemaker.channels import download
from local.aws.sagemaker.layout import JobFolder
from local.aws.sagemaker.s3_access import JobS3

_DEFAULT_PATH = "/opt/ml/checkpoints"
_INTERVAL_SECONDS = 0.2


class Checkpoints:
    """The checkpoint folder of one job; does nothing for a job without CheckpointConfig."""

    def __init__(self, s3: JobS3, folder: JobFolder, record: dict[str, Any]) -> None:
        config = record.get("CheckpointConfig")
        self._s3 = s3
        self._uri = config["S3Uri"].rstrip("/") if config else None
        self._folder = folder.inside((config or {}).get("LocalPath", _DEFAULT_PATH))
        self._seen: dict[Path, tuple[int, int]] = {}
        self._finish = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._error: ClientError | None = None

    def restore(self, stopped: Callable[[], bool]) -> None:
        """Download what an earlier job left. May raise botocore's ClientError."""
        if self._uri:
            download(self._s3, f"{self._uri}/", self._folder, stopped)
            self._seen = dict(self._files())

    def start(self) -> None:
        """Begin to follow the folder."""
        if self._uri:
            self._thread.start()

    def finish(self) -> None:
        """Copy the last changes. Raises the ClientError that any copy met."""
        if self._uri:
            self._finish.set()
            self._thread.join()
            self._copy()
            if self._error:
                raise self._error

    def _follow(self) -> None:
        while not self._finish.wait(_INTERVAL_SECONDS) and not self._error:
            try:
                self._copy()
            except ClientError as error:
                self._error = error

    def _copy(self) -> None:
        for path, state in self._files():
            if self._seen.get(path) == state:
                continue
            try:
                self._s3.upload(path, f"{self._uri}/{path.relative_to(self._folder).as_posix()}")
            except FileNotFoundError:
                continue  # renamed by the job in the meantime: its new name follows
            self._seen[path] = state

    def _files(self) -> list[tuple[Path, tuple[int, int]]]:
        found = []
        for path in sorted(self._folder.rglob("*")):
            try:
                if path.is_file():
                    stat = path.stat()
                    found.append((path, (stat.st_mtime_ns, stat.st_size)))
            except FileNotFoundError:
                continue
        return found
