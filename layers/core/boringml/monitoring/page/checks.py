"""What speaks for a rollback: each check looks at one thing and says what it saw, with numbers."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from boringml.monitoring.page import words
from boringml.monitoring.page.answers import BAD, FINE, UNKNOWN, WATCH
from boringml.monitoring.page.changes import is_news, last_move
from boringml.monitoring.page.document import (
    Alarm,
    Limits,
    ModelDocument,
    Read,
    Traffic,
    Unread,
    VersionTraffic,
)
from boringml.monitoring.page.fall import fall
from boringml.monitoring.page.lately import lately
from boringml.monitoring.report import NOT_EVALUATED, RAISED, Report
from boringml.registry.records import HistoryEvent, Route
from boringml.release.canary import slow_limit_ms
from boringml.release.evidence import log_evidence
from boringml.release.shadow_judge import EARLY_CHANCE, chance_of_at_least

# Looks are hourly: one that is older than this says little about now.
STALE: Final = timedelta(days=2)
_WORST: Final = (BAD, WATCH, UNKNOWN, FINE)
# Alarms that say that live fails, by their names in the templates: live's own requests alone, where
# those on the function are of its candidates as well.
_OF_LIVE: Final = frozenset({"LiveFailuresAlarm", "OutageAlarm"})


@dataclass(frozen=True)
class Check:
    """What was looked at, what it came to (a tone of `answers`), and what was seen, in words."""

    name: str
    tone: str
    says: str


def checks(document: ModelDocument) -> list[Check]:
    """Return all checks that apply to the model, the most telling first."""
    return [check for look in _LOOKS if (check := look(document)) is not None]


def _failures(document: ModelDocument) -> Check | None:
    """Judge live against the version before by the evidence that canaries are judged by.

    It is valid at every look (boringml.release.evidence). With nothing to compare with, more
    failures than are tolerated must be beyond chance at every look: EARLY_CHANCE. The last periods
    are judged by themselves as well, and the worse counts.
    """
    name = "Failures"
    both = _both(document, name)
    if both is None or isinstance(both, Check):
        return both
    now, before = both
    check, tolerated = _failures_of_all(name, now, before, document.limits)
    traffic = document.traffic
    sudden = lately(traffic, now, tolerated) if isinstance(traffic, Traffic) else None
    if sudden is not None and _WORST.index(sudden[0]) < _WORST.index(check.tone):
        check = Check(name, sudden[0], f"{sudden[1]} In all, {check.says}")
    if check.tone == BAD and (move := _last_move(document)) and not is_news(move, document.as_of):
        told = (
            f"Live is as it was {words.ago(move.at, document.as_of)}: look at what it needs, too."
        )
        check = Check(name, BAD, f"{check.says} {told}")
    return check


def _failures_of_all(
    name: str, now: VersionTraffic, before: VersionTraffic | None, limits: Limits
) -> tuple[Check, float]:
    """Return what all requests of the page's time say, and the share of failures tolerated."""
    told = words.bad_of_all(now.failures, now.requests, "requests failed")
    if before is not None and before.requests:
        told += f"; with version {before.version}, {words.of_all(before.failures, before.requests)}"
        counts = (now.failures, now.requests, before.failures, before.requests)
        harm = log_evidence(*counts, limits.failures) >= -math.log(1 - limits.confidence)
        tolerated = before.failures / before.requests + limits.failures
    else:
        told += ", and nothing is known of the version before"
        tolerated = limits.failures
        harm = chance_of_at_least(now.failures, now.requests, tolerated) < EARLY_CHANCE
    if harm:
        check = Check(name, BAD, f"{told}. That is beyond chance and what is tolerated.")
    elif now.requests < limits.min_samples:
        check = Check(name, UNKNOWN, f"{told}. {_too_few(now.requests, limits.min_samples)}")
    elif now.failures / now.requests > tolerated:
        check = Check(name, WATCH, f"{told}. More than is tolerated, though chance may explain it.")
    else:
        check = Check(name, FINE, f"{told}.")
    return check, tolerated


def _latency(document: ModelDocument) -> Check | None:
    name = "p95 latency"
    both = _both(document, name)
    if both is None or isinstance(both, Check):
        return both
    now, before = both
    limits, p95 = document.limits, now.p95_ms
    if p95 is None or now.requests < limits.min_samples:
        return Check(name, UNKNOWN, _too_few(now.requests, limits.min_samples))
    told = f"p95 is {words.milliseconds(p95)}"
    known = before is not None and before.requests >= limits.min_samples
    if known and before is not None and before.p95_ms is not None:
        most = slow_limit_ms(before.p95_ms, limits.slow_ratio, limits.slow_floor_ms)
        told += (
            f", with version {before.version} {words.milliseconds(before.p95_ms)}; "
            f"at most {words.milliseconds(most)} is tolerated"
        )
        if p95 > most:
            return Check(name, BAD, f"{told}.")
    promise = limits.promised_p95_ms
    if promise is not None and p95 > promise:
        return Check(name, WATCH, f"{told}. Promised are {words.milliseconds(promise)}.")
    if promise is not None:
        told += f"; promised are {words.milliseconds(promise)}"
    return Check(name, FINE, f"{told}.")


def _kpi(document: ModelDocument) -> Check | None:
    limits = document.limits
    if limits.kpi is None:
        return None
    name = f"Business outcome {limits.kpi}"
    both = _both(document, name)
    if both is None or isinstance(both, Check):
        return both
    now, before = both
    told = words.bad_of_all(now.bad_outcomes, now.outcomes, "came out badly")
    if now.outcomes < limits.min_outcomes:
        return Check(name, UNKNOWN, f"{told}. {_too_few(now.outcomes, limits.min_outcomes)}")
    if before is None or before.version == now.version or before.outcomes < limits.min_outcomes:
        return Check(name, UNKNOWN, f"{told}. Too little is known of the version before.")
    told += f"; with version {before.version}, {words.of_all(before.bad_outcomes, before.outcomes)}"
    counts = (now.bad_outcomes, now.outcomes, before.bad_outcomes, before.outcomes)
    if log_evidence(*counts, limits.kpi_tolerance) >= -math.log(1 - limits.confidence):
        return Check(name, BAD, f"{told}. That is beyond chance and what is tolerated.")
    worse = now.bad_outcomes / now.outcomes - before.bad_outcomes / before.outcomes
    if worse > limits.kpi_tolerance:
        return Check(name, WATCH, f"{told}. Worse than is tolerated, though chance may explain it.")
    return Check(name, FINE, f"{told}.")


def _quality(document: ModelDocument) -> Check | None:
    return _reported(document, "Quality", document.quality, lambda raised: fall(document, raised))


def _drift(document: ModelDocument) -> Check | None:
    # Another version would meet the same data: drift alone is no reason to go back.
    return _reported(document, "Drift", document.drift, lambda _raised: (WATCH, ""))


def _alarms(document: ModelDocument) -> Check | None:
    alarms = document.alarms
    if isinstance(alarms, Unread):
        return Check("Alarms", UNKNOWN, f"Alarms could not be read: {alarms.why}")
    if not alarms:
        return Check("Alarms", FINE, "No alarm of the model rings.")
    told = "; ".join(words.short(alarm.says) for alarm in alarms[:3])
    told = f"{words.counted(len(alarms), 'alarm')} of the model: {told}"
    move = _last_move(document)
    # One that rang before live moved says nothing of what is live now: a rollback ends no hour.
    if move and is_news(move, document.as_of) and any(_blames(alarm, move) for alarm in alarms):
        when = words.ago(move.at, document.as_of)
        return Check("Alarms", BAD, f"{told}. It began after live changed, {when}.")
    return Check("Alarms", WATCH, told)


def _blames(alarm: Alarm, move: HistoryEvent) -> bool:
    return alarm.since > move.at and not _OF_LIVE.isdisjoint(alarm.name.split("-"))


def _last_move(document: ModelDocument) -> HistoryEvent | None:
    return None if isinstance(document.history, Unread) else last_move(document.history)


_LOOKS: tuple[Callable[[ModelDocument], Check | None], ...] = (
    _failures,
    _latency,
    _kpi,
    _quality,
    _drift,
    _alarms,
)


def newest(reports: Sequence[Report], version: int | None) -> Report | None:
    """Return the newest report about a version, or about the model as a whole."""
    about = [report for report in reports if report.version in (None, version)]
    return about[-1] if about else None


def _reported(
    document: ModelDocument,
    name: str,
    reports: Read[tuple[Report, ...]],
    raised: Callable[[Report], tuple[str, str]],
) -> Check:
    if isinstance(reports, Unread):
        return Check(name, UNKNOWN, f"Its reports could not be read: {reports.why}")
    live = None if isinstance(document.route, Unread) else document.route.version
    report = newest(reports, live)
    if report is None:
        return Check(name, UNKNOWN, f"Not measured yet for version {words.number(live)}.")
    said = words.short(report.says)
    if document.as_of - report.end > STALE:
        when = words.ago(report.end, document.as_of)
        return Check(name, UNKNOWN, f"The last look was {when}. It said: {said}")
    if report.status == NOT_EVALUATED:
        return Check(name, UNKNOWN, said)
    if report.status != RAISED:
        return Check(name, FINE, said)
    tone, told = raised(report)
    return Check(name, tone, f"{said} {told}".rstrip())


def _both(
    document: ModelDocument, name: str
) -> tuple[VersionTraffic, VersionTraffic | None] | Check | None:
    """Return what live and the version before it were asked; a Check where that is not known."""
    if not document.served:
        return None
    traffic, route = document.traffic, document.route
    if isinstance(route, Unread):
        return Check(name, UNKNOWN, f"What is live could not be read: {route.why}")
    if isinstance(traffic, Unread):
        return Check(name, UNKNOWN, f"Metrics could not be read: {traffic.why}")
    nobody = VersionTraffic(route.version or 0, str(route.function_version), ())
    if traffic is None:
        return nobody, None
    return traffic.of(route) or nobody, traffic.of(_other(document.before, route))


def _other(before: Route | None, route: Route) -> Route | None:
    return before if before and before.function_version != route.function_version else None


def _too_few(found: int, needed: int) -> str:
    return f"{found:,} is too few to tell: {needed:,} are needed."
