"""Projections, budgets, anomalies, and what models share."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boringml.governance.usage_cost import MEMBERS, Usage
from boringml.monitoring.cost import (
    HOUR,
    CostLimits,
    Rate,
    anomaly_reasons,
    budget_reasons,
    per_1000,
    project,
    share_table,
    usage_between,
)

END = datetime(2026, 11, 26, 12, tzinfo=UTC)
ONE = Usage(**dict.fromkeys(MEMBERS, 1.0))


def hours(first: int, last: int = 1, usage: Usage = ONE) -> dict[datetime, Usage]:
    """Return the usage of each hour from `first` to `last` hours before the end."""
    return {END - HOUR * back: usage for back in range(last, first + 1)}


def test_an_hour_counts_where_it_begins() -> None:
    assert usage_between(hours(30), END - timedelta(days=1), END).invocations == 24
    assert usage_between({}, END - HOUR, END) == Usage()
    assert usage_between({END: ONE}, END - HOUR, END) == Usage()


def test_a_month_is_thirty_times_the_last_day_while_no_week_is_known() -> None:
    found = project(hours(24 * 5), END)
    assert found.usage.predictions == 720
    assert found.assumption == "the last 24 hours, times 30"


def test_a_month_is_the_last_week_where_it_is_known() -> None:
    quiet_today = hours(24 * 7, 25)
    found = project(quiet_today, END)
    assert found.usage.predictions == pytest.approx(24 * 6 * 30 / 7)
    assert found.assumption == "the last 7 days, times 30/7"


@given(st.integers(0, 200))
def test_what_is_steady_is_projected_to_itself(known: int) -> None:
    found = project(hours(known), END)
    assert found.usage.billed_ms <= 720 + 1e-6
    if known >= 24:
        assert found.usage.billed_ms >= 720 * 6 / 7


@pytest.mark.parametrize(
    ("projected", "reasons"),
    [
        (7.9, []),
        (8.0, []),
        (8.01, ["budget_80"]),
        (10.0, ["budget_80"]),
        (10.1, ["budget_80", "budget_100"]),
    ],
)
def test_a_budget_is_passed_above_its_share(projected: float, reasons: list[str]) -> None:
    assert budget_reasons(projected, CostLimits(monthly_budget_usd=10)) == reasons


def test_without_a_budget_none_is_passed() -> None:
    assert budget_reasons(1e6, CostLimits.of({})) == []
    declared = {"monitoring": {"cost": {"monthly_budget_usd": 1}}}
    assert CostLimits.of(declared) == CostLimits(1, 2.0, 1000)


@pytest.mark.parametrize(
    ("day", "before", "raised"),
    [
        (Rate(1000, 2.1), Rate(7000, 7.0), True),
        (Rate(1000, 2.0), Rate(7000, 7.0), False),
        (Rate(999, 99.0), Rate(7000, 7.0), False),
        (Rate(1000, 99.0), Rate(999, 0.1), False),
        (Rate(0, 0.0), Rate(0, 0.0), False),
        (Rate(1000, 0.0), Rate(7000, 0.0), False),
    ],
)
def test_an_anomaly_needs_a_rise_and_enough_predictions(
    day: Rate, before: Rate, raised: bool
) -> None:
    assert anomaly_reasons(day, before, CostLimits()) == (["anomaly"] if raised else [])


def test_nothing_per_thousand_of_nothing() -> None:
    assert per_1000(1.0, 0) is None
    assert per_1000(1.0, 500) == 2.0


@given(
    st.dictionaries(
        st.sampled_from(["reviews", "claims", "mails"]), st.lists(st.integers(0, 50), max_size=8)
    ),
    st.lists(st.integers(0, 1000), max_size=8),
)
def test_a_shared_table_goes_to_who_was_asked_and_no_unit_twice(
    asked: dict[str, list[int]], writes: list[int]
) -> None:
    models = {
        model: {END + HOUR * at: Usage(predictions=count) for at, count in enumerate(counts)}
        for model, counts in asked.items()
    }
    table = {END + HOUR * at: Usage(table_writes=count) for at, count in enumerate(writes)}
    shared = share_table(models, table)
    for at, units in table.items():
        parts = [own[at] for own in shared.values() if at in own]
        anybody = any(part.predictions for part in parts)
        given_away = sum(part.table_writes for part in parts)
        assert given_away == pytest.approx(units.table_writes if anybody else 0)
    assert {model: len(own) for model, own in shared.items()} == {
        model: len(own) for model, own in models.items()
    }
