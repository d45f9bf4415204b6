"""The formulas of docs/cost-growth.md, held to numbers worked by hand."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.growth import cost_growth
from benchmarks.growth.cost_model import (
    DAY,
    HOURS,
    STEADY,
    Assumptions,
    Prices,
    Way,
    balancer,
    crossing,
    fargate,
    http_api,
    kubernetes,
    lambda_balancer,
    logs,
    on_demand,
    provisioned,
    requests,
    rest_api,
    starts_of,
    tiered,
    together,
    usd,
)
from boringml.governance import prices as governance

PRICES = Prices.of(cost_growth.listed())
KNOWN = Assumptions()
WAYS = (on_demand, provisioned, rest_api, http_api, balancer, lambda_balancer, fargate, kubernetes)


def near(value: float) -> Any:
    return pytest.approx(value, rel=1e-6)


def test_a_shape_of_a_day_has_24_hours_and_the_mean_1() -> None:
    for shape in (STEADY, DAY):
        assert len(shape) == 24
        assert math.fsum(shape) / 24 == near(1)
    assert max(DAY) == pytest.approx(2, abs=0.02)


def test_one_request_a_second_is_2_592_000_a_month() -> None:
    assert requests(1) == 2_592_000


def test_lambda_on_demand_at_10_a_second() -> None:
    found = on_demand(10, STEADY, PRICES, KNOWN)
    # 25.92 million x 0.20; x 0.002 s x 1 GB x 0.0000133334.
    assert found["requests"] == near(5.184)
    assert found["duration"] == near(25.92e6 * 0.002 * 0.0000133334)
    assert found["duration"] == pytest.approx(0.6912, abs=1e-4)
    # Never idle: (1 + 2 x 10 x 0.002) environments anew every 7,200 s, of 0.5 s at 1 GB.
    assert found["starts"] == near(1.04 / 7200 * 2_592_000 * 0.5 * 0.0000133334)


def test_a_request_an_hour_always_starts_an_environment() -> None:
    rate = 1 / 3600
    # A gap of 600 s is there with e^(-1/6) = 0.8465, and one in 7,200 s is replaced besides.
    assert starts_of(rate, KNOWN) * 3600 == pytest.approx(0.8465 + 0.0767, abs=1e-3)


def test_provisioned_concurrency_is_at_least_two_environments() -> None:
    found = provisioned(10, STEADY, PRICES, KNOWN)
    # 2 x 2,592,000 s x 1 GB x 0.0000033333, and the run at 0.0000077778.
    assert found["provisioned"] == near(2 * 2_592_000 * 0.0000033333)
    assert found["duration"] == near(25.92e6 * 0.002 * 0.0000077778)
    # 3,000 a second x 0.002 s are 6 at a time, at half of what there is: 12.
    many = provisioned(3000, STEADY, PRICES, KNOWN)
    assert many["provisioned"] == near(12 * 2_592_000 * 0.0000033333)


def test_each_tier_has_its_own_price() -> None:
    assert tiered(100, PRICES.rest_api_tiers) == near(350)
    # 333 x 3.50 + 667 x 2.80 + 500 x 2.38
    assert tiered(1500, PRICES.rest_api_tiers) == near(1165.5 + 1867.6 + 1190)
    # 300 x 1.00 + 700 x 0.90, as in the source's own example.
    assert tiered(1000, PRICES.http_api_tiers) == near(930)


def test_the_first_tier_is_the_price_that_the_system_reckons_with() -> None:
    own = governance.Prices.load().service("us-east-1", "api_million_requests")
    assert PRICES.rest_api_tiers[0][1] == own.usd


def test_a_balancer_is_billed_by_its_hours_and_by_the_larger_unit() -> None:
    found = balancer(1000, STEADY, PRICES, KNOWN)
    assert found["balancer"] == near(720 * 0.0225 + 720 * 2 * 0.005)
    # 1,000 x 3,600 x 2,000 bytes are 7.2 GB an hour; 1,000 / 100 / 25 connections are 0.4 units.
    assert found["balancer_units"] == near(7.2 * 720 * 0.008)
    assert lambda_balancer(1000, STEADY, PRICES, KNOWN)["balancer_units"] == near(18 * 720 * 0.008)
    alone = replace(KNOWN, connection_requests=1)
    assert balancer(1000, STEADY, PRICES, alone)["balancer_units"] == near(40 * 720 * 0.008)


def test_fargate_stands_with_two_tasks_and_grows_by_the_core() -> None:
    # 2 x (0.25 x 0.03238 + 0.5 x 0.00356 + an address 0.005) x 720.
    least = fargate(0.1, STEADY, PRICES, KNOWN)["tasks"]
    assert least == near(2 * (0.25 * 0.03238 + 0.5 * 0.00356 + 0.005) * 720)
    # A core at half its time answers 0.5 / 0.0004 = 1,250 a second: 16 cores, as 4 tasks of 4.
    many = fargate(20_000, STEADY, PRICES, KNOWN)["tasks"]
    assert many == near(4 * (4 * 0.03238 + 8 * 0.00356 + 0.005) * 720)


def test_kubernetes_stands_with_three_nodes_a_control_plane_and_people() -> None:
    found = kubernetes(0.1, STEADY, PRICES, KNOWN)
    assert found["control_plane"] == near(72)
    assert found["nodes"] == near(3 * (720 * (0.0816 + 0.005) + 20 * 0.1))
    assert found["people"] == 4000
    # 1.8 vCPU at half their time answer 2,250 a second: 20,000 need 9 nodes.
    many = kubernetes(20_000, STEADY, PRICES, KNOWN)
    assert many["nodes"] == near(9 * (720 * (0.0816 + 0.005) + 20 * 0.1))


def test_lines_of_a_log_cost_half_a_dollar_a_gigabyte() -> None:
    assert logs(1, PRICES, KNOWN) == near(2_592_000 * 1150 / 2**30 * 0.5)


def test_lines_cross_where_they_are_worked_out_to() -> None:
    assert crossing(lambda rate: rate, lambda _rate: 10.0) == pytest.approx(10, rel=0.02)
    assert crossing(lambda rate: rate, lambda rate: 2 * rate) is None
    assert crossing(lambda rate: 2 * rate, lambda rate: rate) == pytest.approx(1e-3)
    # Of two changes of sides the last one counts.
    steps = crossing(lambda rate: rate, lambda rate: 0.0 if 1 < rate < 2 else min(rate + 1, 100.0))
    assert steps == pytest.approx(100, rel=0.02)


def test_fargate_crosses_the_rest_api_where_a_division_says() -> None:
    # 44.82 a month over 3.727 USD per million, at few starts: 12 million, 4.6 a second.
    flat = usd(fargate, 1, STEADY, PRICES, KNOWN)
    each = usd(together(on_demand, rest_api), 1, STEADY, PRICES, KNOWN)
    found = crossing(
        lambda rate: usd(together(on_demand, rest_api), rate, STEADY, PRICES, KNOWN),
        lambda rate: usd(fargate, rate, STEADY, PRICES, KNOWN),
    )
    assert found == pytest.approx(flat / each, rel=0.02)


@given(st.sampled_from(WAYS), st.floats(0.001, 10_000), st.floats(1.01, 10))
def test_more_traffic_never_costs_less_and_no_part_is_negative(
    way: Way, rate: float, times: float
) -> None:
    for shape in (STEADY, DAY):
        before, after = (way(r, shape, PRICES, KNOWN) for r in (rate, rate * times))
        assert all(value >= 0 for value in after.values())
        grown = {name: value for name, value in after.items() if name != "starts"}
        assert all(value >= before[name] * (1 - 1e-9) for name, value in grown.items())


def test_the_page_has_the_numbers_of_the_results() -> None:
    page = cost_growth.PAGE.read_text()
    results = json.loads((cost_growth.RESULTS / "cost-growth.json").read_text())
    known, found = cost_growth.measured()
    assert results["measured"] == found, "make cost-growth"
    assert cost_growth.filled(page, cost_growth.tables(cost_growth.report())) == page
    assert known.init_s == found["start_s"]
    assert HOURS == 720


def test_a_page_without_a_marker_is_not_written() -> None:
    with pytest.raises(ValueError, match="no markers of months"):
        cost_growth.filled("# How cost grows\n", {"months": ""})
