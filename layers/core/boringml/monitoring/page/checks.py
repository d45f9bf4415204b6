"""What speaks for a rollback: each check looks at one thing and says what it saw, with numbers."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from boringml.monitoring.page import words
from boringml.monitoring.page.answers import BAD, FINE, UNKNOWN, WATCH
from boringml.monitoring.page.document import ModelDocument, Read, Unread, VersionTraffic
from boringml.monitoring.report import NOT_EVALUATED, RAISED, Report
from boringml.registry.records import Route
from boringml.release.canary import slow_limit_ms
from boringml.release.evidence import log_evidence
from boringml.release.shadow_judge import EARLY_CHANCE, chance_of_at_least

# Looks are hourly: one that is older than this says little about now.
STALE: Final = timedelta(days=2)


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
    failures than are tolerated must be beyond chance at every look: EARLY_CHANCE.
    """
    name = "Failures"
    both = _both(document, name)
    if both is None or isinstance(both, Check):
        return both
    now, before = both
    limits = document.limits
    told = words.bad_of_all(now.failures, now.requests, "requests failed")
    if before is not None and before.requests:
        told += f"; with version {before.version}, {words.of_all(before.failures, before.requests)}"
        counts = (now.failures, now.requests, before.failures, before.requests)
        harm = log_evidence(*counts, limits.failures) >= -math.log(1 - limits.confidence)
        reference = before.failures / before.requests
    else:
        told += ", and nothing is known of the version before"
        chance = chance_of_at_least(now.failures, now.requests, limits.failures)
        harm, reference = chance < EARLY_CHANCE, 0.0
    if harm:
        return Check(name, BAD, f"{told}. That is beyond chance and what is tolerated.")
    if now.requests < limits.min_samples:
        return Check(name, UNKNOWN, f"{told}. {_too_few(now.requests, limits.min_samples)}")
    if now.failures / now.requests > reference + limits.failures:
        return Check(name, WATCH, f"{told}. More than is tolerated, though chance may explain it.")
    return Check(name, FINE, f"{told}.")


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
    return _reported(document, "Quality", document.quality, BAD)


def _drift(document: ModelDocument) -> Check | None:
    # Another version would meet the same data: drift alone is no reason to go back.
    return _reported(document, "Drift", document.drift, WATCH)


def _alarms(document: ModelDocument) -> Check | None:
    alarms = document.alarms
    if isinstance(alarms, Unread):
        return Check("Alarms", UNKNOWN, f"Alarms could not be read: {alarms.why}")
    if not alarms:
        return Check("Alarms", FINE, "No alarm of the model rings.")
    told = "; ".join(words.short(alarm.says) for alarm in alarms[:3])
    return Check("Alarms", WATCH, f"{words.counted(len(alarms), 'alarm')} of the model: {told}")


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
    document: ModelDocument, name: str, reports: Read[tuple[Report, ...]], raised: str
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
    return Check(name, raised if report.status == RAISED else FINE, said)


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
