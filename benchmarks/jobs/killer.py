"""Kills worker processes at random, and counts how many there are at once.

A worker is a process of the local AWS whose environment names the function and its version.
"""

import os
import random
import signal
import threading
import time
from dataclasses import dataclass, field

import psutil

# A process that has only begun still has its parent's environment.
_BEGUN_SECONDS = 1.0


@dataclass
class Killer:
    """Looks ten times a second, and kills a worker every so many seconds on average."""

    function: str
    every_seconds: float
    seed: int
    killed: int = 0
    peak: int = 0
    _over: threading.Event = field(default_factory=threading.Event)
    _known: dict[tuple[int, float], bool] = field(default_factory=dict)

    def run(self) -> None:
        """Kill one now and then, until `stop`."""
        draw = random.Random(self.seed)
        due = time.monotonic() + self.every_seconds
        while not self._over.wait(0.1):
            workers = self.workers()
            self.peak = max(self.peak, len(workers))
            if time.monotonic() >= due:
                # Where there is none, it is none: who lies in wait kills each one as it starts.
                if workers:
                    os.kill(draw.choice(workers), signal.SIGKILL)
                    self.killed += 1
                due = time.monotonic() + draw.uniform(0.5, 1.5) * self.every_seconds

    def watch(self) -> None:
        """Count, and kill nobody, until `stop`."""
        while not self._over.wait(0.05):
            self.peak = max(self.peak, len(self.workers()))

    def workers(self) -> list[int]:
        """Return the ids of the worker processes, without those that are dead already."""
        return [p.pid for p in psutil.process_iter() if self._is_worker(p)]

    def _is_worker(self, process: psutil.Process) -> bool:
        try:
            # A number is used again, a number and a time are not.
            key = (process.pid, process.create_time())
            if key not in self._known:
                name = process.environ().get("AWS_LAMBDA_FUNCTION_NAME")
                if name != self.function and time.time() - key[1] < _BEGUN_SECONDS:
                    return False
                self._known[key] = name == self.function
            return self._known[key] and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.Error, OSError):
            return False

    def stop(self) -> None:
        """End `run`."""
        self._over.set()
