"""The container's entry point as a process of its own, with the signals that SageMaker sends.

A stop or a time limit sends SIGTERM to the entry point and SIGKILL to the whole group once the
grace is over ("How Amazon SageMaker Runs Your Training Image", SageMaker Developer Guide).
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

EXITED = "exited"
STOPPED = "stopped"
TIMED_OUT = "timed out"
# Docker gives a container that a signal ended the exit code 128 + signal.
_SIGNAL_BASE = 128
_DRAIN_SECONDS = 5.0


@dataclass(frozen=True)
class Outcome:
    """How the entry point ended: EXITED, STOPPED or TIMED_OUT, and its exit code."""

    how: str
    exit_code: int


class EntryPoint:
    """A running entry point. `on_line` gets each line of its output, in order."""

    def __init__(
        self,
        command: list[str],
        environment: dict[str, str],
        folder: Path,
        alive: Path,
        on_line: Callable[[str], None],
        wake: threading.Event,
    ) -> None:
        """Start it; raise OSError where `command` cannot be run.

        The process holds a lock on the file `alive` for as long as it lives, so that a later
        server can tell what a killed one left behind. `wake` is set when the process ends.
        """
        with alive.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._process = subprocess.Popen(
                command,
                env=environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(lock.fileno(),),
                start_new_session=True,
            )
        self._wake = wake
        self._exited = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(on_line,), daemon=True)
        self._reader.start()
        threading.Thread(target=self._reap, daemon=True).start()

    @property
    def group(self) -> int:
        """The process group, which is the entry point's process id."""
        return self._process.pid

    def wait(self, stop: threading.Event, deadline: float, grace: float) -> Outcome:
        """Return when the entry point has ended, by itself or by our signals.

        `deadline` is a time of time.monotonic(); `grace` is in seconds.
        """
        how = EXITED
        while not self._exited.is_set():
            self._wake.wait(max(0.0, deadline - time.monotonic()))
            self._wake.clear()
            if self._exited.is_set():
                break
            if stop.is_set():
                how = STOPPED
            elif time.monotonic() >= deadline:
                how = TIMED_OUT
            else:
                continue
            self._process.terminate()
            self._exited.wait(grace)
            kill_group(self.group)
            self._exited.wait()
        kill_group(self.group)
        self._reader.join(_DRAIN_SECONDS)
        code = self._process.returncode
        return Outcome(how, code if code >= 0 else _SIGNAL_BASE - code)

    def _reap(self) -> None:
        self._process.wait()
        self._exited.set()
        self._wake.set()

    def _read(self, on_line: Callable[[str], None]) -> None:
        for line in self._lines():
            on_line(line)

    def _lines(self) -> Iterator[str]:
        assert self._process.stdout is not None
        for raw in self._process.stdout:
            yield raw.decode(errors="replace").rstrip("\r\n")


def kill_group(group: int) -> None:
    """Send SIGKILL to what is left of a process group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def kill_orphan(group: int | None, alive: Path) -> None:
    """Kill the process group that a dead server left, where it still lives.

    The lock on `alive` tells: a process id alone may belong to someone else by now.
    """
    if group is None or not alive.exists():
        return
    with alive.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            kill_group(group)
