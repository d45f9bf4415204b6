"""What a month of predictions costs on Lambda, Fargate and Kubernetes: formulas alone, no files.

A month is 30 days. A shape has 24 hours, each a factor of the mean rate, and their mean is 1. What
all ways have in common (logs, metrics, training, the registry) is in none of them.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DAYS, HOURS = 30, 720
STEADY = (1.0,) * 24
# A day of people: a fifth of the mean at night, twice the mean in the afternoon.
DAY = tuple(
    factor * 24 / 23.8
    for factor in (
        *(0.3, 0.2, 0.2, 0.2, 0.2, 0.3, 0.5, 0.8, 1.1, 1.3, 1.5, 1.6),
        *(1.6, 1.8, 2.0, 2.0, 1.8, 1.5, 1.3, 1.1, 0.9, 0.7, 0.5, 0.4),
    )
)
# Fargate's sizes (vCPU, GB), the least memory of each: AWS::ECS::TaskDefinition.
TASKS = ((0.25, 0.5), (0.5, 1.0), (1.0, 2.0), (2.0, 4.0), (4.0, 8.0))


@dataclass(frozen=True)
class Prices:
    """USD. Tiers are (million requests up to, USD per million)."""

    lambda_million_requests: float
    lambda_gb_second: float
    provisioned_idle_gb_second: float
    provisioned_run_gb_second: float
    rest_api_tiers: tuple[tuple[float, float], ...]
    http_api_tiers: tuple[tuple[float, float], ...]
    balancer_hour: float
    balancer_unit_hour: float
    address_hour: float
    fargate_vcpu_hour: float
    fargate_gb_hour: float
    cluster_hour: float
    node_hour: float
    volume_gb_month: float
    log_gb: float

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Prices":
        """Return the prices of prices.json."""
        found: dict[str, Any] = {}
        for name in cls.__dataclass_fields__:
            told = document[name]
            tiers = [(most or math.inf, usd) for most, usd in told.get("tiers", [])]
            found[name] = tuple(tiers) or told["usd"]
        return cls(**found)


@dataclass(frozen=True)
class Assumptions:
    """What is measured or taken for granted. Times in seconds."""

    memory_gb: float = 1.0  # of the function
    billed_s: float = 0.002  # of an invocation, rounded up to ms
    init_s: float = 0.5  # of a start, at that memory
    idle_s: float = 600.0  # an environment that nobody asks for so long is gone
    lifetime_s: float = 7200.0  # and none lives longer
    server_cpu_s: float = 0.0004  # of a request, in a server that runs all the time
    full: float = 0.5  # of the cores of tasks and nodes, in the busiest hour
    request_bytes: float = 2000.0  # of a request and its answer, headers included
    connection_requests: float = 100.0  # that a client makes over one connection
    least_tasks: int = 2
    least_nodes: int = 3
    node_vcpu: float = 2.0
    node_own_vcpu: float = 0.2  # that system pods take of each node
    node_disk_gb: float = 20.0
    people_hours: float = 40.0  # a month, for the cluster, more than serverless takes
    people_usd_hour: float = 100.0
    log_bytes: float = 1150.0  # of a prediction's line: credit's has 1,153


Way = Callable[[float, Sequence[float], Prices, Assumptions], dict[str, float]]


def requests(rate: float) -> float:
    """Return the requests of a month at a mean rate a second."""
    return rate * 3600 * HOURS


def tiered(million: float, tiers: Sequence[tuple[float, float]]) -> float:
    """Return what so many million requests cost, each tier at its price."""
    usd, below = 0.0, 0.0
    for most, price in tiers:
        usd += max(0.0, min(million, most) - below) * price
        below = most
    return usd


def starts_of(rate: float, known: Assumptions) -> float:
    """Return the starts a second of environments, at a rate a second.

    Arrivals are Poisson's: a request that nobody was before for `idle_s` finds no environment. As
    many as are busy, twice that and one, are replaced at the end of their lives.
    """
    after_a_gap = rate * math.exp(-rate * known.idle_s)
    kept = (1 + 2 * rate * known.billed_s) * (1 - math.exp(-rate * known.idle_s))
    return after_a_gap + kept / known.lifetime_s


def on_demand(
    rate: float, shape: Sequence[float], prices: Prices, known: Assumptions
) -> dict[str, float]:
    """Return USD a month of Lambda on demand, nothing in front."""
    asked = requests(rate)
    starts = sum(starts_of(rate * factor, known) for factor in shape) * 3600 * DAYS
    second = known.memory_gb * prices.lambda_gb_second
    return {
        "requests": asked / 1e6 * prices.lambda_million_requests,
        "duration": asked * known.billed_s * second,
        "starts": starts * known.init_s * second,
    }


def provisioned(
    rate: float, shape: Sequence[float], prices: Prices, known: Assumptions
) -> dict[str, float]:
    """Return USD a month of Lambda with provisioned concurrency, set anew each hour, at least 2."""
    asked = requests(rate)
    hours = [max(2, math.ceil(rate * f * known.billed_s / known.full)) for f in shape]
    idle = sum(hours) * 3600 * DAYS * known.memory_gb * prices.provisioned_idle_gb_second
    run = asked * known.billed_s * known.memory_gb * prices.provisioned_run_gb_second
    return {
        "requests": asked / 1e6 * prices.lambda_million_requests,
        "duration": run,
        "provisioned": idle,
    }


def rest_api(
    rate: float, _shape: Sequence[float], prices: Prices, _known: Assumptions
) -> dict[str, float]:
    """Return USD a month of API Gateway's REST API."""
    return {"api": tiered(requests(rate) / 1e6, prices.rest_api_tiers)}


def http_api(
    rate: float, _shape: Sequence[float], prices: Prices, _known: Assumptions
) -> dict[str, float]:
    """Return USD a month of API Gateway's HTTP API; a request is billed by 512 KB."""
    return {"api": tiered(requests(rate) / 1e6, prices.http_api_tiers)}


def balancer(
    rate: float, shape: Sequence[float], prices: Prices, known: Assumptions, unit_gb: float = 1.0
) -> dict[str, float]:
    """Return USD a month of an Application Load Balancer in two zones.

    A capacity unit is 25 new connections a second, or `unit_gb` an hour: 1 GB, and 0.4 GB to
    Lambda. Whichever is more counts; rules and connections at a time are fewer here.
    """
    hours = [
        max(
            rate * factor / known.connection_requests / 25,
            rate * factor * 3600 * known.request_bytes / 1e9 / unit_gb,
        )
        for factor in shape
    ]
    return {
        "balancer": HOURS * (prices.balancer_hour + 2 * prices.address_hour),
        "balancer_units": sum(hours) * DAYS * prices.balancer_unit_hour,
    }


def lambda_balancer(
    rate: float, shape: Sequence[float], prices: Prices, known: Assumptions
) -> dict[str, float]:
    """Return USD a month of a balancer whose target is a function."""
    return balancer(rate, shape, prices, known, unit_gb=0.4)


def fargate(
    rate: float, shape: Sequence[float], prices: Prices, known: Assumptions
) -> dict[str, float]:
    """Return USD a month of Fargate behind a balancer, of the cheapest size of tasks.

    Tasks are scaled by the hour, at least two, each with an address in a public subnet: that is
    cheaper than a NAT gateway.
    """

    def tasks_usd(vcpu: float, gigabytes: float) -> float:
        hour = vcpu * prices.fargate_vcpu_hour + gigabytes * prices.fargate_gb_hour
        each = vcpu * known.full / known.server_cpu_s
        hours = [max(known.least_tasks, math.ceil(rate * factor / each)) for factor in shape]
        return sum(hours) * DAYS * (hour + prices.address_hour)

    tasks = min(tasks_usd(*size) for size in TASKS)
    return {"tasks": tasks, **balancer(rate, shape, prices, known)}


def kubernetes(
    rate: float, shape: Sequence[float], prices: Prices, known: Assumptions
) -> dict[str, float]:
    """Return USD a month of EKS on instances behind a balancer, nodes scaled by the hour.

    People are the hours beyond those that serverless takes.
    """
    each = (known.node_vcpu - known.node_own_vcpu) * known.full / known.server_cpu_s
    nodes = sum(max(known.least_nodes, math.ceil(rate * factor / each)) for factor in shape) * DAYS
    disk = known.node_disk_gb * prices.volume_gb_month / HOURS
    return {
        "control_plane": HOURS * prices.cluster_hour,
        "nodes": nodes * (prices.node_hour + prices.address_hour + disk),
        "people": known.people_hours * known.people_usd_hour,
        **balancer(rate, shape, prices, known),
    }


def together(*ways: Way) -> Way:
    """Return the way that is all of these."""

    def way(
        rate: float, shape: Sequence[float], prices: Prices, known: Assumptions
    ) -> dict[str, float]:
        found: dict[str, float] = {}
        for one in ways:
            found |= one(rate, shape, prices, known)
        return found

    return way


def usd(way: Way, rate: float, shape: Sequence[float], prices: Prices, known: Assumptions) -> float:
    """Return USD a month of a way at a mean rate a second."""
    return math.fsum(way(rate, shape, prices, known).values())


def logs(rate: float, prices: Prices, known: Assumptions) -> float:
    """Return USD a month of one log line per prediction, which each way writes alike."""
    return requests(rate) * known.log_bytes / 2**30 * prices.log_gb


def crossing(
    dear: Callable[[float], float],
    cheap: Callable[[float], float],
    least: float = 1e-3,
    most: float = 1e6,
) -> float | None:
    """Return the rate from which on `cheap` costs less than `dear`, up to `most`; None without.

    Costs have steps, so the rates are walked, 200 to a decade, and the last change of sides counts.
    """
    count = round(200 * math.log10(most / least))
    rates = [least * (most / least) ** (number / count) for number in range(count + 1)]
    found = None
    for rate in reversed(rates):
        if cheap(rate) >= dear(rate):
            break
        found = rate
    return found
