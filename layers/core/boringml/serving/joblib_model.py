"""A scikit-learn pipeline in memory: its package is proved before a byte of it is unpickled."""

import io
import json
import math
import os
import warnings
from collections.abc import Mapping, Sequence
from importlib.metadata import version as installed
from typing import Any

import numpy as np
from msgspec.structs import astuple

from boringml.contract.contract import Contract
from boringml.errors import BoringError
from boringml.package import layout
from boringml.package.reader import Fetch
from boringml.serving.decoder import Decoder, Record
from boringml.serving.served_model import held_to_bounds, package_of, warmed

# Of these the pickle holds objects. scikit-learn supports no pickle of another version of itself
# ("Model persistence", Security & Maintainability Limitations); the others keep theirs readable
# within a major version.
_EXACTLY = "scikit-learn"
_BY_MAJOR = ("joblib", "numpy", "scipy")


class JoblibModel:
    """One version, ready to answer. It is what training fitted, so it needs no export."""

    def __init__(self, contract: Contract, pipeline: Any, version: int) -> None:
        self.contract = contract
        self.version = version
        self.decoder = Decoder(contract)
        self._predict = pipeline.predict_proba
        features = contract.features
        self._width = len(features.numeric)
        # A frame's columns by place, without pandas; numbers beside texts need objects.
        self._kind = float if features.names == features.numeric else object

    def predict(self, records: Sequence[Record]) -> list[float]:
        """Return P(positive), in [0, 1], of 1 to `max_records` records, in order.

        Raises ValueError when the model answers what is no probability.
        """
        rows = np.empty((len(records), len(self.contract.features.names)), self._kind)
        for index, record in enumerate(records):
            rows[index] = _filled(astuple(record), self._width)
        probabilities = self._predict(rows)
        return held_to_bounds(probabilities[:, layout.POSITIVE_INDEX].tolist())

    def label(self, probability: float) -> str:
        """Return the contract's label of a probability."""
        return self.contract.label(probability)


def load_joblib_model(fetch: Fetch, name: str, digest: str, version: int) -> JoblibModel:
    """Return the model of a package, whose files `fetch` returns by name.

    Every package holds model.joblib, also one whose export is faithful. Raises BoringError
    `digest_mismatch` when the package is not the one of this digest, `package_wrong_model` when it
    is of another model than `name`, `library_mismatch` when it was trained with libraries that
    this function does not have, `package_incomplete`, what `fetch` raises, or what the model raises
    at its first prediction.
    """
    package = package_of(fetch, name, digest)
    _check_libraries(package.manifest["libraries"])
    pickle = package.read(layout.JOBLIB_MODEL)
    document = json.loads(package.read(layout.CONTRACT))
    return warmed(JoblibModel(Contract.of(document), _unpickled(pickle), version), document)


def _check_libraries(trained: Mapping[str, str]) -> None:
    for library in (_EXACTLY, *_BY_MAJOR):
        with_, here = trained.get(library, "none"), installed(library)
        same = with_ == here if library == _EXACTLY else _major(with_) == _major(here)
        if not same:
            told = (
                f"The model was trained with {library} {with_}, and this function has {here}: "
                "train again with the image of this commit, or deploy the layer of that one."
            )
            raise BoringError("library_mismatch", told, library=library)


def _major(version: str) -> str:
    return version.split(".", 1)[0]


def _unpickled(proved: bytes) -> Any:
    # Lambda has no shared memory, which joblib would look for, and warn of, at its import.
    os.environ.setdefault("JOBLIB_MULTIPROCESSING", "0")
    import joblib

    # Columns are told by their place on purpose: their names would need pandas.
    warnings.filterwarnings("ignore", "X does not have valid feature names")
    return joblib.load(io.BytesIO(proved))


def _filled(values: tuple[Any, ...], width: int) -> tuple[Any, ...]:
    """Return the values with what a frame has for missing: NaN for a number, "" for a string.

    Numbers are float64, as training had them: an int would take another path through numpy.
    """
    numbers = [math.nan if value is None else float(value) for value in values[:width]]
    return (*numbers, *("" if value is None else value for value in values[width:]))
