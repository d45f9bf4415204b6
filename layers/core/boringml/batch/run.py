"""A run: one input, scored by one model version, under names that nothing else has."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

OPEN, SCORED, FAILED = "open", "scored", "failed"

_DIGITS = 16


@dataclass(frozen=True)
class InputFile:
    """One object as it was when the run was opened; its version never changes."""

    key: str
    version_id: str
    etag: str
    size: int


@dataclass(frozen=True)
class BatchRun:
    """One attempt at scoring an input.

    `run_id` is of the input and the same for ever; each attempt writes under a `label` of its own,
    so that what a dying attempt still writes is never read. `date` is the UTC day of the attempt.
    """

    model: str
    run_id: str
    attempt: int
    date: str
    version: int
    package_uri: str
    package_digest: str
    engine: str

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "BatchRun":
        """Return the run of a state machine's JSON."""
        return cls(**{name: document[name] for name in cls.__dataclass_fields__})

    def document(self) -> dict[str, Any]:
        """Return the run as JSON, with the keys that states name."""
        return {**asdict(self), "label": self.label, "work": self.work}

    @property
    def label(self) -> str:
        """The attempt's name in paths, and the value of the tables' partition `run`."""
        return f"{self.run_id}-{self.attempt}"

    @property
    def work(self) -> str:
        """Where the attempt keeps what is not for readers."""
        return f"batch/{self.model}/runs/{self.label}/"

    @property
    def scored(self) -> str:
        """The folder of the scores."""
        return f"scored/{self.model}/date={self.date}/run={self.label}/"

    @property
    def rejected(self) -> str:
        """The folder of the rows that were not scored."""
        return f"rejected/{self.model}/date={self.date}/run={self.label}/"

    @property
    def partition(self) -> tuple[str, str, str]:
        """Values of the tables' partition keys: model, date, run."""
        return self.model, self.date, self.label

    @property
    def folders(self) -> tuple[str, str, str]:
        """Every folder that the attempt writes to."""
        return self.scored, self.rejected, self.work


def run_id(model: str, bucket: str, files: Iterable[InputFile], occasion: str = "") -> str:
    """Return the identity of an input: its keys and versions, whatever their order."""
    told = sorted([file.key, file.version_id, file.etag] for file in files)
    text = json.dumps([model, bucket, told, occasion])
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def part_name(number: int) -> str:
    """Return a chunk's file name, the same in every attempt."""
    return f"part-{number:05d}.parquet"
