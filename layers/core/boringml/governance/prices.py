"""Dated prices: what AWS asks for, when that was read, and where."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files
from typing import Any

from boringml.errors import BoringError

PRICES_FILE = "layers/core/boringml/governance/prices.json"
# Prices change seldom; one that nobody looked up for so long is told as old.
_OLD = timedelta(days=365)


@dataclass(frozen=True)
class Price:
    """One price in USD; its name in prices.json says of what."""

    usd: float
    as_of: str
    source: str

    def is_old(self, today: date) -> bool:
        """Return whether it was read more than a year ago."""
        return today - date.fromisoformat(self.as_of) > _OLD


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

    def service(self, region: str, name: str) -> Price:
        """Return a price of the section services. Raises BoringError `price_unknown`."""
        found = self._regions.get(region, {}).get("services", {})
        if name not in found:
            raise _unknown(f"no price {name} in {region}", name)
        return Price(**found[name])


def _unknown(problem: str, name: str) -> BoringError:
    return BoringError(
        "price_unknown",
        f"There is {problem}. Look it up with `aws pricing get-products --region us-east-1 "
        "--service-code AmazonSageMaker --filters Type=TERM_MATCH,Field=regionCode,Value=<Region> "
        "Type=TERM_MATCH,Field=instanceName,Value=<instance>`, or another service code, and add "
        f"it to {PRICES_FILE}, with its date and source.",
        422,
        price=name,
    )
