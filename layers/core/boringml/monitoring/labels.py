"""What became of a prediction: the rules that a label must meet before it is kept."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from boringml.errors import BoringError
from boringml.monitoring.quality_settings import QualitySettings

# The form that ids of requests and jobs have; keys are the batch's own and may be any text.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
MOST_KEY: Final = 256
# Of a refused row, so that what is no label at all fills neither lake nor memory.
MOST_SHOWN: Final = 500
# A list request has fewer records.
MOST_RECORD: Final = 9_999
# Clocks of senders differ from ours.
_AHEAD = timedelta(minutes=5)
_FIELDS = {"request_id", "record", "key", "at", "label"}


@dataclass(frozen=True)
class Label:
    """What is known of one prediction since `at`, in UTC.

    The prediction is the one of `request_id` and `record` (its place in a list request), or the
    newest score of `key` before `at`.
    """

    at: datetime
    label: str
    positive: bool
    request_id: str | None = None
    record: int = 0
    key: str | None = None


@dataclass(frozen=True)
class LabelRules:
    """What a model's labels are held to. By `requests` and `keys` its predictions are found."""

    positive: str
    negative: str
    requests: bool
    keys: bool
    horizon: timedelta

    @classmethod
    def of(cls, declaration: Mapping[str, Any], contract: Mapping[str, Any]) -> "LabelRules":
        """Return the rules of a parsed model.yaml and contract.json.

        Raises BoringError `quality_not_measured` where model.yaml does not declare it.
        """
        decision, patterns = contract["decision"], declaration["patterns"]
        return cls(
            positive=decision["positive"],
            negative=decision["negative"],
            requests="online" in patterns or "async" in patterns,
            keys="batch" in patterns,
            horizon=timedelta(days=QualitySettings.of(declaration).horizon_days),
        )

    def label_of(self, row: Mapping[str, Any], now: datetime) -> Label:
        """Return the label that a row is. What is None is not there.

        Raises BoringError with the `field`: `missing_field`, `unknown_field`, `wrong_type`,
        `identity_ambiguous`, `identity_not_offered`, `unknown_label`, `time_invalid`,
        `label_in_future` or `label_too_late`.
        """
        given = {name: value for name, value in row.items() if value is not None}
        for name in given:
            if name not in _FIELDS:
                told = f"A label has {', '.join(sorted(_FIELDS))}."
                raise _refusal("unknown_field", told, _writable(name[:MOST_KEY]))
        identity = self._identity(given)
        return Label(self._at(given, now), *self._answer(given), **identity)

    def _identity(self, given: Mapping[str, Any]) -> dict[str, Any]:
        by = [name for name in ("request_id", "key") if name in given]
        if not by:
            wanted = "request_id" if self.requests else "key"
            raise _refusal("missing_field", f"Say of which prediction: {wanted}.", wanted)
        if len(by) == 2 or ("key" in given and "record" in given):
            told = "Give request_id and record, or key: one prediction has one name."
            raise _refusal("identity_ambiguous", told, "key")
        if not (self.requests if by == ["request_id"] else self.keys):
            other = "key" if by == ["request_id"] else "request_id"
            told = f"Predictions of this model are named by {other}."
            raise _refusal("identity_not_offered", told, by[0])
        if by == ["key"]:
            # Batches write keys as text, whatever they were.
            key = given["key"]
            text = str(key) if isinstance(key, int) and not isinstance(key, bool) else key
            if (
                not isinstance(text, str)
                or not 0 < len(text) <= MOST_KEY
                or _writable(text) != text
            ):
                told = f"A key is text of 1 to {MOST_KEY} characters, in UTF-8."
                raise _refusal("wrong_type", told, "key")
            return {"key": text}
        request_id = given["request_id"]
        if not isinstance(request_id, str) or not _REQUEST_ID.fullmatch(request_id):
            raise _refusal("wrong_type", "This is no id of a request or job.", "request_id")
        return {"request_id": request_id, "record": _record(given.get("record", 0))}

    def _answer(self, given: Mapping[str, Any]) -> tuple[str, bool]:
        if "label" not in given:
            raise _refusal("missing_field", "Say what is known: label.", "label")
        label = given["label"]
        if label not in (self.positive, self.negative):
            told = f"The labels of this model are {self.positive!r} and {self.negative!r}."
            raise _refusal("unknown_label", told, "label")
        return label, label == self.positive

    def _at(self, given: Mapping[str, Any], now: datetime) -> datetime:
        if "at" not in given:
            raise _refusal("missing_field", "Say since when it is known: at.", "at")
        at = _time(given["at"])
        if at > now + _AHEAD:
            raise _refusal("label_in_future", "It is not known yet: at is ahead of now.", "at")
        if at < now - self.horizon:
            told = f"It was known more than {self.horizon.days} days ago: see horizon_days."
            raise _refusal("label_too_late", told, "at")
        return at


@dataclass(frozen=True)
class RefusedLabel:
    """A row that is no label: its number from 1, the broken rule, and the row as JSON."""

    row_number: int
    code: str
    field: str
    message: str
    row: str


@dataclass(frozen=True)
class Sorted:
    """Rows after the rules; each is in one of the two."""

    labels: list[Label]
    refused: list[RefusedLabel]

    @property
    def received(self) -> int:
        """How many rows there were."""
        return len(self.labels) + len(self.refused)

    def codes(self) -> dict[str, int]:
        """Return how many rows were refused by each code."""
        found: dict[str, int] = {}
        for one in self.refused:
            found[one.code] = found.get(one.code, 0) + 1
        return dict(sorted(found.items()))


def sorted_rows(
    rows: Iterable[tuple[int, Mapping[str, Any] | BoringError]], rules: LabelRules, now: datetime
) -> Sorted:
    """Return numbered rows as labels and refusals; a row that could not be read is its error."""
    done = Sorted([], [])
    for number, row in rows:
        try:
            if isinstance(row, BoringError):
                raise row
            done.labels.append(rules.label_of(row, now))
        except BoringError as error:
            shown = "" if isinstance(row, BoringError) else json.dumps(dict(row), default=str)
            shown = shown[:MOST_SHOWN]
            field = str(error.details.get("field", "$"))
            done.refused.append(RefusedLabel(number, error.code, field, error.message, shown))
    return done


def _record(value: Any) -> int:
    # Columns with gaps come as floating point numbers, and CSV as text.
    try:
        number = int(value) if not isinstance(value, bool) and float(value) == int(value) else -1
    except (TypeError, ValueError, OverflowError):
        number = -1
    if not 0 <= number <= MOST_RECORD:
        told = f"record is a place in a list request: 0 to {MOST_RECORD}."
        raise _refusal("wrong_type", told, "record")
    return number


def _time(value: Any) -> datetime:
    """Return a time in UTC; a text without a zone is refused, since a guess moves labels."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError as error:
            raise _no_time() from error
    if not isinstance(value, datetime):
        raise _no_time()
    if value.tzinfo is None:
        raise _refusal("time_invalid", "at has no time zone: write 2026-01-31T12:00:00Z.", "at")
    try:
        return value.astimezone(UTC)
    except OverflowError as error:  # before year 1 or after 9999, once it is UTC
        raise _no_time() from error


def _no_time() -> BoringError:
    return _refusal("time_invalid", "at is a time such as 2026-01-31T12:00:00Z.", "at")


def _writable(text: str) -> str:
    """Return text as UTF-8 can hold it: JSON can escape one half of a surrogate pair alone."""
    return text.encode("utf-8", "backslashreplace").decode()


def _refusal(code: str, message: str, field: str) -> BoringError:
    return BoringError(code, message, field=field)
