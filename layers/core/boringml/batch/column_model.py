"""A model that scores the columns of a batch: its package is proved before a byte is used."""

from typing import Any

import numpy as np

from boringml.batch.categories import MISSING, Texts
from boringml.batch.coded_graph import coded
from boringml.contract.contract import Contract
from boringml.package import layout
from boringml.package.reader import Fetch
from boringml.serving.model import onnx_of, open_session
from boringml.serving.served_model import clipped

_OUTPUTS = [layout.PROBABILITIES_OUTPUT]


class ColumnModel:
    """One version, ready to score rows by the thousand.

    It takes categories as their places in the contract's lists. A graph that can be made to do so
    looks for the places itself (`takes_places`); to another one they are given as texts.
    """

    def __init__(self, contract: Contract, onnx: bytes, version: int) -> None:
        self.contract = contract
        self.version = version
        self._texts = Texts(contract.features)
        features = contract.features
        rewritten = coded(onnx, [features.categories[name] for name in features.categorical])
        self.takes_places = rewritten is not None
        self._session = open_session(onnx if rewritten is None else rewritten)
        self._inputs = {one.name for one in self._session.get_inputs()}

    def predict_columns(self, numeric: Any, places: Any) -> Any:
        """Return P(positive), float64 in [0, 1], of the rows of two arrays.

        `numeric` is float64 (rows, fields) with NaN for what is missing, `places` int64 with
        MISSING for it; fields as in the contract's features.
        Raises ValueError when the model answers what is no probability.
        """
        categorical = places if self.takes_places else self._texts.of(places)
        both = {layout.NUMERIC_INPUT: numeric, layout.CATEGORICAL_INPUT: categorical}
        inputs = {name: both[name] for name in self._inputs}
        (probabilities,) = self._session.run(_OUTPUTS, inputs)
        positive = probabilities[:, layout.POSITIVE_INDEX].astype(np.float64)
        strange = ~((positive >= 0.0) & (positive <= 1.0))
        for index in np.flatnonzero(strange):
            positive[index] = clipped(float(positive[index]))
        return positive


def load_column_model(fetch: Fetch, name: str, digest: str, version: int) -> ColumnModel:
    """Return the model of a package, whose files `fetch` returns by name.

    Raises what `onnx_of` raises, or what the model raises at its first prediction: that shows
    whether model and contract fit.
    """
    onnx, document = onnx_of(fetch, name, digest)
    model = ColumnModel(Contract.of(document), onnx, version)
    features = model.contract.features
    nothing = np.full((1, len(features.categorical)), MISSING)
    model.predict_columns(np.zeros((1, len(features.numeric))), nothing)
    return model
