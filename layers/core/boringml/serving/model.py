"""A model in memory: its package is proved before a byte of it is used."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import onnxruntime

from boringml.contract.contract import Contract
from boringml.package import layout
from boringml.package.manifest import read_manifest, verify_file
from boringml.serving.decoder import Decoder

Fetch = Callable[[str], bytes]


@dataclass(frozen=True)
class Prediction:
    """One answer: a label of the contract, and P(positive) in [0, 1]."""

    prediction: str
    probability: float


class Model:
    """One version, ready to answer. Not for threads: its input buffers are used again."""

    def __init__(self, contract: Contract, onnx: bytes, version: int) -> None:
        self.contract = contract
        self.version = version
        self.decoder = Decoder(contract)
        options = onnxruntime.SessionOptions()
        # A Lambda function has one request at a time and, below 1.8 GB, less than one core.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._run = onnxruntime.InferenceSession(
            onnx, options, providers=["CPUExecutionProvider"]
        ).run
        self._width = len(contract.features.numeric)
        self._numeric = np.empty((1, self._width), np.float64)
        self._categorical = np.empty((1, len(contract.features.categorical)), object)

    def predict(self, records: Sequence[msgspec.Struct]) -> list[Prediction]:
        """Return a prediction for each record, in order."""
        numeric, categorical = self._buffers(len(records))
        for index, record in enumerate(records):
            values = msgspec.structs.astuple(record)
            numeric[index] = values[: self._width]
            categorical[index] = values[self._width :]
        inputs = {layout.NUMERIC_INPUT: numeric, layout.CATEGORICAL_INPUT: categorical}
        (probabilities,) = self._run([layout.PROBABILITIES_OUTPUT], inputs)
        contract = self.contract
        answers = []
        for row in probabilities.tolist():
            # float32 sums of trees may leave [0, 1] by an ulp.
            probability = min(1.0, max(0.0, row[layout.POSITIVE_INDEX]))
            positive = probability >= contract.threshold
            answers.append(
                Prediction(contract.positive if positive else contract.negative, probability)
            )
        return answers

    def _buffers(self, rows: int) -> tuple[Any, Any]:
        if rows == 1:
            return self._numeric, self._categorical
        return (
            np.empty((rows, self._width), np.float64),
            np.empty((rows, self._categorical.shape[1]), object),
        )


def load_model(fetch: Fetch, digest: str, version: int) -> Model:
    """Return the model of a package, whose files `fetch` returns by name.

    Raises BoringError `digest_mismatch` when the package is not the one of this digest,
    `package_incomplete`, or what `fetch` raises.
    """
    manifest = read_manifest(fetch(layout.MANIFEST), digest)
    onnx, contract = fetch(layout.ONNX_MODEL), fetch(layout.CONTRACT)
    verify_file(manifest, layout.ONNX_MODEL, onnx)
    verify_file(manifest, layout.CONTRACT, contract)
    return Model(Contract.of(json.loads(contract)), onnx, version)
