"""SimpleImputer exported over doubles: what scikit-learn fills, ONNX Runtime fills."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from boringml.contract.features import Features
from boringml.errors import BoringError
from container.trainer.export import export
from container.trainer.score import PipelineScorer

FEATURES = Features(("x", "y"), (), frozenset(), {}, {})
ROWS = pd.DataFrame(
    {"x": [0.1, np.nan, 3.0, -1.0, 0.1], "y": [np.nan, 1e9 + 0.25, np.nan, 2.0, 16777217.0]}
)
LABELS = [0, 1, 1, 0, 1]


def fitted(**parameters: Any) -> Pipeline:
    fill = SimpleImputer(**parameters)
    # Of the size of x: the last digits of y count, which a float32 would lose.
    model = LogisticRegression().fit([[0.0, 0.0], [1.0, 1.0]], [0, 1])
    fill.fit(ROWS)
    model.coef_ = np.array([[1.0, 1.0]])
    model.intercept_ = np.array([-16777216.0])
    return Pipeline([("fill", fill), ("model", model)])


@pytest.mark.parametrize(
    "parameters",
    [{"strategy": "constant", "fill_value": 16777217.0}, {"strategy": "median"}, {}],
    ids=["constant", "median", "mean"],
)
def test_doubles_are_filled_to_the_last_digit(parameters: Any) -> None:
    pipeline = fitted(**parameters)
    _, scorer = export(pipeline, FEATURES, "toy")
    assert np.abs(scorer(ROWS) - PipelineScorer(pipeline)(ROWS)).max() <= 1e-7


@pytest.mark.parametrize("parameters", [{"add_indicator": True}, {"missing_values": -1.0}])
def test_what_the_form_cannot_say_is_left_to_the_other_runtime(parameters: Any) -> None:
    fill = SimpleImputer(**parameters)
    rows = ROWS.fillna(-1.0) if "missing_values" in parameters else ROWS
    pipeline = Pipeline([("fill", fill), ("model", LogisticRegression())]).fit(rows, LABELS)
    with pytest.raises(BoringError) as refused:
        export(pipeline, FEATURES, "toy")
    assert refused.value.code == "export_failed"
