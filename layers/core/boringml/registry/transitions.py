"""The rules of every change: the next number, the next moment, and what is refused."""

import json
import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from boringml.errors import BoringError
from boringml.package import layout
from boringml.registry import items
from boringml.registry.records import (
    ALIASES,
    APPLIED,
    LIVE,
    MOVED,
    OPEN,
    REGISTERED,
    SPLIT,
    STEP,
    HistoryEvent,
    ModelState,
    ModelVersion,
    NewVersion,
    Route,
)

_MODEL = re.compile(r"[a-z][a-z0-9-]{0,31}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# It ends in a slash: as an S3 prefix, packages/credit/job-1 would also hold job-10's files.
_PACKAGE_URI = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[A-Za-z0-9._/-]+/")
_STATUS = re.compile(r"[a-z][a-z_]*")
_TICK = timedelta(microseconds=1)
# With its prefix it still fits a sort key: 1,024 bytes at most (DynamoDB's quotas).
_TRIGGER_ID_BYTES = 1000


def next_moment(now: datetime, last: datetime | None) -> datetime:
    """Return the moment of the next event: now, or just after the last one if clocks disagree.

    Two writers' clocks differ; a history whose times ran back could not say what was live at T.
    """
    return now if last is None else max(now, last + _TICK)


def register(
    state: ModelState, candidate: NewVersion, *, now: datetime, by: str, why: str
) -> tuple[ModelVersion, HistoryEvent]:
    """Return the version that `candidate` becomes after `state`, and the event that says so."""
    at = next_moment(now, state.last_at)
    version = ModelVersion(
        **_members(candidate), number=state.last_version + 1, registered_at=at, registered_by=by
    )
    event = HistoryEvent(
        model=candidate.model,
        sequence=state.last_event + 1,
        at=at,
        kind=REGISTERED,
        alias=None,
        from_version=None,
        to_version=version.number,
        by=by,
        why=why,
    )
    return version, event


def move(
    state: ModelState,
    *,
    model: str,
    alias: str,
    to: int | None,
    expected: int | None,
    now: datetime,
    by: str,
    why: str,
) -> HistoryEvent:
    """Return the event of a move that comes after `state`."""
    return HistoryEvent(
        model=model,
        sequence=state.last_event + 1,
        at=next_moment(now, state.last_at),
        kind=MOVED,
        alias=alias,
        from_version=expected,
        to_version=to,
        by=by,
        why=why,
    )


def send(
    state: ModelState,
    *,
    model: str,
    to: Route,
    expected: Route,
    now: datetime,
    by: str,
    why: str,
    details: Mapping[str, Any],
) -> HistoryEvent:
    """Return the event by which live sends its requests from `expected` to `to`."""
    same = (to.version, to.function_version) == (expected.version, expected.function_version)
    return HistoryEvent(
        model=model,
        sequence=state.last_event + 1,
        at=next_moment(now, state.last_at),
        kind=SPLIT if same else MOVED,
        alias=LIVE,
        from_version=expected.version,
        to_version=to.version,
        by=by,
        why=why,
        details={**details, **items.route_details(to)},
    )


def applied(state: ModelState, decided: HistoryEvent, *, now: datetime, by: str) -> HistoryEvent:
    """Return the event that says that Lambda sends live's requests as `decided` says."""
    return HistoryEvent(
        model=decided.model,
        sequence=state.last_event + 1,
        at=next_moment(now, state.last_at),
        kind=APPLIED,
        alias=LIVE,
        from_version=None,
        to_version=decided.to_version,
        by=by,
        why="Lambda's alias live is as the registry says",
        details=items.route_details(items.route_of(decided)),
    )


def step(
    state: ModelState,
    *,
    model: str,
    version: int | None,
    now: datetime,
    by: str,
    why: str,
    details: Mapping[str, Any],
) -> HistoryEvent:
    """Return the event that says what came of a step of a release."""
    return HistoryEvent(
        model=model,
        sequence=state.last_event + 1,
        at=next_moment(now, state.last_at),
        kind=STEP,
        alias=None,
        from_version=None,
        to_version=version,
        by=by,
        why=why,
        details=details,
    )


def after(state: ModelState, event: HistoryEvent) -> ModelState:
    """Return the counters once `event` has happened."""
    last = event.to_version if event.kind == REGISTERED else state.last_version
    return ModelState(last_version=last or 0, last_event=event.sequence, last_at=event.at)


def check_model(model: str) -> None:
    """Raise BoringError `model_name_invalid`: names become keys, paths and function names."""
    if not _MODEL.fullmatch(model):
        raise BoringError(
            "model_name_invalid",
            f"{model!r} is no model's name: lower-case letters, digits and hyphens, at most 32.",
            422,
        )


def check_alias(alias: str) -> None:
    """Raise BoringError `alias_unknown`."""
    if alias not in ALIASES:
        raise BoringError("alias_unknown", f"{alias!r} is not one of {', '.join(ALIASES)}.", 422)


def check_audit(by: str, why: str) -> None:
    """Raise BoringError `audit_missing`: a history without who and why answers no question."""
    for field, text in (("by", by), ("why", why)):
        if not text.strip():
            raise BoringError(
                "audit_missing", f"Say {field}: the history needs it.", 422, field=field
            )


def check_candidate(candidate: NewVersion) -> None:
    """Raise BoringError `model_name_invalid` or `candidate_invalid`, with the field."""
    check_model(candidate.model)
    if not _PACKAGE_URI.fullmatch(candidate.package_uri):
        raise _invalid("package_uri", f"{candidate.package_uri!r} is not s3://bucket/prefix/")
    for field in ("package_digest", "data_digest"):
        if not _DIGEST.fullmatch(getattr(candidate, field)):
            raise _invalid(field, f"{getattr(candidate, field)!r} is not sha256:<64 hex digits>")
    if candidate.runtime not in layout.RUNTIMES:
        raise _invalid("runtime", f"{candidate.runtime!r} is not one of {layout.RUNTIMES}")
    for field in ("contract_version", "git_commit", "job_name", "image"):
        if not getattr(candidate, field):
            raise _invalid(field, "it is empty")
    if not 0 <= candidate.cost_usd < float("inf"):
        raise _invalid("cost_usd", f"{candidate.cost_usd} is no amount of money")
    try:
        json.dumps(candidate.metrics, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise _invalid("metrics", f"they are not JSON with finite numbers: {error}") from error


def check_trigger(trigger_id: str) -> None:
    """Raise BoringError `trigger_id_invalid`."""
    if not 0 < len(trigger_id.encode()) <= _TRIGGER_ID_BYTES:
        raise BoringError(
            "trigger_id_invalid", f"A trigger id has 1 to {_TRIGGER_ID_BYTES} bytes.", 422
        )


def check_end(status: str) -> None:
    """Raise BoringError `run_status_invalid` for what is not the end of a run."""
    if status == OPEN or not _STATUS.fullmatch(status):
        raise BoringError(
            "run_status_invalid",
            f"{status!r} is no end of a run: a snake_case word such as succeeded or failed.",
            422,
        )


def _members(candidate: NewVersion) -> dict[str, Any]:
    members = {field.name: getattr(candidate, field.name) for field in fields(NewVersion)}
    # A billionth of a dollar: below it a float may be smaller than a table's number can be.
    return {**members, "cost_usd": round(candidate.cost_usd, 9)}


def _invalid(field: str, problem: str) -> BoringError:
    return BoringError("candidate_invalid", f"{field}: {problem}.", 422, field=field)
