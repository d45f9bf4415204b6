"""What changed, and what it costs."""

from dataclasses import replace
from datetime import timedelta

from boringml.monitoring.page.answers import BAD, FINE, UNKNOWN, WATCH
from boringml.monitoring.page.changes import differences, last_move, what_changed
from boringml.monitoring.page.document import ModelDocument, Unread
from boringml.monitoring.page.platform_page import total_cost
from boringml.monitoring.page.spending import what_does_it_cost
from boringml.monitoring.report import RAISED
from boringml.registry.records import LIVE, MOVED, HistoryEvent, ReleaseLock
from tools.page_sample import NOW, empty, full, platform, under_way, unreadable


def moved(**members: object) -> ModelDocument:
    """A model whose last move is this one."""
    history = full().history
    assert not isinstance(history, Unread)
    event = HistoryEvent(
        model="credit",
        sequence=99,
        at=NOW - timedelta(hours=2),
        kind=MOVED,
        alias=LIVE,
        by="arn:aws:iam::123456789012:user/ana",
        why="the night was loud",
        **members,  # type: ignore[arg-type]
    )
    return replace(full(), history=(*history, event))


def test_a_release_is_told_with_its_versions_and_its_age() -> None:
    answer = what_changed(full())
    assert answer.headline == "Version 6 went live in place of version 4, 4 days ago."
    assert answer.tone == FINE


def test_a_rollback_is_told_as_one_with_who_and_why() -> None:
    answer = what_changed(moved(from_version=6, to_version=4, details={"back": True}))
    assert answer.headline == "Rolled back from version 6 to version 4, 2 hours ago."
    assert answer.tone == WATCH
    assert answer.because[0].startswith("By user/ana, 26 Nov 2026, 07:30 UTC: the night was loud")


def test_new_code_is_told_apart_from_a_new_model() -> None:
    document = moved(from_version=6, to_version=6, details={"function_version": "11"})
    assert "New code went live with the same model version 6" in what_changed(document).headline
    assert differences(document) == ()


def test_what_is_different_is_told_by_fact() -> None:
    found = {change.name: change for change in differences(full())}
    assert found["contract"].before == "1.2.0"
    assert found["contract"].after == "1.3.0"
    assert found["roc_auc"].change is not None
    assert round(found["roc_auc"].change, 6) == 0.006


def test_what_is_under_way_is_told() -> None:
    lock = ReleaseLock(model="credit", holder="r7", kind="release", version=7, taken_at=NOW)
    told = " ".join(what_changed(replace(under_way(), lock=lock)).because)
    assert "a canary, version 7, gets 10 %" in told
    assert "a release of version 7 is under way" in told


def test_no_history_is_not_no_change() -> None:
    assert what_changed(unreadable()).tone == UNKNOWN
    assert what_changed(empty()).short == "Nothing yet"
    assert last_move(()) is None


def test_cost_is_told_against_the_budget() -> None:
    answer = what_does_it_cost(full())
    assert answer.headline == "0.011 USD per 1,000 predictions; 7.03 USD a month."
    assert answer.because[0] == "That is 28.1 % of the budget, 25.00 USD a month."
    assert answer.tone == FINE
    copy = replace(full().versions[-1], number=99, cost_usd=7.0)  # type: ignore[index]
    copied = replace(full(), versions=(*full().versions, copy))  # type: ignore[misc]
    assert what_does_it_cost(copied) == answer, "a copy was not trained"


def test_above_the_budget_is_bad_and_a_raised_report_is_watched() -> None:
    (report,) = full().cost  # type: ignore[misc]
    assert what_does_it_cost(replace(full(), cost=(replace(report, status=RAISED),))).tone == WATCH
    poor = report.details | {"budget": {"monthly_usd": 5}}  # type: ignore[operator]
    assert what_does_it_cost(replace(full(), cost=(replace(report, details=poor),))).tone == BAD


def test_cost_that_is_not_known_is_said_so() -> None:
    assert what_does_it_cost(replace(full(), cost=())).tone == UNKNOWN
    assert what_does_it_cost(unreadable()).tone == UNKNOWN
    old = replace(full(), as_of=NOW + timedelta(days=5))
    assert what_does_it_cost(old).tone == UNKNOWN


def test_a_sum_that_lacks_a_model_is_a_lower_bound() -> None:
    answer = total_cost(platform())
    assert answer.headline.startswith("At least 14.06 USD a month")
    assert answer.because[0] == "Not known: churn."
