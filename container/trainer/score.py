"""Run a model over a frame: P(positive) of each row, as float64 [N]."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import onnxruntime
import pandas as pd
from numpy.typing import NDArray

from boringml.contract.features import Features
from boringml.package import layout

Scores: TypeAlias = NDArray[np.float64]
Scorer: TypeAlias = Callable[[pd.DataFrame], Scores]


class PipelineScorer:
    """A fitted scikit-learn pipeline."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline

    def __call__(self, frame: pd.DataFrame) -> Scores:
        probabilities = self._pipeline.predict_proba(frame)
        return np.asarray(probabilities[:, layout.POSITIVE_INDEX], dtype=np.float64)


class OnnxScorer:
    """model.onnx, run as serving runs it."""

    def __init__(self, content: bytes, features: Features) -> None:
        options = onnxruntime.SessionOptions()
        # More threads would add up the trees in another order: another last bit.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )
        self._features = features

    def __call__(self, frame: pd.DataFrame) -> Scores:
        numeric = frame[list(self._features.numeric)].to_numpy(dtype=np.float64)
        categorical = frame[list(self._features.categorical)].to_numpy(dtype=object)
        text = frame[list(self._features.text)].to_numpy(dtype=object)
        tensors = {
            layout.NUMERIC_INPUT: numeric,
            layout.CATEGORICAL_INPUT: categorical,
            layout.TEXT_INPUT: text,
        }
        (probabilities,) = self._session.run(
            [layout.PROBABILITIES_OUTPUT],
            {name: values for name, values in tensors.items() if values.shape[1]},
        )
        # A forest adds up float32 shares, and gets 1.0000001 where all trees agree.
        found: Scores = probabilities[:, layout.POSITIVE_INDEX].astype(np.float64)
        return found.clip(0.0, 1.0)
