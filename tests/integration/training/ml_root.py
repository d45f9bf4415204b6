"""A training job's folder, and the entry point run in it as SageMaker runs it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from local.datasets import write_churn

REPOSITORY = Path(__file__).resolve().parents[3]
TIMEOUT = 60


class MlRoot:
    """One job: what goes in below `root`, the process, and what comes out."""

    def __init__(self, root: Path, **hyperparameters: str) -> None:
        self.root = root
        self.train = root / "input" / "data" / "train"
        self.live = root / "input" / "data" / "live"
        self.model = root / "model"
        self.checkpoints = root / "checkpoints"
        self.train.mkdir(parents=True)
        config = root / "input" / "config"
        config.mkdir()
        values = {"model": "credit", **hyperparameters}
        (config / "hyperparameters.json").write_text(json.dumps(values))

    def start(self, repository: Path = REPOSITORY, **environment: str) -> "subprocess.Popen[str]":
        """Start `container/train` with nothing of this process's environment."""
        return subprocess.Popen(
            [sys.executable, str(repository / "container" / "train")],
            cwd=self.root,
            env={"PATH": os.environ["PATH"], "ML_ROOT": str(self.root), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, repository: Path = REPOSITORY, **environment: str) -> tuple[int, str]:
        """Return the exit code and all output."""
        process = self.start(repository, **environment)
        output, _ = process.communicate(timeout=TIMEOUT)
        return process.returncode, output

    def content(self, name: str) -> bytes:
        return (self.model / name).read_bytes()

    def document(self, name: str) -> Any:
        return json.loads(self.content(name))

    @property
    def failure(self) -> str:
        path = self.root / "output" / "failure"
        return path.read_text() if path.is_file() else ""


def image_tree(target: Path) -> Path:
    """Copy what container/Dockerfile copies from the repository, to where the image has it.

    Returns the folder that stands for /opt/boringml.
    """
    home = "/opt/boringml/"
    for line in (REPOSITORY / "container" / "Dockerfile").read_text().splitlines():
        if not line.startswith("COPY ") or line.startswith("COPY --from"):
            continue
        _, source, place = line.split()
        if not place.startswith(home):
            continue
        here, there = REPOSITORY / source, target / place.removeprefix(home)
        there.parent.mkdir(parents=True, exist_ok=True)
        if here.is_dir():
            shutil.copytree(here, there, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(here, there)
    return target


def trained_churn(folder: Path) -> MlRoot:
    """Return a finished job of churn, trained on all customers below a new folder."""
    job = MlRoot(folder, model="churn")
    write_churn(job.train / "customers.csv")
    code, output = job.run()
    assert code == 0, output
    return job
