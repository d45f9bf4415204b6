"""A function that runs the model on one ready record: no handler goes below it.

Between two calls a process sleeps and others use its caches, so a run here takes a multiple of what
it takes in a loop.
"""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from boringml.contract.contract import Contract
from boringml.package import layout

_PACKAGE = Path(os.environ["PACKAGE"])
_RECORD = json.loads(os.environ["RECORD"])
_FEATURES = Contract.of(json.loads((_PACKAGE / layout.CONTRACT).read_text())).features
_options = onnxruntime.SessionOptions()
_options.intra_op_num_threads = 1
_session = onnxruntime.InferenceSession(str(_PACKAGE / layout.ONNX_MODEL), _options)
_tensors = {
    layout.NUMERIC_INPUT: np.array([[_RECORD[name] for name in _FEATURES.numeric]], np.float64),
    layout.CATEGORICAL_INPUT: np.array([[_RECORD[name] for name in _FEATURES.categorical]], object),
}


def handler(_event: Any, _context: Any) -> None:
    """Run the session."""
    _session.run([layout.PROBABILITIES_OUTPUT], _tensors)
