"""A model in ONNX Runtime: its package is proved before a byte of it is used."""

import json
import math
from collections.abc import Sequence
from itertools import chain
from struct import Struct, pack_into
from typing import Any

import numpy as np
import onnxruntime
from msgspec.structs import astuple

from boringml.contract.contract import Contract
from boringml.errors import BoringError
from boringml.package import layout
from boringml.package.reader import Fetch
from boringml.serving.decoder import Decoder, Record
from boringml.serving.served_model import clipped, held_to_bounds, package_of, warmed

_OUTPUTS = [layout.PROBABILITIES_OUTPUT]


class Model:
    """One version, ready to answer. Not for threads: its input buffers are used again."""

    def __init__(self, contract: Contract, onnx: bytes, version: int) -> None:
        self.contract = contract
        self.version = version
        self.decoder = Decoder(contract)
        self.label = contract.label
        # `session.run` without its checks of names, which are the same for each request, and with
        # options made once: without any, ONNX Runtime makes them at each run. It is private, so a
        # test holds it to `run`, and ONNX Runtime is pinned by the layer.
        # Without the arena, whose bookkeeping takes longer than malloc for tensors so small.
        self._run = open_session(onnx, arena=False)._sess.run
        self._options = onnxruntime.RunOptions()
        features, most = contract.features, contract.max_records
        self._width = len(features.numeric)
        # Rows of `numeric`, as C lays them out: packing is faster than numpy's own conversion.
        self._row = Struct(f"{self._width}d")
        self._numeric = np.empty((most, self._width), np.float64)
        categories = len(features.categorical)
        self._strings = np.empty((most, categories + len(features.text)), object)
        # The same memory, as it is packed, and as texts are set: one after the other.
        self._memory = self._numeric.data
        self._texts = self._strings.reshape(-1)
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
        rows, width = len(records), self._width
        if rows == 1:
            return [self._predict_one(records[0])]
        filled = self._filled if self.contract.has_gaps else astuple
        # All rows at once: half of what a row at a time takes.
        table = [filled(record) for record in records]
        numbers = chain.from_iterable([values[:width] for values in table])
        pack_into(f"{rows * width}d", self._memory, 0, *numbers)
        texts = chain.from_iterable([values[width:] for values in table])
        self._texts[: rows * self._strings.shape[1]] = list(texts)
        (probabilities,) = self._run(_OUTPUTS, self._first(rows), self._options)
        positive: list[float] = probabilities[:, layout.POSITIVE_INDEX].tolist()
        return held_to_bounds(positive)

    def _predict_one(self, record: Record) -> float:
        values = self._filled(record) if self.contract.has_gaps else astuple(record)
        self._row.pack_into(self._memory, 0, *values[: self._width])
        self._strings[0] = values[self._width :]
        (probabilities,) = self._run(_OUTPUTS, self._one, self._options)
        probability: float = probabilities.item(layout.POSITIVE_INDEX)
        return probability if 0.0 <= probability <= 1.0 else clipped(probability)

    def _filled(self, record: Record) -> tuple[Any, ...]:
        """Return a record's values with what a model takes for missing: NaN, or "" for a text."""
        values = astuple(record)
        if None not in values:
            return values
        numbers = [math.nan if value is None else value for value in values[: self._width]]
        return (*numbers, *("" if value is None else value for value in values[self._width :]))

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


def open_session(onnx: bytes, *, arena: bool = True) -> Any:
    """Return ONNX Runtime's session of a model, on one thread.

    `arena` tells whether it keeps memory of its own, which pays for tensors of many rows.
    """
    options = onnxruntime.SessionOptions()
    # A Lambda function has one request at a time and, below 1.8 GB, less than one core.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.enable_cpu_mem_arena = arena
    # Fatal ones alone: its lines are no JSON, and those of errors repeat what a record holds.
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
