"""The jobs that this local AWS knows, by account and Region, kept across restarts.

MiniStack saves its services when it stops in good order; a job's record is saved at every change,
so a killed server forgets no name that was taken.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ministack.core import persistence
from ministack.core.responses import get_account_id, get_region

STATE_KEY = "sagemaker"
TERMINAL = {"Completed", "Failed", "Stopped"}


@dataclass
class Job:
    """One training job; a TransformJob is one of its own kind.

    `record` is what its Describe operation answers, dates as epoch seconds. `process` is the
    process group of the running entry point. `stop` is set when the job shall stop; `wake`
    tells the thread that runs the job to look.
    """

    KIND: ClassVar[str] = "TrainingJob"

    account: str
    region: str
    name: str
    record: dict[str, Any]
    tags: dict[str, str]
    process: int | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    wake: threading.Event = field(default_factory=threading.Event)
    lock: threading.RLock = field(default_factory=threading.RLock)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def status(self) -> str:
        """Its status, such as InProgress."""
        return str(self.record[f"{self.KIND}Status"])

    @property
    def arn(self) -> str:
        """Its ARN."""
        return str(self.record[f"{self.KIND}Arn"])

    def snapshot(self) -> dict[str, Any]:
        """Return a copy of the record that later changes do not touch."""
        with self.lock:
            transitions = [dict(i) for i in self.record.get("SecondaryStatusTransitions", [])]
            more = {"SecondaryStatusTransitions": transitions} if transitions else {}
            return {**self.record, **more}


@dataclass
class TransformJob(Job):
    """One batch transform job."""

    KIND: ClassVar[str] = "TransformJob"


class StateFile:
    """SageMaker's one state file, written whole at every change: `parts` by their names."""

    def __init__(self) -> None:
        self.parts: dict[str, Callable[[], Any]] = {}
        self._lock = threading.Lock()
        self._closed = False

    def save(self) -> None:
        """Write it now, where MiniStack persists at all."""
        with self._lock:
            if not self._closed:
                state = {name: part() for name, part in self.parts.items()}
                persistence.save_state(STATE_KEY, state)

    def close(self) -> None:
        """Write nothing more."""
        with self._lock:
            self._closed = True


class JobStore:
    """Jobs of one kind, of every account and Region; look-ups see those of the request only.

    They are the part `name` of the state `file`.
    """

    def __init__(self, file: StateFile, name: str = "jobs", kind: type[Job] = Job) -> None:
        self._file = file
        self._name = name
        self._kind = kind
        self._jobs: dict[tuple[str, str, str], Job] = {}
        self._lock = threading.Lock()
        self.closed = False
        file.parts[name] = self.state

    def add(self, job: Job) -> bool:
        """Keep `job`; return False, and keep nothing, where its name was ever used before."""
        key = (job.account, job.region, job.name)
        with self._lock:
            if key in self._jobs:
                return False
            self._jobs[key] = job
            return True

    def find(self, name: str) -> Job | None:
        """Return the job of this account and Region by its name."""
        return self._jobs.get((get_account_id(), get_region(), name))

    def here(self) -> list[Job]:
        """Return the jobs of this account and Region, oldest first."""
        scope = (get_account_id(), get_region())
        with self._lock:
            return [job for key, job in self._jobs.items() if key[:2] == scope]

    def everywhere(self) -> list[Job]:
        """Return every job."""
        with self._lock:
            return list(self._jobs.values())

    def close(self) -> None:
        """Let no job change any more: what happens while the server stops is not its fate."""
        self.closed = True

    def clear(self) -> None:
        """Forget all jobs and tell the running ones to stop."""
        for job in self.everywhere():
            job.stop.set()
            job.wake.set()
        with self._lock:
            self._jobs.clear()

    def state(self) -> list[dict[str, Any]]:
        """Return all jobs as plain data for the state file."""
        return [
            {
                "account": job.account,
                "region": job.region,
                "name": job.name,
                "record": job.snapshot(),
                "tags": dict(job.tags),
                "process": job.process,
            }
            for job in self.everywhere()
        ]

    def load(self, state: dict[str, Any]) -> None:
        """Add the jobs of an earlier state file."""
        for item in state.get(self._name, []):
            job = self._kind(**item)
            if job.status in TERMINAL:
                job.ended.set()
            self.add(job)

    def save(self) -> None:
        """Write the state file now, where MiniStack persists at all."""
        self._file.save()
