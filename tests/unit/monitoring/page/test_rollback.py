"""Should we roll back? Each row of the rule, and that nothing unknown passes for fine."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boringml.monitoring.page.answers import BAD, FINE, UNKNOWN, WATCH
from boringml.monitoring.page.checks import Check, checks
from boringml.monitoring.page.document import (
    Alarm,
    Limits,
    ModelDocument,
    Point,
    Traffic,
    Unread,
    VersionTraffic,
)
from boringml.monitoring.page.quality_section import quality_section
from boringml.monitoring.page.rollback import (
    CANNOT_TELL,
    NO,
    WATCH_IT,
    YES,
    Advice,
    should_we_roll_back,
)
from boringml.monitoring.report import FINE as FINE_REPORT
from boringml.monitoring.report import NOT_EVALUATED, QUALITY, RAISED, Report
from boringml.registry.records import LIVE, MOVED, Route
from tools.page_sample import NOW, empty, full, harmed, under_way, unreadable

GONE = Unread("AccessDenied")


def model(**parts: Any) -> ModelDocument:
    """A model that is well: enough requests of live and of the version before, all reports fine."""
    fine = [replace(report, status=FINE_REPORT) for report in full().drift]  # type: ignore[union-attr]
    return replace(full(), drift=tuple(fine), **parts)


def traffic(
    now: tuple[int, int], before: tuple[int, int] = (1000, 1), p95: tuple[float, float] = (20, 20)
) -> Traffic:
    """(requests, failures) of live, version 6, and of version 4 before it."""
    versions = tuple(
        VersionTraffic(version, code, (Point(NOW, requests, failures, 9.0, latency),), 100, 10)
        for version, code, (requests, failures), latency in (
            (4, "7", before, p95[1]),
            (6, "9", now, p95[0]),
        )
    )
    return Traffic(NOW - timedelta(hours=1), NOW, 3600, versions)


def seen(document: ModelDocument, name: str) -> Check:
    return next(check for check in checks(document) if check.name == name)


def report(status: str, version: int | None = 6, age: timedelta = timedelta(hours=1)) -> Report:
    end = NOW - age
    return Report(QUALITY, "credit", version, end - timedelta(days=1), end, status, "It says so.")


def test_a_model_that_is_well_is_left_alone() -> None:
    advice = should_we_roll_back(model())
    assert (advice.answer.short, advice.answer.tone) == (NO, FINE)
    assert advice.command == "boringml rollback credit"
    assert advice.target == "version 4"


@pytest.mark.parametrize(
    ("now", "before", "tone"),
    [
        ((1000, 1), (1000, 1), FINE),
        ((1000, 120), (1000, 1), BAD),
        # Worse than is tolerated, and chance may explain it.
        ((200, 4), (1000, 1), WATCH),
        # Harm that is clear needs no minimum of requests.
        ((40, 30), (1000, 1), BAD),
        ((40, 0), (1000, 1), UNKNOWN),
        ((0, 0), (1000, 1), UNKNOWN),
        # With nothing to compare with, what is tolerated decides.
        ((1000, 120), (0, 0), BAD),
        ((1000, 5), (0, 0), FINE),
        ((1000, 15), (0, 0), WATCH),
        # As bad as the version before: going back would not help.
        ((1000, 120), (1000, 120), FINE),
    ],
)
def test_failures(now: tuple[int, int], before: tuple[int, int], tone: str) -> None:
    assert seen(model(traffic=traffic(now, before)), "Failures").tone == tone


def day(a_minute: float, failing_minutes: float) -> Traffic:
    """A day of version 6 in periods of 15 minutes, of which the last minutes all failed."""
    points = []
    for place in range(96):
        bad = min(15.0, max(0.0, failing_minutes - 15 * place))
        at = NOW - timedelta(minutes=15 * (place + 1))
        points.append(Point(at, round(15 * a_minute), round(bad * a_minute), 9.0, 20.0))
    version = VersionTraffic(6, "9", tuple(reversed(points)), 100, 10)
    return Traffic(NOW - timedelta(days=1), NOW, 900, (version,))


@pytest.mark.parametrize(
    ("a_minute", "failing", "short"),
    [
        (14, 0, NO),
        (14, 4, YES),
        (14, 14, YES),
        (14, 30, YES),
        (3, 14, YES),
        (0.4, 15, YES),
        # Two of two: worth a look, and too few to say more.
        (2 / 15, 15, WATCH_IT),
        (14, 0.7, WATCH_IT),
        (14, 0.1, NO),
    ],
)
def test_an_outage_is_not_hidden_by_a_good_day(a_minute: float, failing: float, short: str) -> None:
    assert should_we_roll_back(model(traffic=day(a_minute, failing))).answer.short == short


def test_a_period_that_has_just_begun_is_judged_with_the_one_before() -> None:
    asked = day(14, 15)
    (version,) = asked.versions
    begun = replace(asked, end=NOW + timedelta(minutes=15))
    points = (*version.points, Point(NOW, 1, 1, 9.0, 20.0))
    asked = replace(begun, versions=(replace(version, points=points),))
    assert seen(model(traffic=asked), "Failures").says.startswith(
        "211 of 211 requests failed (100 %) in the last 30 minutes."
    )


def test_an_outage_says_when_it_began_and_that_live_did_not_change() -> None:
    told = seen(model(traffic=day(14, 14)), "Failures").says
    assert told == (
        "196 of 210 requests failed (93.3 %) in the last 15 minutes. That is beyond chance. "
        "In all, 196 of 20,160 requests failed (0.97 %), and nothing is known of the version "
        "before. Live is as it was 4 days ago: look at what it needs, too."
    )


def test_the_last_minutes_are_held_to_what_the_version_before_did() -> None:
    older = VersionTraffic(4, "7", (Point(NOW - timedelta(hours=9), 1000, 300, 9.0, 20.0),), 100, 1)
    asked = day(14, 3)
    assert seen(model(traffic=asked), "Failures").tone == BAD
    before = replace(asked, versions=(older, *asked.versions))
    assert seen(model(traffic=before), "Failures").tone == FINE


@pytest.mark.parametrize(
    ("p95", "before", "tone"),
    [
        ((20, 20), (1000, 1), FINE),
        ((55, 20), (1000, 1), BAD),
        ((45, 20), (1000, 1), FINE),
        ((350, 340), (1000, 1), WATCH),
        ((350, 20), (0, 0), WATCH),
        ((200, 20), (10, 0), FINE),
    ],
)
def test_latency(p95: tuple[float, float], before: tuple[int, int], tone: str) -> None:
    found = seen(model(traffic=traffic((1000, 1), before, p95)), "p95 latency")
    assert found.tone == tone


@pytest.mark.parametrize(
    ("outcomes", "bad", "tone"), [(1000, 100, FINE), (1000, 400, BAD), (20, 0, UNKNOWN)]
)
def test_business_outcomes(outcomes: int, bad: int, tone: str) -> None:
    before, now = traffic((1000, 1)).versions
    asked = replace(
        traffic((1000, 1)), versions=(before, replace(now, outcomes=outcomes, bad_outcomes=bad))
    )
    assert seen(model(traffic=asked), "Business outcome LoanAccepted").tone == tone


@pytest.mark.parametrize(
    ("found", "tone"),
    [
        ((), UNKNOWN),
        (GONE, UNKNOWN),
        ((report(FINE_REPORT),), FINE),
        ((report(RAISED),), BAD),
        ((report(RAISED, None),), BAD),
        ((report(NOT_EVALUATED),), UNKNOWN),
        # Of another version, or of last week, it says nothing about now.
        ((report(RAISED, 4),), UNKNOWN),
        ((report(FINE_REPORT, 6, timedelta(days=3)),), UNKNOWN),
    ],
)
def test_quality(found: Any, tone: str) -> None:
    assert seen(model(quality=found), "Quality").tone == tone


def fallen(*against: str) -> Report:
    """Version 6 judged over the last seven days, against the seven before."""
    begin = NOW - timedelta(days=14)
    days = [(begin + timedelta(days=place)).date().isoformat() for place in range(14)]
    details = {
        "comparisons": [
            {"against": name, "fell": name in against} for name in ("holdout", "days_before")
        ],
        "days": [{"date": day} for day in days],
        "window": {"end": NOW.date().isoformat()},
    }
    return replace(report(RAISED), details=details)


@pytest.mark.parametrize(
    ("against", "new_code", "tone"),
    [
        (["holdout"], None, BAD),
        (["holdout", "days_before"], None, BAD),
        # Within one version, other data: another version would meet the same.
        (["days_before"], None, WATCH),
        # The release is in the middle of what is compared.
        (["days_before"], 6, BAD),
        (["days_before"], 20, WATCH),
        (["days_before"], 0, WATCH),
    ],
)
def test_a_fall_is_the_releases_or_the_datas(
    against: list[str], new_code: int | None, tone: str
) -> None:
    history = full().history
    assert isinstance(history, tuple)
    if new_code is not None:
        move = replace(
            history[-1],
            kind=MOVED,
            alias=LIVE,
            at=NOW - timedelta(days=new_code),
            from_version=6,
            to_version=6,
            details={"function_version": "11"},
        )
        history = (*history, move)
    document = model(quality=(fallen(*against),), history=history)
    found = seen(document, "Quality")
    assert found.tone == tone
    assert ("train again" in found.says) == (tone == WATCH)
    # Its section says the same.
    assert f'class="badge {tone}"' in str(list(quality_section(document).body))


def test_a_fall_within_a_version_is_no_reason_to_go_back() -> None:
    advice = should_we_roll_back(model(quality=(fallen("days_before"),)))
    assert (advice.answer.short, advice.answer.tone) == (WATCH_IT, WATCH)
    assert "the data changed and not the release" in advice.answer.headline


def test_drift_alone_is_watched_since_another_version_would_meet_the_same_data() -> None:
    advice = should_we_roll_back(full())
    assert (advice.answer.short, advice.answer.tone) == (WATCH_IT, WATCH)
    assert "Drift" in advice.answer.headline


def test_the_most_telling_check_is_told_first() -> None:
    advice = should_we_roll_back(harmed())
    assert advice.answer.short == YES
    assert advice.answer.headline.startswith("Failures: ")
    assert any("alarm" in reason for reason in advice.answer.because)


def test_an_alarm_is_watched() -> None:
    rings = (Alarm("a", "credit: it rings", NOW),)
    assert should_we_roll_back(model(alarms=rings)).answer.short == WATCH_IT


@pytest.mark.parametrize(
    ("name", "rings", "moved", "short"),
    [
        ("boringml-dev-CreditOnline-1AB-LiveFailuresAlarm-2CD", 5, 60, YES),
        ("boringml-dev-CreditOnline-1AB-OutageAlarm-2CD", 5, 60, YES),
        # Live is as it was a week ago, or moved after it began: a rollback took it back already.
        ("boringml-dev-CreditOnline-1AB-LiveFailuresAlarm-2CD", 5, 10_000, WATCH_IT),
        ("boringml-dev-CreditOnline-1AB-OutageAlarm-2CD", 50, 5, WATCH_IT),
        # Of candidates as well, or of something else.
        ("boringml-dev-CreditOnline-1AB-FunctionErrorsAlarm-2CD", 5, 60, WATCH_IT),
        ("boringml-dev-CreditOnline-Watch-1AB-CostAlarm-2CD", 5, 60, WATCH_IT),
    ],
)
def test_an_alarm_that_live_fails_speaks_against_a_move_before_it(
    name: str, rings: int, moved: int, short: str
) -> None:
    alarms = (Alarm(name, "credit: it rings", NOW - timedelta(minutes=rings)),)
    last = full().history[-1]  # type: ignore[index]
    move = replace(
        last,
        kind=MOVED,
        alias=LIVE,
        at=NOW - timedelta(minutes=moved),
        from_version=4,
        to_version=6,
        details={"function_version": "9"},
    )
    document = model(alarms=alarms, history=(*full().history, move))  # type: ignore[misc]
    assert should_we_roll_back(document).answer.short == short


def test_with_nothing_to_go_back_to_harm_is_no_reason_to_roll_back() -> None:
    first = tuple(event for event in full().history if event.sequence < 4)  # type: ignore[union-attr]
    document = replace(harmed(), history=first, route=Route(version=1, function_version="4"))
    broken = replace(document, quality=(report(RAISED, 1),))
    advice = should_we_roll_back(broken)
    assert advice.command is None
    assert (advice.answer.short, advice.answer.tone) == (WATCH_IT, BAD)


def test_too_few_requests_cannot_be_told() -> None:
    quiet = replace(under_way(), drift=(), alarms=())
    advice = should_we_roll_back(quiet)
    assert (advice.answer.short, advice.answer.tone) == (CANNOT_TELL, UNKNOWN)
    assert "150" in advice.answer.headline


def test_nothing_readable_cannot_be_told() -> None:
    assert should_we_roll_back(unreadable()).answer.short == CANNOT_TELL


def test_nothing_live_is_nothing_to_roll_back() -> None:
    advice = should_we_roll_back(empty())
    assert (advice.answer.short, advice.command) == (NO, None)


@pytest.mark.parametrize(
    ("quality", "drift", "short"),
    [((), (), CANNOT_TELL), ((report(FINE_REPORT),), (), NO), (GONE, GONE, CANNOT_TELL)],
)
def test_a_model_without_requests_is_told_by_its_reports(
    quality: Any, drift: Any, short: str
) -> None:
    batch = replace(
        full(), served=False, limits=Limits(), traffic=None, quality=quality, drift=drift
    )
    assert should_we_roll_back(batch).answer.short == short


@given(
    st.sampled_from([traffic((1000, 1)), traffic((0, 0)), traffic((40, 0)), None, GONE]),
    st.sampled_from([(), GONE, (report(NOT_EVALUATED),), (report(FINE_REPORT),)]),
    st.sampled_from([(), GONE]),
)
def test_what_is_not_known_is_named(asked: Any, quality: Any, alarms: Any) -> None:
    advice: Advice = should_we_roll_back(model(traffic=asked, quality=quality, alarms=alarms))
    unknown = [check.name for check in advice.checks if check.tone == UNKNOWN]
    told = " ".join((advice.answer.headline, *advice.answer.because))
    assert [name for name in unknown if name not in told] == []
    if "Failures" in unknown:
        assert advice.answer.tone != FINE
