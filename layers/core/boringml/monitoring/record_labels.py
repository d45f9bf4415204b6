"""The use case of labels that arrive, in files or in bodies: kept, or kept apart and told why."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from boringml.errors import BoringError
from boringml.metric_line import COUNT, metric_line
from boringml.monitoring.label_files import MOST_BYTES, rows_of
from boringml.monitoring.labels import Label, LabelRules, RefusedLabel, Sorted, sorted_rows

MOST_LABELS: Final = 1_000
MOST_BODY_BYTES: Final = 256 * 1024
FOLDER: Final = "labels/"


class LabelStore(Protocol):
    """Where labels are kept."""

    def keep(self, model: str, labels: Sequence[Label], name: str, at: datetime) -> None:
        """Keep labels that arrived at a moment; the same name again replaces them."""

    def keep_apart(
        self, model: str, refused: Sequence[RefusedLabel], source: str, name: str, at: datetime
    ) -> None:
        """Keep rows that are no labels, of a file; the same name again replaces them."""


@dataclass(frozen=True)
class Receipt:
    """What came of one file or body: received = accepted + refused, which is told by code.

    `file_code` is set where a file was refused whole, and then its rows are not known.
    """

    model: str
    received: int
    accepted: int
    refused: Mapping[str, int] = field(default_factory=dict)
    file_code: str | None = None
    message: str | None = None

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "model": self.model,
            "received": self.received,
            "accepted": self.accepted,
            "refused": dict(self.refused),
            "file_code": self.file_code,
            "message": self.message,
        }

    def line(self, namespace: str, models: Sequence[str], *, told: bool = False) -> str:
        """Return the log line, which is also the metrics labels_received and labels_refused (EMF).

        They are by model, and of all models together, which an alarm watches: not where the sender
        was `told` what was refused. A file that was refused whole counts as one refusal. A model
        that nobody declared is no dimension: whoever writes to the bucket would make metrics.
        """
        refused = sum(self.refused.values()) + (self.file_code is not None)
        metrics = {"labels_received": self.received, "labels_refused": refused}
        sets: list[list[str]] = [["model"]] if self.model in models else []
        return metric_line(
            namespace,
            {"kind": "labels", **self.document()},
            metrics,
            level="WARN" if refused else "INFO",
            dimensions=sets if told else [*sets, []],
            units=dict.fromkeys(metrics, COUNT),
        )


class LabelRecorder:
    """Records the labels of all models. `rules_of` raises where a model takes none."""

    def __init__(
        self,
        store: LabelStore,
        rules_of: Callable[[str], LabelRules],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._rules_of = rules_of
        self._clock = clock

    def record_file(self, key: str, version_id: str, content: bytes) -> Receipt:
        """Return what came of the object `labels/<model>/...`.

        A file that cannot be read at all is a receipt with a `file_code`, and no error: asking
        again would change nothing. The same version again is kept in the same place.
        """
        model = model_of(key)
        now, name = self._clock(), file_name(key, version_id)
        try:
            if len(content) > MOST_BYTES:
                told = f"{key} has {len(content)} bytes, at most {MOST_BYTES} are read: cut it."
                raise BoringError("data_too_large", told, 422)
            done = sorted_rows(rows_of(key, content), self._rules_of(model), now)
        except BoringError as error:
            whole = RefusedLabel(0, error.code, "$", error.message, "")
            self._store.keep_apart(model, [whole], key, name, now)
            return Receipt(model, 0, 0, file_code=error.code, message=error.message)
        # What is kept apart first: a retry finds the whole file again.
        if done.refused:
            self._store.keep_apart(model, done.refused, key, name, now)
        if done.labels:
            self._store.keep(model, done.labels, name, now)
        return Receipt(model, done.received, len(done.labels), done.codes())

    def record_body(self, model: str, body: bytes, name: str) -> tuple[Receipt, Sorted]:
        """Return what came of a body: one label, or a list of 1 to MOST_LABELS.

        Raises BoringError `body_too_large`, `malformed_json`, `list_empty`, `list_too_long` or
        `wrong_type`; of a single bad label, its own refusal.
        """
        rules, now = self._rules_of(model), self._clock()
        rows = _rows_of(body)
        listed = isinstance(rows, list)
        done = sorted_rows(enumerate(rows if listed else [rows], 1), rules, now)
        if not listed and done.refused:
            (bad,) = done.refused
            place = "$" if bad.field == "$" else f"$.{bad.field}"
            raise BoringError(bad.code, bad.message, 422, field=place)
        if done.labels:
            self._store.keep(model, done.labels, name, now)
        return Receipt(model, done.received, len(done.labels), done.codes()), done


def model_of(key: str) -> str:
    """Return the model of `labels/<model>/...`. Raises BoringError `key_unsafe`."""
    parts = key.split("/")
    if len(parts) < 3 or f"{parts[0]}/" != FOLDER or not parts[1] or not parts[-1]:
        raise BoringError("key_unsafe", f"{key} is no file below {FOLDER}<model>/.", 422)
    return parts[1]


def file_name(key: str, version_id: str) -> str:
    """Return what is the same for the same version of an object, however often it is told."""
    return hashlib.sha256(f"{key}\n{version_id}".encode()).hexdigest()[:24]


def _rows_of(body: bytes) -> Any:
    if len(body) > MOST_BODY_BYTES:
        raise BoringError("body_too_large", f"A body has at most {MOST_BODY_BYTES} bytes.")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BoringError("malformed_json", "The body is not one JSON value in UTF-8.") from error
    if isinstance(value, list):
        if not value:
            raise BoringError("list_empty", "The list has no labels.", field="$")
        if len(value) > MOST_LABELS:
            raise BoringError(
                "list_too_long", f"A list has at most {MOST_LABELS} labels.", field="$"
            )
    for index, row in enumerate(value if isinstance(value, list) else [value]):
        if not isinstance(row, dict):
            place = f"$[{index}]" if isinstance(value, list) else "$"
            raise BoringError("wrong_type", "A label is a JSON object.", field=place)
    return value
