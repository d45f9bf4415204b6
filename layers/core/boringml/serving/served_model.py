"""What a use case needs of a model in memory, and what every runtime asks of its package."""

import json
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from boringml.contract.contract import Contract
from boringml.errors import BoringError
from boringml.package.reader import Fetch, Package
from boringml.serving.decoder import Decoder, Record

# Sums of float32 leave [0, 1] by ulps; whatever is further out is no probability.
_ROUNDING = 1e-5


class ServedModel(Protocol):
    """One version, ready to answer, whatever runs it. Not for threads."""

    @property
    def contract(self) -> Contract:
        """The contract of the version's package."""

    @property
    def version(self) -> int:
        """Its number in the registry."""

    @property
    def decoder(self) -> Decoder:
        """Decodes bodies of its contract."""

    def predict(self, records: Sequence[Record]) -> list[float]:
        """Return P(positive), in [0, 1], of 1 to `max_records` records, in order.

        Raises ValueError when the model answers what is no probability.
        """

    def label(self, probability: float) -> str:
        """Return the contract's label of a probability."""


Ready = TypeVar("Ready", bound=ServedModel)


def package_of(fetch: Fetch, name: str, digest: str) -> Package:
    """Return the package of this digest.

    Raises BoringError `package_wrong_model` when it is of another model than `name`, or what
    `Package` raises.
    """
    package = Package(fetch, digest)
    if package.manifest["model"] != name:
        found = package.manifest["model"]
        told = f"The package is one of model {found}, not of {name}: release its own."
        raise BoringError("package_wrong_model", told)
    return package


def warmed(model: Ready, document: dict[str, Any]) -> Ready:
    """Return the model after a prediction of the contract's first example; raise what it raises.

    The first run is slow, and shows whether model and contract fit: both belong before traffic.
    """
    example = model.decoder.decode(json.dumps(document["examples"][0]["record"]).encode())
    model.predict([example] if isinstance(example, Record) else example)
    return model


def held_to_bounds(probabilities: list[float]) -> list[float]:
    """Return the same list with rounding beyond 0 and 1 taken off.

    Raises ValueError for what is no probability.
    """
    for index, probability in enumerate(probabilities):
        if not 0.0 <= probability <= 1.0:
            probabilities[index] = clipped(probability)
    return probabilities


def clipped(probability: float) -> float:
    """Return a probability with rounding taken off. Raises ValueError for what is none."""
    if -_ROUNDING <= probability <= 1 + _ROUNDING:
        return min(1.0, max(0.0, probability))
    raise ValueError(f"the model answers {probability}, which is no probability")
