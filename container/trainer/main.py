"""The process around a training: progress, failures and signals as SageMaker expects them."""

import os
import signal
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType

from boringml.contract.features import features_of
from boringml.errors import BoringError
from container.trainer.job import read_job
from container.trainer.paths import Paths

# What a shell reports for a process that SIGTERM ended.
STOPPED = 128 + signal.SIGTERM


def main(repository: Path) -> int:
    """Run the job under ML_ROOT (default /opt/ml) and return its exit code.

    0: the package is in model/. 1: refused or failed, and output/failure says `code: message`.
    143: SIGTERM, which SageMaker sends to stop a job 120 s before SIGKILL.
    """
    answer_sigterm()
    paths = Paths.of(os.environ)
    say = _progress()
    try:
        with _FailureFile(paths.failure):
            _run(paths, repository, say)
    except BoringError as error:
        say(f"failed: {error.code}: {error.message}")
        return 1
    return 0


def answer_sigterm() -> None:
    """End the process at once on SIGTERM: process 1 of a container would ignore it otherwise."""
    signal.signal(signal.SIGTERM, _stop)


def _run(paths: Paths, repository: Path, say: Callable[[str], None]) -> None:
    job = read_job(paths, repository / "models")
    say(f"job: model {job.model}, seed {job.seed}, commit {job.git_commit}")
    features = features_of(job.contract)

    # Importing scikit-learn takes half of a short job: bad data are refused before it.
    from boringml.training.data_check import checked_table
    from boringml.training.data_files import load

    files = load(paths.channel("train"), features, job.contract["data"]["max_bytes"])
    table = checked_table(files, job.contract, features)
    say(
        f"data: {table.num_rows} rows in {len(files)} files meet contract {job.contract['version']}"
    )

    from container.trainer.rows import rows_of
    from container.trainer.run import train

    decision = job.contract["decision"]
    rows = rows_of(table, features, decision["target"], decision["positive"])
    train(paths, job, features, rows, [file.entry for file in files], say)


class _FailureFile:
    """Tells output/failure whatever ends the block, and lets it go on."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._path.unlink(missing_ok=True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, BoringError):
            self._write(f"{error.code}: {error.message}")
        elif isinstance(error, Exception):
            last = traceback.format_exception_only(error)[-1].strip()
            self._write(f"internal_error: {last}. The job's log has the traceback.")

    def _write(self, text: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(text[:1024])


def _stop(_signal: int, _frame: FrameType | None) -> None:
    # Neither print nor sys.exit: a signal may come inside a print, which cannot be entered twice,
    # or where Python drops exceptions. Nothing is left to tidy: a checkpoint is renamed when it
    # is whole, and a package counts by its manifest, which is written last.
    os.write(1, b"stopped: SIGTERM\n")
    os._exit(STOPPED)


def _progress() -> Callable[[str], None]:
    started = time.monotonic()

    def say(text: str) -> None:
        # Flushed, so that a log shows each step when it happens.
        print(f"[{time.monotonic() - started:6.2f} s] {text}", flush=True)

    return say
