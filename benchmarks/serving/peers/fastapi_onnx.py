"""FastAPI before ONNX Runtime: `uvicorn fastapi_onnx:app --workers 1`."""

from typing import Any

import common
import numpy as np
import onnxruntime
from fastapi import FastAPI

app = FastAPI()
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(common.PACKAGE / "model.onnx", options)
Record = common.record_type()


@app.post("/predict")
async def predict(record: Record) -> dict[str, Any]:  # type: ignore[valid-type]
    """Return the answer to one request, in the event loop: it takes microseconds."""
    values = record.model_dump()
    inputs = {
        "numeric": np.array([[values[name] for name in common.NUMERIC]], np.float64),
        "categorical": np.array([[values[name] for name in common.CATEGORICAL]], object),
    }
    return common.told(session.run(["probabilities"], inputs)[0][0, 1])
