"""A pipeline over features of every kind, served from its pickle."""

import io
import json
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from boringml.contract.contract import Contract
from boringml.serving.decoder import Record
from boringml.serving.joblib_model import JoblibModel
from boringml.serving.predict import Predictor
from container.trainer.describe import frame_of_records
from tests.unit.serving import tiny
from tests.unit.serving.conftest import Log

pytestmark = pytest.mark.filterwarnings("ignore:X does not have valid feature names")

WORDS = ["tea", "coffee", "not", "good", "bad", "é", "\U0001f600"]
PROPERTIES = {
    "note": {"type": "string", "minLength": 1, "maxLength": 60, "nullable": True},
    "colour": {"type": "string", "enum": ["red", "green"], "nullable": True},
    "rate": {"type": "number", "minimum": -9, "maximum": 9, "nullable": True},
    "age": {"type": "integer", "minimum": 0, "maximum": 120},
}
DOCUMENT: dict[str, Any] = {
    **tiny.DOCUMENT,
    "request": {
        **tiny.DOCUMENT["request"],
        "properties": PROPERTIES,
        "required": ["note", "colour", "age"],
    },
    "key_features": [],
    "sensitive": ["note"],
}
CONTRACT = Contract.of(DOCUMENT)

records = st.fixed_dictionaries(
    {
        "note": st.none() | st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join),
        "colour": st.sampled_from([None, "red", "green"]),
        "age": st.integers(0, 120),
    },
    optional={"rate": st.none() | st.floats(-9, 9)},
)


def fitted() -> Pipeline:
    """Return a pipeline fitted on a frame with names, as training does, and read back."""
    features, rng = CONTRACT.features, np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "rate": rng.normal(size=200),
            "age": rng.integers(0, 120, 200).astype(float),
            "colour": rng.choice(["red", "green", ""], 200).astype(object),
            "note": [" ".join(rng.choice(WORDS, 5)) for _ in range(200)],
        }
    )
    frame.loc[::9, "rate"] = np.nan
    (text,) = features.text_columns
    columns = ColumnTransformer(
        [
            ("numeric", SimpleImputer(), features.numeric_columns),
            ("categorical", OneHotEncoder(), features.categorical_columns),
            ("text", TfidfVectorizer(ngram_range=(1, 2)), text),
        ]
    )
    labels = (frame["rate"].fillna(0) + frame["note"].str.contains("not") > 0.5).astype(int)
    pipeline = Pipeline([("columns", columns), ("model", LogisticRegression(max_iter=1000))])
    stream = io.BytesIO()
    joblib.dump(pipeline.fit(frame[list(features.names)], labels), stream)
    return joblib.load(io.BytesIO(stream.getvalue()))


PIPELINE = fitted()
MODEL = JoblibModel(CONTRACT, PIPELINE, 1)


def decoded(given: list[dict[str, Any]]) -> list[Record]:
    found = MODEL.decoder.decode(json.dumps(given).encode())
    assert isinstance(found, list)
    return found


@settings(max_examples=60)
@given(st.lists(records, min_size=1, max_size=6))
def test_a_record_is_to_the_pipeline_what_its_row_of_a_frame_is(
    given: list[dict[str, Any]],
) -> None:
    frame = frame_of_records(given, CONTRACT.features)
    expected = PIPELINE.predict_proba(frame)[:, 1].tolist()
    assert MODEL.predict(decoded(given)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("raw", [float("nan"), -0.1, 1.1])
def test_what_is_no_probability_is_never_answered(
    monkeypatch: pytest.MonkeyPatch, raw: float
) -> None:
    model = JoblibModel(CONTRACT, PIPELINE, 1)
    monkeypatch.setattr(model, "_predict", lambda _: np.array([[0.0, raw]]))
    with pytest.raises(ValueError, match="no probability"):
        model.predict(decoded([{"note": "tea", "colour": "red", "age": 1}]))


def test_the_threshold_itself_is_positive() -> None:
    assert [MODEL.label(p) for p in (0.0999, 0.1)] == ["good", "bad"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"note": "my secret", "colour": "red", "age": 1}, 200),
        ({"note": "my secret" * 10, "colour": "red", "age": 1}, 422),
        ({"note": "my secret", "colour": "blue", "age": 1}, 422),
        ([{"note": "my secret", "colour": "red", "age": 1}] * 3, 200),
    ],
)
def test_a_sensitive_text_never_reaches_the_log(log: Log, body: Any, status: int) -> None:
    answer = Predictor("credit", MODEL, "7", log.write).answer(tiny.event(json.dumps(body)))
    assert answer["statusCode"] == status
    assert log.lines
    assert "secret" not in log.content
    assert "secret" not in answer["body"]


def test_numbers_alone_reach_the_pipeline_as_doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    properties = {name: PROPERTIES[name] for name in ("age", "rate")}
    request = {**DOCUMENT["request"], "properties": properties, "required": ["age"]}
    model = JoblibModel(Contract.of({**DOCUMENT, "request": request, "sensitive": []}), PIPELINE, 1)
    seen: list[Any] = []

    def predict(rows: Any) -> Any:
        seen.append(rows)
        return np.array([[0.5, 0.5]])

    monkeypatch.setattr(model, "_predict", predict)
    record = model.decoder.decode(b'{"age": 7}')
    assert isinstance(record, Record)
    model.predict([record])
    assert seen[0].dtype == np.float64
    assert seen[0][0].tolist() == pytest.approx([7.0, float("nan")], nan_ok=True)
