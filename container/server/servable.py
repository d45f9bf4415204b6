"""A model in memory, of whichever runtime."""

from collections.abc import Sequence
from typing import Protocol

from boringml.contract.contract import Contract
from boringml.serving.decoder import Decoder, Record


class Servable(Protocol):
    """What every runtime's loader returns."""

    contract: Contract
    version: int
    decoder: Decoder

    def predict(self, records: Sequence[Record]) -> list[float]:
        """Return P(positive) of 1 to `contract.max_records` records, in order."""

    def label(self, probability: float) -> str:
        """Return the contract's label of a probability."""
