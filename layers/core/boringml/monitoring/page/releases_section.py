"""What shadow and canary found: the verdicts, with their numbers and what is tolerated."""

from collections.abc import Iterator, Mapping
from typing import Any

from boringml.monitoring.page import words
from boringml.monitoring.page.answers import BAD, FINE, UNKNOWN, WATCH
from boringml.monitoring.page.document import ModelDocument, Unread
from boringml.monitoring.page.markup import Child, Markup, element
from boringml.monitoring.page.parts import (
    Section,
    badge,
    fold,
    note,
    nothing,
    paragraph,
    table,
    unread,
)
from boringml.monitoring.page.releases import (
    STEPS,
    CanaryLook,
    Release,
    canary_looks,
    releases,
)
from boringml.monitoring.page.untyped import is_number, list_of, map_of, number_of, text_of

_MOST_RELEASES = 8
_MOST_LOOKS = 6
_OUTCOMES = {
    "passed": FINE,
    "advance": FINE,
    "failed": BAD,
    "harm": BAD,
    "undecided": WATCH,
    "not_compared": UNKNOWN,
}
_SAID = {"advance": "passed", "not_compared": "not compared"}


def releases_section(document: ModelDocument) -> Section:
    """Return the section."""
    return Section("releases", "Verdicts of releases", list(_body(document)))


def _body(document: ModelDocument) -> Iterator[Child]:
    history = document.history
    if isinstance(history, Unread):
        yield unread(history)
    else:
        found = releases(history, _MOST_RELEASES)
        yield _road(found, document) if found else nothing("No version was released yet.")
    yield element("h3", "The last shadow")
    if isinstance(document.shadow, Unread):
        yield unread(document.shadow)
    elif document.shadow is None:
        yield nothing("No version has been compared with live yet.")
    else:
        yield from _shadow(document.shadow)
    if document.served and not isinstance(history, Unread):
        yield element("h3", "Canaries")
        looks = canary_looks(history, _MOST_LOOKS)
        if not looks:
            yield nothing("No canary has been judged yet.")
        else:
            yield _look(looks[0])
            if looks[1:]:
                yield fold(f"{len(looks) - 1} earlier verdicts", [_look(one) for one in looks[1:]])
            yield note(
                "Evidence is the logarithm of how much better harm explains the counts than no "
                "harm does, valid at every look; at the second number the canary is stopped."
            )


def _road(found: list[Release], document: ModelDocument) -> Markup:
    steps = [
        step
        for step in STEPS
        if any(step in release.steps or _stopped_by(release, step) for release in found)
    ]
    rows: list[list[Child]] = []
    for release in found:
        cells = [_step(release, step) for step in steps]
        begun = words.clock_or_day(release.begin, document.as_of)
        rows.append(
            [
                [f"version {release.version}", element("span", f" {begun}", class_="quiet")],
                *cells,
                _end(release),
            ]
        )
    columns = ("Release", *(step.capitalize() for step in steps), "End")
    return table("Releases, the newest first", columns, rows)


def _step(release: Release, step: str) -> Child:
    events = release.steps.get(step)
    if not events:
        return badge(BAD, "failed") if _stopped_by(release, step) else "-"
    outcome = str(events[-1].details.get("outcome"))
    return badge(_OUTCOMES.get(outcome, UNKNOWN), _SAID.get(outcome, outcome.replace("_", " ")))


def _stopped_by(release: Release, step: str) -> bool:
    """Return whether the reason of a release's end is a step's: smoke_failed is that of smoke."""
    reason = map_of(release.end.details.get("reason")) if release.end else {}
    return text_of(reason.get("code")).startswith(f"{step}_")


def _end(release: Release) -> Child:
    if release.end is None:
        return badge(WATCH, "under way")
    if release.went_live:
        return badge(FINE, "live")
    why = words.short(release.end.why, 160)
    return [badge(BAD, "stopped"), element("span", f" {why}", class_="quiet")]


def _shadow(report: Mapping[str, Any]) -> Iterator[Child]:
    verdict = map_of(report.get("verdict"))
    plan, summary = map_of(report.get("plan")), map_of(report.get("summary"))
    unit = text_of(plan.get("unit")) or "requests"
    version = words.number(report.get("version"))
    passed = verdict.get("decision") == "pass"
    yield paragraph(
        badge(FINE if passed else BAD, "passed" if passed else "failed"),
        f" Version {version}, over {words.number(summary.get('samples'))} {unit} "
        "that live had answered.",
    )
    rows = [row for row in _tolerances(plan, summary, passed) if row[1] is not None]
    yield table(
        f"Version {version} in shadow of live",
        ("Measure", "Seen", "Tolerated", "Verdict"),
        [
            (name, seen, most, badge(FINE if fine else BAD, "within" if fine else "beyond"))
            for name, seen, most, fine in rows
        ],
        numbers=(1, 2),
        hidden=True,
    )
    reasons = [text_of(reason) for reason in list_of(verdict.get("reasons"))]
    if reasons and not passed:
        yield element("ul", [element("li", words.short(reason)) for reason in reasons])


def _tolerances(
    plan: Mapping[str, Any], summary: Mapping[str, Any], passed: bool
) -> Iterator[tuple[str, str | None, str, bool]]:
    yield _share(
        "Failed, where live answered", summary, "extra_failure_share", plan, "max_extra_failures"
    )
    yield _share("Other labels", summary, "label_disagreement", plan, "max_label_disagreement")
    shift, most = (
        map_of(summary.get("probability_shift")).get("p95"),
        plan.get("max_probability_shift"),
    )
    if is_number(shift) and is_number(most):
        yield "Probability moves by, p95", f"{shift:.4f}", f"{most:.4f}", shift <= most
    segments = [map_of(item) for item in list_of(summary.get("segments"))]
    shares = [number_of(segment.get("share")) for segment in segments if segment.get("judged")]
    worst = max((share for share in shares if share is not None), default=None)
    limit = plan.get("max_segment_disagreement")
    if is_number(worst) and is_number(limit):
        told = f"{words.per_cent(limit)} and chance"
        # The judge allows a segment what chance adds: one that passed is within that.
        fine = passed or worst <= limit
        yield "Other labels in the worst segment", words.per_cent(worst), told, fine
    ours = map_of(summary.get("candidate_latency_ms")).get("p95")
    live, ratio = map_of(summary.get("live_latency_ms")).get("p95"), plan.get("max_latency_ratio")
    if is_number(ours) and is_number(live) and is_number(ratio):
        limit_ms = max(live * ratio, live + (number_of(plan.get("latency_floor_ms")) or 0))
        yield (
            "p95 latency",
            words.milliseconds(ours),
            words.milliseconds(limit_ms),
            ours <= limit_ms,
        )


def _share(
    name: str, summary: Mapping[str, Any], seen: str, plan: Mapping[str, Any], most: str
) -> tuple[str, str | None, str, bool]:
    value, limit = summary.get(seen), plan.get(most)
    if not is_number(value) or not is_number(limit):
        return name, None, "", True
    return name, words.per_cent(value), words.per_cent(limit), value <= limit


def _look(look: CanaryLook) -> Markup:
    share = words.per_cent(look.weight) if is_number(look.weight) else "a share"
    outcome = badge(_OUTCOMES.get(look.outcome, UNKNOWN), _SAID.get(look.outcome, look.outcome))
    rows = [
        (
            name.replace("_", " "),
            _bad(found.get("candidate")),
            _bad(found.get("live")),
            words.per_cent(found["tolerance"]) if is_number(found.get("tolerance")) else "-",
            f"{_two(found.get('log_evidence'))} of {_two(look.needed)}",
        )
        for name, found in look.measures.items()
    ]
    caption = f"Version {look.version} with {share} of the requests"
    return element(
        "div",
        paragraph(outcome, f" {caption}."),
        table(
            caption,
            ("Bad ones", "Candidate", "Live", "Tolerated more", "Evidence"),
            rows,
            numbers=(1, 2, 3, 4),
            hidden=True,
        ),
    )


def _two(value: object) -> str:
    return f"{value:.2f}" if is_number(value) else "-"


def _bad(counts: Any) -> str:
    if not isinstance(counts, list | tuple) or len(counts) != 2:
        return "-"
    bad, of = counts
    return words.of_all(bad, of) if isinstance(bad, int) and isinstance(of, int) else "-"
