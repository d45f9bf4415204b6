"""How cost grows with traffic: `python -m benchmarks.growth.cost_growth`.

Reads what was measured (memory-sizing.json, server-cpu.json) and dated prices (prices.json), works
out a month on each way to serve, and writes benchmarks/results/cost-growth.json, the plot
docs/pictures/cost-growth.svg, and the tables of docs/cost-growth.md between their markers. Nothing
is measured here: it takes a few seconds.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.goals import RESULTS, write
from benchmarks.growth import cost_plot
from benchmarks.growth.cost_model import (
    DAY,
    STEADY,
    Assumptions,
    Prices,
    Way,
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
    together,
    usd,
)
from boringml.governance import prices as governance

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "cost-growth.md"
PICTURE = ROOT / "docs" / "pictures" / "cost-growth.svg"
PRICES = Path(__file__).parent / "prices.json"
REGION, ARCHITECTURE = "us-east-1", "arm64"
MEMORY_MB = 1024

PROVISIONED = "Lambda provisioned, alone"
FARGATE, CLUSTER = "Fargate, balancer", "Kubernetes, balancer"
LAMBDA: Mapping[str, Way] = {
    "Lambda, REST API": together(on_demand, rest_api),
    "Lambda, HTTP API": together(on_demand, http_api),
    "Lambda, balancer": together(on_demand, lambda_balancer),
    "Lambda alone": on_demand,
    PROVISIONED: provisioned,
}
WAYS: Mapping[str, Way] = {**LAMBDA, FARGATE: fargate, CLUSTER: kubernetes}
RATES = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0, 10_000.0)
PEOPLE = (0.0, 8.0, 40.0, 160.0)
# What a heavier model takes: ms billed, and ms of a core in a server.
MODELS = ((1.0, None), (2.0, None), (10.0, 5.0), (50.0, 28.0))


def measured() -> tuple[Assumptions, dict[str, Any]]:
    """Return the assumptions with what was measured in them, and that by itself."""
    sizing = json.loads((RESULTS / "memory-sizing.json").read_text())
    size = next(one for one in sizing["sizes"] if one["memory_mb"] == MEMORY_MB)
    server = json.loads((RESULTS / "server-cpu.json").read_text())
    found = {
        "handler_ms": size["paused_ms"]["p50"]["median"],
        "start_s": size["start_s"]["median"],
        "server_cpu_ms": server["cpu_ms_per_request"]["median"],
    }
    known = Assumptions(
        memory_gb=MEMORY_MB / 1024,
        init_s=found["start_s"],
        server_cpu_s=found["server_cpu_ms"] / 1000,
    )
    return known, found


def crossings(
    shape: Sequence[float], prices: Prices, known: Assumptions, to: Sequence[str]
) -> dict[str, dict[str, float | None]]:
    """Return the mean requests a second from which on each other way costs less than Lambda's."""

    def of(name: str) -> Callable[[float], float]:
        return lambda rate: usd(WAYS[name], rate, shape, prices, known)

    return {name: {other: crossing(of(name), of(other)) for other in to} for name in LAMBDA}


def listed() -> dict[str, Any]:
    """Return the prices with their sources: the system's own, and those of what it is not."""
    own = governance.Prices.load()
    second, million = own.function(REGION, ARCHITECTURE)
    found = {
        "lambda_million_requests": vars(million),
        "lambda_gb_second": vars(second),
        "log_gb": vars(own.service(REGION, "log_gb")),
    }
    others = json.loads(PRICES.read_text())
    return found | {name: price for name, price in others.items() if name != "comment"}


def report() -> dict[str, Any]:
    """Return all numbers of the page."""
    prices_listed = listed()
    prices = Prices.of(prices_listed)
    known, found = measured()
    shapes = {"steady": STEADY, "a day": DAY}
    ten = {name: way(10.0, STEADY, prices, known) for name, way in WAYS.items()}
    return {
        "measured": found,
        "assumptions": vars(known),
        "prices": prices_listed,
        "months": {name: _months(shape, prices, known) for name, shape in shapes.items()},
        "logs": {rate: round(logs(rate, prices, known), 2) for rate in RATES},
        "parts_of_10": {
            name: {part: round(value, 2) for part, value in parts.items()}
            for name, parts in ten.items()
        },
        "crossings": {
            name: crossings(shape, prices, known, [FARGATE, CLUSTER])
            for name, shape in shapes.items()
        },
        "crossings_by_people_hours": {
            hours: crossings(STEADY, prices, replace(known, people_hours=hours), [CLUSTER])
            for hours in PEOPLE
        },
        "cluster_pays_over_fargate": {
            hours: _pays(FARGATE, CLUSTER, prices, known, replace(known, people_hours=hours))
            for hours in PEOPLE
        },
        "crossings_by_billed_ms": {
            billed: _by_model(billed, cpu_ms, prices, known) for billed, cpu_ms in MODELS
        },
        "provisioned_pays": {
            full: _pays("Lambda alone", PROVISIONED, prices, known, replace(known, full=full))
            for full in (0.5, 0.6, 0.7, 0.8, 0.9)
        },
    }


def _months(
    shape: Sequence[float], prices: Prices, known: Assumptions
) -> dict[float, dict[str, float]]:
    return {
        rate: {name: round(usd(way, rate, shape, prices, known), 4) for name, way in WAYS.items()}
        for rate in RATES
    }


def _pays(
    dear: str, cheap: str, prices: Prices, known: Assumptions, otherwise: Assumptions
) -> float | None:
    """Return the rate from which on one way, under other assumptions, costs less than another."""
    return crossing(
        lambda rate: usd(WAYS[dear], rate, STEADY, prices, known),
        lambda rate: usd(WAYS[cheap], rate, STEADY, prices, otherwise),
    )


def _by_model(
    billed_ms: float, cpu_ms: float | None, prices: Prices, known: Assumptions
) -> dict[str, Any]:
    cpu_s = known.server_cpu_s if cpu_ms is None else cpu_ms / 1000
    heavier = replace(known, billed_s=billed_ms / 1000, server_cpu_s=cpu_s)
    found = crossings(STEADY, prices, heavier, [FARGATE])
    return {"server_cpu_ms": round(cpu_s * 1000, 3), **found}


def tables(found: dict[str, Any]) -> dict[str, str]:
    """Return the page's tables by the name of their markers."""
    months = found["months"]["steady"]
    head = ["requests/s", "a month", *WAYS, "logs, in each"]
    rows = [
        [f"{rate:g}", _count(requests(rate)), *(_usd(months[rate][way]) for way in WAYS),
         _usd(found["logs"][rate])]
        for rate in RATES
    ]  # fmt: skip
    crossed = found["crossings"]
    past = [
        [
            name,
            *(_rate(crossed[shape][name][FARGATE]) for shape in crossed),
            *(_rate(crossed[shape][name][CLUSTER]) for shape in crossed),
        ]
        for name in LAMBDA
    ]
    past_head = ["requests/s from which on it costs less", "Fargate, steady", "Fargate, a day",
                 "Kubernetes, steady", "Kubernetes, a day"]  # fmt: skip
    people = [
        [f"{hours:g} h", _usd(hours * found["assumptions"]["people_usd_hour"]),
         *(_rate(one[name][CLUSTER]) for name in LAMBDA),
         _rate(found["cluster_pays_over_fargate"][hours])]
        for hours, one in found["crossings_by_people_hours"].items()
    ]  # fmt: skip
    models = [
        [f"{billed:g} ms", f"{one['server_cpu_ms']:.3g} ms",
         *(_rate(one[name][FARGATE]) for name in LAMBDA)]
        for billed, one in found["crossings_by_billed_ms"].items()
    ]  # fmt: skip
    parts = [
        [name, ", ".join(f"{part.replace('_', ' ')} {value:.2f}" for part, value in one.items())]
        for name, one in found["parts_of_10"].items()
    ]
    busy = [[f"{full:.0%}", _rate(rate)] for full, rate in found["provisioned_pays"].items()]
    taken = [[name.replace("_", " "), f"{value:g}"] for name, value in found["assumptions"].items()]
    prices = [
        [name.replace("_", " "), _price(one), one["as_of"], one["source"]]
        for name, one in found["prices"].items()
    ]
    over = [f"over {name}" for name in LAMBDA]
    return {
        "months": _table(head, rows),
        "crossings": _table(past_head, past),
        "people": _table(["people", "USD", *over, "over Fargate"], people),
        "models": _table(["billed", "CPU in a server", *over], models),
        "parts": _table(["at 10 requests/s, steady", "USD a month"], parts),
        "provisioned": _table(["busy at the peak", "requests/s"], busy),
        "assumptions": _table(["assumption", "value"], taken),
        "prices": _table(["price", "USD", "as of", "source"], prices),
    }


def filled(page: str, found: Mapping[str, str]) -> str:
    """Return the page with each table between its markers. Raises ValueError without a marker."""
    for name, table in found.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, here, rest = page.partition(begin)
        _old, there, after = rest.partition(end)
        if not here or not there:
            raise ValueError(f"{PAGE.name} has no markers of {name}")
        page = before + begin + table + end + after
    return page


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _usd(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def _price(one: Mapping[str, Any]) -> str:
    if "usd" in one:
        return f"{one['usd']:.10f}".rstrip("0")
    return ", ".join(f"{usd_:g} up to {most or 'any'} M" for most, usd_ in one["tiers"])


def _rate(value: float | None) -> str:
    return "never" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def _count(value: float) -> str:
    return f"{value / 1e6:,.3g} M" if value < 1e9 else f"{value / 1e9:,.3g} G"


def main() -> int:
    """Write the results, the plot and the page's tables; return 0."""
    found = report()
    path = write("cost-growth", found)
    prices = Prices.of(listed())
    known, _ = measured()
    lines = {
        **WAYS,
        "Kubernetes, people for nothing": lambda rate, shape, prices, known: kubernetes(
            rate, shape, prices, replace(known, people_hours=0)
        ),
    }
    PICTURE.write_text(cost_plot.drawn(lines, prices, known))
    PAGE.write_text(filled(PAGE.read_text(), tables(found)))
    for name, one in found["crossings"]["steady"].items():
        print(f"{name}: Fargate from {_rate(one[FARGATE])}, Kubernetes from {_rate(one[CLUSTER])}")
    print("written to", *(one.relative_to(ROOT) for one in (path, PICTURE, PAGE)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
