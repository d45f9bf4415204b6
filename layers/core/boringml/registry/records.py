"""What the registry holds, as the rest of the code sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias

LIVE: Final = "live"
CANDIDATE: Final = "candidate"
ALIASES: Final = (LIVE, CANDIDATE)

REGISTERED: Final = "version_registered"
MOVED: Final = "alias_moved"
SPLIT: Final = "traffic_split"
APPLIED: Final = "traffic_applied"
STEP: Final = "release_step"

OPEN: Final = "open"

RELEASE: Final = "release"
ROLLBACK: Final = "rollback"
# What a lock's holder is called, or begins with, while a recovery puts traffic back. It is no
# execution, so nobody can ask whether it is under way: whoever comes may take the lock over.
RECOVERY: Final = "recovery"

# {"code", "message"}, as events and errors carry it, or a plain sentence.
Reason: TypeAlias = Mapping[str, Any] | str


@dataclass(frozen=True, kw_only=True)
class NewVersion:
    """A package that passed its gates and wants a number.

    `package_uri` is s3://bucket/prefix/ and `package_digest` the "sha256:<hex>" of its manifest;
    `metrics` is what evaluation.json says, finite numbers as JSON knows them; `cost_usd` is what
    the training job cost; `image` is the container that trained it.
    """

    model: str
    package_uri: str
    package_digest: str
    contract_version: str
    runtime: str
    data_digest: str
    git_commit: str
    metrics: Mapping[str, Any]
    job_name: str
    cost_usd: float
    image: str


@dataclass(frozen=True, kw_only=True)
class ModelVersion(NewVersion):
    """A registered version: it never changes again."""

    number: int
    registered_at: datetime
    registered_by: str


@dataclass(frozen=True, kw_only=True)
class HistoryEvent:
    """One change of a model: who did what, why, when, from which version to which.

    `kind` is REGISTERED (`alias` is None); MOVED (`alias` went `from_version` -> `to_version`, None
    where it pointed at nothing); SPLIT (live shares its requests with a canary from now on, in
    another way, or no more); APPLIED (Lambda does as the last MOVED or SPLIT says); or STEP (what
    came of a step of a release, whose version is `to_version`). Per model, `sequence` has no gaps
    and `at` only grows. `details` are the numbers that stood behind it, as JSON knows them.
    """

    model: str
    sequence: int
    at: datetime
    kind: str
    alias: str | None
    from_version: int | None
    to_version: int | None
    by: str
    why: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Canary:
    """A version that gets the share `weight`, in (0, 1), of live's requests."""

    version: int
    function_version: str
    weight: float


@dataclass(frozen=True, kw_only=True)
class Route:
    """Where an alias sends requests: a model version, in a function version, beside a canary."""

    version: int | None = None
    function_version: str | None = None
    canary: Canary | None = None

    @property
    def identity(self) -> str | None:
        """What no other code with no other model has: the function version.

        Of a model without a function, "model version <number>"; None where nothing is live.
        """
        if self.version is None or self.function_version is not None:
            return self.function_version
        return f"model version {self.version}"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Where live sends its requests, the event that said so last, and whether Lambda was seen to.

    `event` is None before the first one; `sequence` is then 0.
    """

    route: Route
    event: HistoryEvent | None
    applied: bool

    @property
    def sequence(self) -> int:
        """The sequence of the event: no two decisions of a model have the same."""
        return self.event.sequence if self.event else 0


@dataclass(frozen=True, kw_only=True)
class ReleaseLock:
    """Who may move a model's traffic: an execution of `kind` release or rollback."""

    model: str
    holder: str
    kind: str
    version: int | None
    taken_at: datetime


@dataclass(frozen=True, kw_only=True)
class Approval:
    """A release that waits for a person. `token` is what answers it, once."""

    model: str
    version: int
    release: str
    token: str
    asked_at: datetime
    report: str | None


@dataclass(frozen=True, kw_only=True)
class RunClaim:
    """A trigger, and the one execution that may train for it. `status` is OPEN until it ended."""

    model: str
    trigger_id: str
    execution_arn: str
    claimed_at: datetime
    status: str
    finished_at: datetime | None = None
    reason: Reason | None = None
    version: int | None = None


@dataclass(frozen=True, kw_only=True)
class ModelState:
    """The counters of one model, all zero before its first event."""

    last_version: int = 0
    last_event: int = 0
    last_at: datetime | None = None
