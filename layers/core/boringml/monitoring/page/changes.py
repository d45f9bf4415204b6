"""What changed? The last move of live: by whom, why, when, and what is different now."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from boringml.monitoring.page import words
from boringml.monitoring.page.answers import FINE, UNKNOWN, WATCH, Answer
from boringml.monitoring.page.document import ModelDocument, Unread
from boringml.monitoring.page.happened import moved
from boringml.registry.records import LIVE, MOVED, HistoryEvent, ModelVersion

# A move of the last day is news to who is on call now.
_NEWS = timedelta(days=1)
# Shown by name, best known first; evaluation.json has more.
_METRICS = ("roc_auc", "log_loss", "brier", "calibration_error")


@dataclass(frozen=True)
class Difference:
    """A fact of two versions. `change` is after - before of two numbers, else None."""

    name: str
    before: Any
    after: Any
    change: float | None = None


def last_move(history: Iterable[HistoryEvent]) -> HistoryEvent | None:
    """Return the event that made live what it is, or None where nothing ever was."""
    moves = [event for event in history if event.kind == MOVED and event.alias == LIVE]
    return moves[-1] if moves else None


def is_news(move: HistoryEvent, now: datetime) -> bool:
    """Return whether a move is of the last day."""
    return now - move.at < _NEWS


def what_changed(document: ModelDocument) -> Answer:
    """Return the answer: new is watched, old is fine, and what cannot be read is unknown."""
    history = document.history
    if isinstance(history, Unread):
        return Answer(UNKNOWN, "Not known", f"The history could not be read: {history.why}")
    move = last_move(history)
    if move is None:
        return Answer(FINE, "Nothing yet", "No version has ever been live.", _under_way(document))
    when = words.ago(move.at, document.as_of)
    tone = WATCH if is_news(move, document.as_of) else FINE
    told = f"{moved(move)}, {when}"
    said_by = f"By {words.actor(move.by)}, {words.moment(move.at)}: {words.short(move.why)}"
    return Answer(tone, told, f"{told}.", (said_by, *_under_way(document)))


def differences(document: ModelDocument) -> tuple[Difference, ...]:
    """Return what makes the live version differ from the one that was live before it."""
    if isinstance(document.history, Unread):
        return ()
    move = last_move(document.history)
    if move is None:
        return ()
    before, after = document.version(move.from_version), document.version(move.to_version)
    if before is None or after is None or before.number == after.number:
        return ()
    return tuple(_differences(before, after))


def _under_way(document: ModelDocument) -> tuple[str, ...]:
    """Return what is moving right now."""
    told = []
    if not isinstance(document.route, Unread) and (canary := document.route.canary):
        share = words.per_cent(canary.weight)
        told.append(f"Right now a canary, version {canary.version}, gets {share} of the requests.")
    if not isinstance(document.lock, Unread) and (lock := document.lock):
        since = words.ago(lock.taken_at, document.as_of)
        of = "" if lock.version is None else f" of version {lock.version}"
        told.append(f"Right now a {lock.kind}{of} is under way, begun {since}.")
    return tuple(told)


def _differences(before: ModelVersion, after: ModelVersion) -> Iterator[Difference]:
    names = [name for name in _METRICS if name in before.metrics or name in after.metrics]
    for name in names:
        yield _difference(name, before.metrics.get(name), after.metrics.get(name))
    for name in ("rows", "holdout_rows"):
        if name in before.metrics or name in after.metrics:
            yield _difference(name, before.metrics.get(name), after.metrics.get(name))
    yield _difference("contract", before.contract_version, after.contract_version)
    yield _difference("data", _digest(before.data_digest), _digest(after.data_digest))
    yield _difference("commit", before.git_commit[:12], after.git_commit[:12])
    yield _difference("runtime", before.runtime, after.runtime)
    yield _difference("training cost, USD", before.cost_usd, after.cost_usd)


def _difference(name: str, before: Any, after: Any) -> Difference:
    numbers = all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in (before, after)
    )
    return Difference(name, before, after, after - before if numbers else None)


def _digest(digest: str) -> str:
    """Return enough of a digest to tell two apart."""
    return digest.removeprefix("sha256:")[:12]
