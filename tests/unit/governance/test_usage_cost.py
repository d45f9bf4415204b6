"""What serving costs: parts that sum to the whole, in proportion to usage, and by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boringml.governance.cost import prediction_cost
from boringml.governance.prices import Prices
from boringml.governance.usage_cost import (
    MEMBERS,
    Fixed,
    Machine,
    Usage,
    fixed_parts,
    serving_parts,
    total,
)

PRICES = Prices.load()
ARM = Machine(memory_mb=1024, architecture="arm64", retention_days=14)
COUNTS = st.floats(min_value=0, max_value=1e9)
USAGES = st.builds(Usage, **dict.fromkeys(MEMBERS, COUNTS))
MACHINES = st.builds(
    Machine,
    memory_mb=st.integers(128, 10240),
    architecture=st.sampled_from(["arm64", "x86_64"]),
    retention_days=st.sampled_from([1, 3, 14, 90]),
)


def parts(usage: Usage, machine: Machine = ARM) -> dict[str, float]:
    found = serving_parts(usage, machine, region="us-east-1", prices=PRICES)
    return {part.name: part.usd for part in found}


def cost(usage: Usage, machine: Machine = ARM) -> float:
    return total(serving_parts(usage, machine, region="us-east-1", prices=PRICES))


@given(USAGES, MACHINES)
def test_parts_sum_to_the_whole_and_none_is_negative(usage: Usage, machine: Machine) -> None:
    found = parts(usage, machine)
    assert min(found.values()) >= 0
    assert sum(found.values()) == pytest.approx(cost(usage, machine), rel=1e-12)


@given(USAGES, USAGES, MACHINES)
def test_two_times_cost_what_both_cost(one: Usage, other: Usage, machine: Machine) -> None:
    # The INIT of an invocation is in what it is billed: more of it than that is no usage.
    for usage in (one, other):
        if usage.init_ms > usage.billed_ms:
            return
    both = cost(one, machine) + cost(other, machine)
    assert cost(one + other, machine) == pytest.approx(both, rel=1e-9, abs=1e-12)


@given(USAGES, st.integers(0, 1000))
def test_cost_grows_in_proportion_to_usage(usage: Usage, times: int) -> None:
    more = Usage(**{name: getattr(usage, name) * times for name in MEMBERS})
    assert cost(more) == pytest.approx(times * cost(usage), rel=1e-9, abs=1e-12)


@given(MACHINES)
def test_no_usage_costs_nothing(machine: Machine) -> None:
    assert cost(Usage(), machine) == 0


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_init_is_told_apart_and_not_paid_twice(billed: float, init: float) -> None:
    whole, split = parts(Usage(billed_ms=billed)), parts(Usage(billed_ms=billed, init_ms=init))
    assert split["duration"] + split["init"] == pytest.approx(whole["duration"], abs=1e-15)


def test_twenty_thousand_predictions_by_hand() -> None:
    """A sheet of its own: every number is written out, nothing of the code is used.

    20,000 requests to 1,024 MB on arm64, 9 ms billed each, and 12 cold starts of 1,450 ms INIT;
    a log line of 700 bytes and a report of 380 bytes each, kept 14 days.
    """
    usage = Usage(
        predictions=20_000,
        invocations=20_000,
        billed_ms=20_000 * 9 + 12 * 1_450,
        init_ms=12 * 1_450,
        api_requests=20_000,
        log_bytes=20_000 * (700 + 380),
    )
    sheet = {
        "requests": 0.004,  # 0.02 million at 0.20
        "duration": 0.0024000120,  # 180 s x 1 GB x 0.0000133334
        "init": 0.00023200116,  # 17.4 s x 1 GB x 0.0000133334
        "api": 0.07,  # 0.02 million at 3.50
        "logs": 0.010058283805847168,  # 0.020116567611694336 GB at 0.50
        "log_storage": 0.0002816319465637207,  # that, x 14/30 of a month, at 0.03
    }
    found = {name: usd for name, usd in parts(usage).items() if usd}
    assert found == pytest.approx(sheet, rel=1e-9)
    assert cost(usage) == pytest.approx(0.08697192891, rel=1e-9)
    assert cost(usage) / 20 == pytest.approx(0.0043485964, rel=1e-6)  # per 1,000


def test_a_thousand_jobs_by_hand() -> None:
    """1,000 jobs on x86-64: 40 ms each, 5 requests of SQS, 6 units of writes and 3 of reads."""
    machine = Machine(memory_mb=1024, architecture="x86_64", retention_days=90)
    usage = Usage(
        predictions=1000,
        invocations=200,
        billed_ms=40_000,
        api_requests=1000,
        log_bytes=1_000_000,
        queue_requests=5000,
        table_writes=6000,
        table_reads=3000,
    )
    sheet = {
        "requests": 0.00004,
        "duration": 0.000666668,
        "init": 0.0,
        "api": 0.0035,
        "logs": 0.00046566128730773926,
        "log_storage": 0.00008381903171539307,
        "queue": 0.002,
        "table_writes": 0.00375,
        "table_reads": 0.000375,
    }
    assert parts(usage, machine) == pytest.approx(sheet, rel=1e-9)
    assert cost(usage, machine) == pytest.approx(0.01088114831902313, rel=1e-9)


@given(
    st.builds(Fixed, **{name: st.integers(0, 10**4) for name in Fixed.__dataclass_fields__}),
    st.floats(0, 720),
)
def test_what_is_fixed_is_paid_by_the_hour(fixed: Fixed, hours: float) -> None:
    month = total(fixed_parts(fixed, 720, region="us-east-1", prices=PRICES))
    by_hand = (
        0.3 * fixed.metrics
        + 0.1 * fixed.alarm_metrics
        + 0.5 * fixed.composite_alarms
        + 3 * fixed.dashboards
    )
    assert month == pytest.approx(by_hand)
    found = total(fixed_parts(fixed, hours, region="us-east-1", prices=PRICES))
    assert found == pytest.approx(month * hours / 720)


def test_one_prediction_pays_for_whole_milliseconds() -> None:
    found = prediction_cost(8.2, ARM, region="us-east-1", log_bytes=1080)
    assert found == pytest.approx(
        {
            "requests": 0.0000002,
            "duration": 0.009 * 0.0000133334,
            "api": 0.0000035,
            "logs": 0.5 * 1080 / 1073741824,
            "log_storage": 0.03 * 1080 / 1073741824 * 14 / 30,
        },
        rel=1e-12,
    )
    job = prediction_cost(8.2, ARM, region="us-east-1", init_ms=1000.5, api_requests=0)
    assert math.isclose(job["init"] + job["duration"], 1.009 * 0.0000133334)
    assert "api" not in job
