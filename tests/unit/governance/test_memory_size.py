"""A size is advised from what Lambda reported: never below what was used, never beyond a budget."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boringml.errors import BoringError
from boringml.governance.memory_size import (
    ENOUGH,
    FULL_CPU_MB,
    HEADROOM,
    Invocation,
    Price,
    advise,
    cpu_share,
    least_size,
    size_of,
)

PRICE = Price(gb_second=0.0000133334, million=0.20)
# As the log has it in JSON: "Lambda Telemetry API schema reference", platform.report.
LINE = {
    "time": "2026-11-26T10:00:00.000Z",
    "type": "platform.report",
    "record": {
        "requestId": "r",
        "metrics": {
            "durationMs": 1.71,
            "billedDurationMs": 412,
            "memorySizeMB": 1024,
            "maxMemoryUsedMB": 148,
            "initDurationMs": 409.6,
        },
        "status": "success",
    },
}


def calls(count: int, **given_: object) -> list[Invocation]:
    fields = {"memory_mb": 1024, "used_mb": 150, "duration_ms": 1.2, "init_ms": None, **given_}
    return [Invocation(**fields) for _ in range(count)]  # type: ignore[arg-type]


def test_a_report_is_read_and_any_other_line_is_none() -> None:
    assert Invocation.of(LINE) == Invocation(1024, 148, 1.71, 409.6)
    assert Invocation.of({"record": 0, "type": "prediction"}) is None
    assert Invocation.of({"type": "platform.start", "record": {}}) is None


def test_a_core_is_whole_at_1769_mb_and_one_thread_has_no_more() -> None:
    assert cpu_share(FULL_CPU_MB) == 1
    assert cpu_share(10_240) == 1
    assert cpu_share(512) == pytest.approx(0.2894, abs=1e-4)


def test_a_size_costs_what_is_worked_out_by_hand() -> None:
    # 10 ms at 1024 MB are 20 ms at 512 MB; 0.5 GB x 0.020 s x 0.0000133334 x 1e6 + 0.20.
    found = size_of(calls(100, duration_ms=10), 512, PRICE)
    assert found.p95_ms == 20
    assert found.usd_per_million == pytest.approx(0.20 + 0.133334)
    # One start of 400 ms in 100: 4 ms on average, at 1 GB 0.0533336, beside 1.2 ms billed as 2.
    with_start = [*calls(99), *calls(1, init_ms=400.0)]
    now = size_of(with_start, 1024, PRICE)
    assert now.start_ms == 400
    assert now.usd_per_million == pytest.approx(0.20 + 0.0133334 * (2 + 4))


def test_more_than_a_core_is_saved_where_one_thread_works() -> None:
    advice = advise(calls(200, memory_mb=3008, duration_ms=0.9), PRICE, p95_ms=300, start_ms=2000)
    # 3008 MB bill 1 ms: 0.20 + 0.0392. At 1769 it is as fast; below, 0.9 ms become 2 by 884.
    assert advice.better.memory_mb < FULL_CPU_MB
    assert advice.better.p95_ms <= 1
    assert advice.saving == pytest.approx(0.07, abs=0.03)
    assert "150 MB of 3008 MB" in advice.why


def test_short_predictions_are_paid_by_the_request_so_nothing_changes() -> None:
    advice = advise(calls(200, duration_ms=0.4), PRICE, p95_ms=300, start_ms=2000)
    assert advice.better == advice.now


def test_a_slow_start_keeps_a_size() -> None:
    fast = {"memory_mb": 3008, "duration_ms": 0.4}
    found = [*calls(199, **fast), *calls(1, **fast, init_ms=400.0)]
    free = advise(found, PRICE, p95_ms=300, start_ms=9000)
    held = advise(found, PRICE, p95_ms=300, start_ms=500)
    # 400 ms of a whole core are 500 ms at 1415 MB and more.
    assert free.better.memory_mb < 1415 <= held.better.memory_mb < 1769


def test_work_of_the_cpu_costs_the_same_anywhere_so_nothing_changes() -> None:
    advice = advise(calls(200, duration_ms=50), PRICE, p95_ms=300, start_ms=2000)
    assert advice.better == advice.now
    assert "no size that fits is 5% cheaper" in advice.why


def test_a_budget_that_is_not_kept_asks_for_more() -> None:
    advice = advise(
        calls(200, memory_mb=256, duration_ms=400, used_mb=150), PRICE, p95_ms=300, start_ms=2000
    )
    assert advice.better.memory_mb > 256
    assert advice.better.p95_ms <= 300


def test_a_budget_that_no_size_keeps_is_told() -> None:
    advice = advise(calls(200, duration_ms=900), PRICE, p95_ms=100, start_ms=2000)
    assert advice.better.memory_mb == FULL_CPU_MB
    assert "No size keeps" in advice.why


def test_a_function_near_its_end_is_given_more() -> None:
    advice = advise(calls(200, memory_mb=192, used_mb=185), PRICE, p95_ms=300, start_ms=5000)
    assert advice.better.memory_mb == 256


def test_only_the_size_of_now_counts() -> None:
    found = [*calls(500, memory_mb=2048, used_mb=900), *calls(150)]
    assert advise(found, PRICE, 300, 2000).used_mb == 150


@pytest.mark.parametrize("count", [0, 1, ENOUGH - 1])
def test_of_too_few_invocations_nothing_is_said(count: int) -> None:
    with pytest.raises(BoringError) as refused:
        advise(calls(count), PRICE, 300, 2000)
    assert refused.value.code == "too_few"


INVOCATIONS = st.lists(
    st.tuples(st.integers(60, 1000), st.floats(0.05, 3000), st.none() | st.floats(50, 5000)),
    min_size=ENOUGH, max_size=ENOUGH + 20,
)  # fmt: skip


@given(INVOCATIONS, st.integers(1001, 3008), st.floats(1, 3000), st.floats(100, 9000))
def test_advice_holds_memory_and_budgets_or_says_that_it_cannot(
    drawn: list[tuple[int, float, float | None]], memory: int, p95: float, start: float
) -> None:
    found = [Invocation(memory, used, ms, init) for used, ms, init in drawn]
    advice = advise(found, PRICE, p95, start)
    assert advice.better.memory_mb >= math.ceil(advice.used_mb * HEADROOM)
    within = advice.better.p95_ms <= p95 and (advice.better.start_ms or 0) <= start
    assert within or "No size keeps" in advice.why
    holds = memory >= least_size(advice.used_mb)
    if within and holds and advice.now.p95_ms <= p95 and (advice.now.start_ms or 0) <= start:
        assert advice.saving >= 0
    assert least_size(advice.used_mb) % 64 == 0
