"""BentoML before scikit-learn: `bentoml serve bentoml_sklearn:Credit`."""

from typing import Any

import bentoml
import common
import pandas as pd


@bentoml.service(workers=1)
class Credit:
    """One service, one worker."""

    def __init__(self) -> None:
        self.pipeline = common.pipeline()

    @bentoml.api
    def predict(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to one request."""
        frame = pd.DataFrame([record], columns=common.COLUMNS)
        return common.told(self.pipeline.predict_proba(frame)[0, 1])
