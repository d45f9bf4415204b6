"""A model in ONNX Runtime: its package is proved before a byte of it is used."""

import json
import math
from collections.abc import Sequence
from struct import Struct
from typing import Any

import numpy as np
import onnxruntime
from msgspec.structs import astuple

from boringml.contract.contract import Contract
from boringml.errors import BoringError
from boringml.package import layout
from boringml.package.reader import Fetch
from boringml.serving.decoder import Decoder, Record
from boringml.serving.served_model import held_to_bounds, package_of, warmed

_OUTPUTS = [layout.PROBABILITIES_OUTPUT]


class Model:
    """One version, ready to answer. Not for threads: its input buffers are used again."""

    def __init__(self, contract: Contract, onnx: bytes, version: int) -> None:
        self.contract = contract
        self.version = version
        self.decoder = Decoder(contract)
        self._run = open_session(onnx).run
        features, most = contract.features, contract.max_records
        self._width = len(features.numeric)
        # A row of `numeric`, as C lays it out: packing is faster than numpy's own conversion.
        self._row = Struct(f"{self._width}d")
        self._numeric = np.empty((most, self._width), np.float64)
        categories = len(features.categorical)
        self._strings = np.empty((most, categories + len(features.text)), object)
        every = {
            layout.NUMERIC_INPUT: self._numeric,
            layout.CATEGORICAL_INPUT: self._strings[:, :categories],
            layout.TEXT_INPUT: self._strings[:, categories:],
        }
        # A model without features of one kind has no such input.
        self._buffers = {name: buffer for name, buffer in every.items() if buffer.shape[1]}
        self._one = self._first(1)

    def predict(self, records: Sequence[Record]) -> list[float]:
        """Return P(positive), in [0, 1], of 1 to `max_records` records, in order.

        Raises ValueError when the model answers what is no probability.
        """
        width, numeric, row = self._width, self._numeric.data, self._row
        strings, size = self._strings, self._row.size
        gaps = self.contract.has_gaps
        for index, record in enumerate(records):
            values = _filled(astuple(record), width) if gaps else astuple(record)
            row.pack_into(numeric, index * size, *values[:width])
            strings[index] = values[width:]
        rows = len(records)
        inputs = self._one if rows == 1 else self._first(rows)
        (probabilities,) = self._run(_OUTPUTS, inputs)
        positive: list[float] = probabilities[:, layout.POSITIVE_INDEX].tolist()
        return held_to_bounds(positive)

    def label(self, probability: float) -> str:
        """Return the contract's label of a probability."""
        return self.contract.label(probability)

    def _first(self, rows: int) -> dict[str, Any]:
        return {name: buffer[:rows] for name, buffer in self._buffers.items()}


def load_model(fetch: Fetch, name: str, digest: str, version: int) -> Model:
    """Return the model of a package, whose files `fetch` returns by name.

    Raises what `onnx_of` raises, or what the model raises at its first prediction.
    """
    onnx, document = onnx_of(fetch, name, digest)
    return warmed(Model(Contract.of(document), onnx, version), document)


def onnx_of(fetch: Fetch, name: str, digest: str) -> tuple[bytes, dict[str, Any]]:
    """Return model.onnx and contract.json of a package, whose files `fetch` returns by name.

    Raises BoringError `digest_mismatch` when the package is not the one of this digest,
    `package_wrong_model` when it is of another model than `name`, `runtime_not_supported`,
    `package_incomplete`, or what `fetch` raises.
    """
    package = package_of(fetch, name, digest)
    runtime = package.manifest["runtime"]
    if runtime != layout.RUNTIME_ONNX:
        told = f"This function runs ONNX, not {runtime}: give the model that runtime."
        raise BoringError("runtime_not_supported", told)
    return package.read(layout.ONNX_MODEL), json.loads(package.read(layout.CONTRACT))


def open_session(onnx: bytes) -> Any:
    """Return ONNX Runtime's session of a model, on one thread."""
    options = onnxruntime.SessionOptions()
    # A Lambda function has one request at a time and, below 1.8 GB, less than one core.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    # Fatal ones alone: its lines are no JSON, and those of errors repeat what a record holds.
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])


def _filled(values: tuple[Any, ...], width: int) -> tuple[Any, ...]:
    """Return the values with what a model takes for missing: NaN for a number, "" for a text."""
    numbers = [math.nan if value is None else value for value in values[:width]]
    return (*numbers, *("" if value is None else value for value in values[width:]))
