"""FastAPI before scikit-learn: `uvicorn fastapi_sklearn:app --workers 1`."""

from typing import Any

import common
import pandas as pd
from fastapi import FastAPI

app = FastAPI()
pipeline = common.pipeline()
Record = common.record_type()


@app.post("/predict")
def predict(record: Record) -> dict[str, Any]:  # type: ignore[valid-type]
    """Return the answer to one request; FastAPI runs it in a thread, as it is not async."""
    frame = pd.DataFrame([record.model_dump()], columns=common.COLUMNS)
    return common.told(pipeline.predict_proba(frame)[0, 1])
