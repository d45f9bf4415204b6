"""What jobs, batches and a prediction cost, and what a job may cost at most, from dated prices."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from boringml.governance.prices import Prices
from boringml.governance.usage_cost import Machine, Usage, serving_parts

if TYPE_CHECKING:
    from boringml.governance.blueprint import Blueprint

# At the limit comes SIGTERM, and SIGKILL 120 s later (CreateTrainingJob, StoppingCondition).
STOP_GRACE_SECONDS = 120
_HOUR = 3600
# Storage is billed by the month; the shortest common one makes the largest cost of an hour.
_MONTH = 30 * 24 * _HOUR


@dataclass(frozen=True)
class Cost:
    """An amount in USD, rounded to a millionth, and the price it was reckoned with."""

    usd: float
    price_source: str


def function_cost(
    seconds: float,
    memory_mb: int,
    requests: int,
    *,
    region: str,
    architecture: str,
    prices: Prices | None = None,
) -> Cost:
    """Return what Lambda functions of one size cost: their seconds, and their requests.

    Starts are billed too and are not among the seconds. Raises BoringError `price_unknown`.
    """
    second, million = (prices or Prices.load()).function(region, architecture)
    usd = seconds * memory_mb / 1024 * second.usd + requests / 1e6 * million.usd
    told = f"Lambda on {architecture} in {region} at {second.usd} USD/GB-s"
    return Cost(round(usd, 6), f"{told} ({second.source}, {second.as_of})")


def transform_cost(
    instance_type: str,
    seconds: float,
    instance_count: int = 1,
    *,
    region: str,
    prices: Prices | None = None,
) -> Cost:
    """Return what a finished transform job costs. Raises BoringError `price_unknown`."""
    hour = (prices or Prices.load()).transform_hour(region, instance_type)
    usd = seconds * instance_count / _HOUR * hour.usd
    told = f"{instance_type} in {region} at {hour.usd} USD/h ({hour.source}, {hour.as_of})"
    return Cost(round(usd, 6), told)


def training_cost(
    instance_type: str,
    billable_seconds: float,
    instance_count: int = 1,
    *,
    region: str,
    volume_gb: int = 0,
    prices: Prices | None = None,
) -> Cost:
    """Return what a finished job costs: its BillableTimeInSeconds on every instance, and volumes.

    Billable time of a spot job is already less than its training time, so the on-demand price is
    right for it too. Raises BoringError `price_unknown`.
    """
    return _cost(
        prices or Prices.load(),
        region,
        instance_type,
        instance_seconds=billable_seconds * instance_count,
        gb_seconds=billable_seconds * instance_count * volume_gb,
    )


def worst_case_cost(blueprint: "Blueprint", *, region: str, prices: Prices | None = None) -> Cost:
    """Return what a job of this blueprint costs if it uses all of its time, and then is stopped.

    What spot may save is not counted. The volume counts while a job waits for spot capacity,
    though it may not exist yet. Raises BoringError `price_unknown`.
    """
    runs = blueprint.max_runtime_seconds + STOP_GRACE_SECONDS
    stays = max(runs, blueprint.max_wait_seconds or 0)
    return _cost(
        prices or Prices.load(),
        region,
        blueprint.instance_type,
        instance_seconds=runs * blueprint.instance_count,
        gb_seconds=stays * blueprint.instance_count * blueprint.volume_gb,
    )


def _cost(
    prices: Prices, region: str, instance_type: str, *, instance_seconds: float, gb_seconds: float
) -> Cost:
    hour = prices.training_hour(region, instance_type)
    usd = instance_seconds / _HOUR * hour.usd
    told = f"{instance_type} in {region} at {hour.usd} USD/h ({hour.source}, {hour.as_of})"
    if gb_seconds:
        storage = prices.storage_gb_month(region)
        usd += gb_seconds / _MONTH * storage.usd
        told += f"; volume at {storage.usd} USD/GB-month ({storage.source}, {storage.as_of})"
    return Cost(round(usd, 6), told)


def prediction_cost(
    latency_ms: float,
    machine: Machine,
    *,
    region: str,
    init_ms: float = 0,
    log_bytes: int = 0,
    api_requests: int = 1,
    prices: Prices | None = None,
) -> dict[str, float]:
    """Return what one prediction costs by part in USD, not rounded; parts without usage left out.

    Lambda bills the whole invocation, from before the handler to after it, rounded up to 1 ms: with
    the handler's latency this is a little low. Raises BoringError `price_unknown`.
    """
    usage = Usage(
        predictions=1,
        invocations=1,
        billed_ms=math.ceil(latency_ms + init_ms),
        init_ms=init_ms,
        api_requests=api_requests,
        log_bytes=log_bytes,
    )
    parts = serving_parts(usage, machine, region=region, prices=prices or Prices.load())
    return {part.name: part.usd for part in parts if part.units}
