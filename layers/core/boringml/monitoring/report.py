"""What one look at a model found, kept so that people and pages can read it later."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from boringml.errors import BoringError

DRIFT: Final = "drift"
QUALITY: Final = "quality"
COST: Final = "cost"
KINDS: Final = (DRIFT, QUALITY, COST)

# What a look came to. Too little to look at is neither good nor bad.
FINE: Final = "fine"
RAISED: Final = "raised"
NOT_EVALUATED: Final = "not_evaluated"
STATUSES: Final = (FINE, RAISED, NOT_EVALUATED)

_FORMAT = 1


@dataclass(frozen=True)
class Report:
    """One finding of one kind, about `model` between `begin` and before `end`, both in UTC.

    `says` is one sentence for people; `details` is JSON that each kind documents for itself.
    `version` is None where a report is of the model and not of one of its versions.
    """

    kind: str
    model: str
    version: int | None
    begin: datetime
    end: datetime
    status: str
    says: str
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS or self.status not in STATUSES or self.end <= self.begin:
            told = f"A report of kind {self.kind!r}, status {self.status!r}, ending {self.end}."
            raise BoringError("report_invalid", told, 422)

    def key(self) -> str:
        """Return where it lies in the lake; the same look lies at the same place, however often."""
        end = self.end.astimezone(UTC)
        version = "" if self.version is None else f"-v{self.version}"
        return f"{folder(self.model, self.kind)}date={end:%Y-%m-%d}/{end:%H%M%S}{version}.json"

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "format": _FORMAT,
            "kind": self.kind,
            "model": self.model,
            "version": self.version,
            "begin": self.begin.astimezone(UTC).isoformat(),
            "end": self.end.astimezone(UTC).isoformat(),
            "status": self.status,
            "says": self.says,
            "details": dict(self.details),
        }

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> "Report":
        """Return what `document` made. Raises BoringError `report_invalid`."""
        try:
            return cls(
                document["kind"],
                document["model"],
                document["version"],
                datetime.fromisoformat(document["begin"]),
                datetime.fromisoformat(document["end"]),
                document["status"],
                document["says"],
                document["details"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BoringError("report_invalid", f"This is no report: {error}.", 422) from error


def folder(model: str, kind: str) -> str:
    """Return the prefix of the lake that a model's reports of a kind lie below."""
    return f"monitoring/{kind}/model={model}/"


def place_of(key: str) -> tuple[str, int]:
    """Return the look that a report's key is of, and its version, 0 without. Reports sort by it."""
    folder_, _, name = key.removesuffix(".json").rpartition("/")
    time, _, version = name.partition("-v")
    return f"{folder_}/{time}", int(version or 0)
