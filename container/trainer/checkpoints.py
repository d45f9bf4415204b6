"""Checkpoints of a fit, so that a spot interruption costs a part of the work and changes nothing.

SageMaker copies the folder to S3 while the job runs and back before it starts again. A name is the
digest of everything that the fit depends on, so a checkpoint of other data or code is never found.
A checkpoint is a pickle: only the job's own role may write to its prefix. The digest file beside
it tells a copy that was cut off in the middle.
"""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one fit: `key` names the fit, `folder` holds its newest stage."""

    folder: Path
    key: str

    def save(self, estimator: Any, stages: int) -> None:
        """Keep an estimator fitted so far; the stage before it stays until the new one is whole."""
        content = _dump(estimator)
        target = self.folder / f"{self.key}-{stages:06d}.joblib"
        _write(target, content)
        _write(_digest_path(target), hashlib.sha256(content).hexdigest().encode())
        for older in self._stored():
            if older != target:
                older.unlink()
                _digest_path(older).unlink(missing_ok=True)

    def newest(self) -> Any | None:
        """Return the estimator of the newest whole checkpoint, or None."""
        for path in reversed(self._stored()):
            content, digest = path.read_bytes(), _digest_path(path)
            whole = hashlib.sha256(content).hexdigest().encode()
            if digest.is_file() and digest.read_bytes() == whole:
                return joblib.load(io.BytesIO(content))
        return None

    def _stored(self) -> list[Path]:
        return sorted(self.folder.glob(f"{self.key}-*.joblib"))


def checkpoints_in(folder: Path, facts: Mapping[str, Any]) -> Checkpoints | None:
    """Return the checkpoints of the fit that `facts` describe; None where the job keeps none."""
    if not folder.is_dir():
        return None
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return Checkpoints(folder, key[:32])


def _dump(estimator: Any) -> bytes:
    stream = io.BytesIO()
    joblib.dump(estimator, stream)
    return stream.getvalue()


def _digest_path(path: Path) -> Path:
    return path.with_suffix(".sha256")


def _write(path: Path, content: bytes) -> None:
    partial = path.with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(path)
