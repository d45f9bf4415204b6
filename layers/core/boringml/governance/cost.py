"""What jobs and batches cost, and what a job may cost at most, from dated prices."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from boringml.errors import BoringError

if TYPE_CHECKING:
    from boringml.governance.blueprint import Blueprint

PRICES_FILE = "layers/core/boringml/governance/prices.json"
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


@dataclass(frozen=True)
class Price:
    """One price in USD: of an instance's hour, a gigabyte's month or second, a million requests."""

    usd: float
    as_of: str
    source: str


class Prices:
    """The prices of prices.json."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._regions: Mapping[str, Any] = document["regions"]

    @classmethod
    def load(cls) -> "Prices":
        """Return the prices that came with this code."""
        return cls(json.loads((files(__package__) / "prices.json").read_text()))

    def training_hour(self, region: str, instance_type: str) -> Price:
        """Return the on-demand price of one instance hour. Raises BoringError `price_unknown`."""
        hours = self._regions.get(region, {}).get("training_hour", {})
        if instance_type not in hours:
            raise _unknown(f"no price of training on {instance_type} in {region}", instance_type)
        return Price(**hours[instance_type])

    def storage_gb_month(self, region: str) -> Price:
        """Return the price of a job's volume. Raises BoringError `price_unknown`."""
        storage = self._regions.get(region, {}).get("storage_gb_month")
        if storage is None:
            raise _unknown(f"no price of training storage in {region}", "storage")
        return Price(**storage)

    def transform_hour(self, region: str, instance_type: str) -> Price:
        """Return the on-demand price of one instance hour. Raises BoringError `price_unknown`."""
        hours = self._regions.get(region, {}).get("transform_hour", {})
        if instance_type not in hours:
            raise _unknown(f"no price of transforms on {instance_type} in {region}", instance_type)
        return Price(**hours[instance_type])

    def function(self, region: str, architecture: str) -> tuple[Price, Price]:
        """Return Lambda's prices of a GB-second and of a million requests, or raise the same."""
        found = self._regions.get(region, {}).get("lambda", {})
        seconds = found.get("gb_second", {})
        if architecture not in seconds:
            raise _unknown(f"no price of Lambda on {architecture} in {region}", "lambda")
        return Price(**seconds[architecture]), Price(**found["million_requests"])


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


def _unknown(problem: str, name: str) -> BoringError:
    return BoringError(
        "price_unknown",
        f"There is {problem}. Look it up with `aws pricing get-products --region us-east-1 "
        "--service-code AmazonSageMaker --filters Type=TERM_MATCH,Field=regionCode,Value=<Region> "
        f"Type=TERM_MATCH,Field=instanceName,Value=<instance>` and add it to {PRICES_FILE}, "
        "with its date and source.",
        422,
        price=name,
    )
