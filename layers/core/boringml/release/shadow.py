"""The shadow of a release: newest live requests are asked of live and of the candidate, once more.

Called again and again by the release's state machine. What one call found stands in one object of
S3, which the next call reads: a call that was lost is done again, and no request counts twice.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from boringml.errors import BoringError
from boringml.release.divergence import Answer, Pair, Summary, summarise
from boringml.release.replay import (
    Clock,
    Invoke,
    LoggedRequest,
    Rebuilder,
    ask,
    is_mirrored,
    logged_request,
    paired,
    replay_event,
)
from boringml.release.shadow_drawing import drawn
from boringml.release.shadow_judge import CONTINUE, ShadowPlan, Verdict, judge_shadow

if TYPE_CHECKING:
    from boringml.adapters.registry_table import RegistryTable

# One call ends well within the function's minute: so many requests, seconds and pages of log.
MAX_REPLAYS = 100
MAX_SECONDS = 30.0
MAX_PAGES = 10
# Lines of one moment come late by seconds: those before the last one are read again.
OVERLAP_MS = 10_000
_TOO_MANY = 429


class Log(Protocol):
    """The prediction log, a page at a time."""

    def page(self, since_ms: int, token: str | None = None) -> Any:
        """Return `.lines`, (ms since 1970, line) each, and `.token` of the next page or None."""


class Store(Protocol):
    """Objects by key."""

    def read(self, key: str) -> bytes:
        """Return an object. Raises BoringError `object_missing`."""

    def write(self, key: str, content: bytes) -> None:
        """Store an object."""


@dataclass(frozen=True)
class Shadow:
    """One release in shadow: who is compared with whom since when (s since 1970), by which plan."""

    model: str
    version: int
    function_version: str
    live_function_version: str
    release: str
    plan: ShadowPlan
    started_at: float

    @property
    def folder(self) -> str:
        """The prefix of what the release leaves in the packages bucket."""
        return f"releases/{self.model}/{self.release}/"


@dataclass
class State:
    """What the calls so far found: pairs, where to read on, and the verdict once there is one."""

    pairs: list[Pair] = field(default_factory=list)
    since_ms: int = 0
    last_ms: int = 0
    token: str | None = None
    outcome: dict[str, Any] | None = None

    @classmethod
    def of(cls, content: bytes) -> "State":
        """Return the state that `content` holds."""
        found = json.loads(content)
        found["pairs"] = [Pair.of(pair) for pair in found["pairs"]]
        return cls(**found)

    def content(self) -> bytes:
        """Return what `of` reads."""
        return json.dumps(asdict(self)).encode()


def compare_shadow(
    shadow: Shadow,
    rebuilder: Rebuilder,
    baseline: Mapping[str, Any],
    log: Log,
    invoke: Invoke,
    store: Store,
    *,
    now: Clock = time.time,
    clock: Clock = time.perf_counter,
) -> dict[str, Any]:
    """Return {"decision", "code", "samples", "reasons", "report"} of the shadow so far.

    `baseline` is `features` of the candidate's baseline.json. `report` is the key of shadow.json,
    beside which lies shadow.svg, and None while the decision is to continue. A verdict, once
    given, is given again.
    """
    key = shadow.folder + "shadow-pairs.json"
    state = _state(store, key, shadow)
    if state.outcome is not None:
        return state.outcome
    mirror = _Mirror(shadow, rebuilder, invoke, clock)
    mirror.extend(state, log)
    summary = summarise(state.pairs, rebuilder.key_features, baseline)
    elapsed = now() - shadow.started_at
    verdict = judge_shadow(summary, shadow.plan, elapsed)
    outcome: dict[str, Any] = {
        "decision": verdict.decision,
        "code": verdict.code,
        "samples": summary.samples,
        "reasons": list(verdict.reasons),
        "report": None,
    }
    if verdict.decision != CONTINUE:
        report = report_of(shadow, rebuilder, summary, verdict, elapsed)
        outcome["report"] = shadow.folder + "shadow.json"
        store.write(shadow.folder + "shadow.svg", drawn(report, state.pairs).encode())
        store.write(outcome["report"], json.dumps(report, indent=2).encode())
        state.outcome = outcome
    store.write(key, state.content())
    return outcome


def report_of(
    shadow: Shadow, rebuilder: Rebuilder, summary: Summary, verdict: Verdict, elapsed_s: float
) -> dict[str, Any]:
    """Return what shadow.json says: who was compared, what was seen, what was not, the verdict."""
    return {
        "model": shadow.model,
        "version": shadow.version,
        "release": shadow.release,
        "function_version": shadow.function_version,
        "live_function_version": shadow.live_function_version,
        "seconds": round(elapsed_s, 1),
        "verdict": {
            "decision": verdict.decision,
            "code": verdict.code,
            "reasons": list(verdict.reasons),
        },
        "plan": asdict(shadow.plan),
        "summary": asdict(summary),
        "not_compared": {
            "sensitive_fields": dict(rebuilder.filled),
            "why": (
                "Sensitive fields never reach the log. Both versions were asked with the value "
                "shown here, typical of the training data (null: left out), the same in every "
                "request: what these fields do to an answer was not compared, nor segments of "
                "them. No person's data was made up."
            ),
            "requests": (
                "Requests that live refused or failed are not asked again. A record of a list is "
                "asked by itself."
            ),
        },
    }


def conclude(
    registry: "RegistryTable", model: str, version: int, found: dict[str, Any], execution: str
) -> dict[str, Any]:
    """Return what a comparison found, after a verdict went into the history.

    Raises BoringError with the verdict's code (422) where the candidate did not pass.
    """
    if found["decision"] == CONTINUE:
        return found
    why = "; ".join(found["reasons"])[:900]
    registry.record_step(
        model,
        step="shadow",
        outcome="passed" if found["code"] is None else "failed",
        version=version,
        by=execution,
        why=why,
        details={"samples": found["samples"], "report": found["report"]},
    )
    if found["code"] is not None:
        raise BoringError(found["code"], why, 422)
    return found


class _Mirror:
    """Asks both versions what live was asked."""

    def __init__(self, shadow: Shadow, rebuilder: Rebuilder, invoke: Invoke, clock: Clock) -> None:
        self._shadow = shadow
        self._rebuilder = rebuilder
        self._invoke = invoke
        self._clock = clock
        self._until = clock() + MAX_SECONDS
        self._warm = False

    def extend(self, state: State, log: Log) -> None:
        """Add the pairs of requests that are in the log and not yet in the state."""
        seen = {pair.id for pair in state.pairs}
        most = len(state.pairs) + MAX_REPLAYS
        try:
            for _ in range(MAX_PAGES):
                page = log.page(state.since_ms, state.token)
                for at, line in page.lines:
                    request = self._request(line)
                    if request is not None and request.id not in seen:
                        if self._is_done(state, most):
                            # The same page is read again: what is seen does not count twice.
                            return
                        state.pairs.append(self._pair(request, len(state.pairs)))
                        seen.add(request.id)
                    state.last_ms = max(state.last_ms, at)
                state.token = page.token
                if page.token is None:
                    state.since_ms = max(state.since_ms, state.last_ms - OVERLAP_MS)
                    return
        except BoringError as error:
            # No room now: the next call goes on from here.
            if error.status != _TOO_MANY:
                raise

    def _request(self, line: Mapping[str, Any]) -> LoggedRequest | None:
        shadow = self._shadow
        request = logged_request(line, shadow.model, shadow.live_function_version)
        if request is None or not is_mirrored(request.request_id, shadow.plan.share):
            return None
        return request

    def _is_done(self, state: State, most: int) -> bool:
        answered = sum(pair.live.failure is None for pair in state.pairs)
        return (
            len(state.pairs) >= most
            or answered >= self._shadow.plan.samples
            or self._clock() >= self._until
        )

    def _pair(self, request: LoggedRequest, number: int) -> Pair:
        shadow = self._shadow
        event = replay_event(
            shadow.model, request.request_id, self._rebuilder.record(request.features)
        )
        versions = (shadow.live_function_version, shadow.function_version)
        if not self._warm:
            # A start takes longer than an answer, and says nothing of the version.
            for version in versions:
                self._ask(version, event)
            self._warm = True
        pair = paired(request, event, self._ask, *versions, live_first=number % 2 == 0)
        known = {n: v for n, v in pair.features.items() if n in self._rebuilder.key_features}
        return Pair(pair.id, pair.live, pair.candidate, known)

    def _ask(self, version: str, event: Mapping[str, Any]) -> Answer:
        return ask(self._invoke, version, event, self._clock)


def _state(store: Store, key: str, shadow: Shadow) -> State:
    try:
        return State.of(store.read(key))
    except BoringError as error:
        if error.code != "object_missing":
            raise
        return State(since_ms=int(shadow.started_at * 1000))
