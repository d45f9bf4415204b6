"""The hot path joins text; what it says is held to the plain definition of each answer and line."""

import json
from typing import Any
from unittest.mock import patch

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from boringml.serving.model import Model, open_session
from boringml.serving.predict import Predictor
from boringml.serving.prediction_log import PredictionLog
from tests.unit.serving import tiny

RULES = tiny.CONTRACT.schema["properties"]
HIDDEN = set(tiny.CONTRACT.sensitive)
# Whatever may stand in a header, also what must be escaped.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def value(rule: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "enum" in rule:
        return st.sampled_from(rule["enum"])
    if rule["type"] == "integer":
        return st.integers(int(rule["minimum"]), int(rule["maximum"]))
    return st.floats(rule["minimum"], rule["maximum"])


RECORDS = st.fixed_dictionaries({name: value(rule) for name, rule in RULES.items()})
MODEL = Model(tiny.CONTRACT, tiny.onnx_model(), 3)
FEATURES = tiny.CONTRACT.features.names


@settings(deadline=None)
@given(
    st.one_of(RECORDS, st.lists(RECORDS, min_size=1, max_size=5)),
    st.fixed_dictionaries({"requestId": TEXT, "stage": TEXT}),
    TEXT,
    TEXT,
)
def test_an_answer_and_its_lines_are_what_is_plainly_meant(
    body: Any, context: dict[str, str], upstream: str, trace: str
) -> None:
    told: list[str] = []
    event = {
        "headers": {
            "Content-Type": "application/json",
            "X-Request-Id": upstream,
            "X-Amzn-Trace-Id": trace,
        },
        "requestContext": context,
        "body": json.dumps(body),
    }
    answer = Predictor("credit", MODEL, "7", told.append).answer(event, "invocation-1")
    records = body if isinstance(body, list) else [body]
    outcomes = []
    for record in records:
        probability = tiny.probability(record)
        outcomes.append({"prediction": MODEL.label(probability), "probability": probability})
    request_id = "invocation-1"
    about = {"model": "credit", "model_version": 3, "request_id": request_id}
    expected = {"predictions": outcomes} if isinstance(body, list) else outcomes[0]
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {**expected, **about}
    assert list(json.loads(answer["body"])) == [*expected, *about]

    lines = [json.loads(line) for line in "".join(told).split("\n")[:-1]]
    assert len(lines) == len(records)
    for place, (line, record, outcome) in enumerate(zip(lines, records, outcomes, strict=True)):
        shared = {
            "request_id": request_id,
            "stage": context["stage"],
            "record": place,
            "features": {name: record[name] for name in FEATURES if name not in HIDDEN},
            **outcome,
        }
        assert shared.items() <= line.items()
        assert line["upstream_request_id"] in (None, upstream or context["requestId"])
        assert line["trace_id"] in (None, trace)


@settings(deadline=None)
@given(st.lists(RECORDS, min_size=1, max_size=6))
def test_a_model_is_run_as_onnx_runtime_itself_runs_it(records: list[dict[str, Any]]) -> None:
    """Past `session.run`, on buffers that are used again, one by one and all at once."""
    features = tiny.CONTRACT.features
    session = open_session(tiny.onnx_model())
    inputs = {
        "numeric": np.array([[r[n] for n in features.numeric] for r in records], np.float64),
        "categorical": np.array([[r[n] for n in features.categorical] for r in records], object),
    }
    (expected,) = session.run(["probabilities"], inputs)
    decoded = MODEL.decoder.decode(json.dumps(records).encode())
    assert isinstance(decoded, list)
    probabilities = expected[:, 1].tolist()
    assert MODEL.predict(decoded) == probabilities
    assert [MODEL.predict([record])[0] for record in decoded] == probabilities


@given(st.lists(RECORDS, min_size=1, max_size=3))
def test_a_record_that_was_logged_has_no_sensitive_value_left(
    records: list[dict[str, Any]],
) -> None:
    decoded = MODEL.decoder.decode(json.dumps(records).encode())
    assert isinstance(decoded, list)
    for record in decoded:
        MODEL.decoder.loggable(record)
        left = msgspec.structs.asdict(record)
        assert all(left[name] is msgspec.UNSET for name in HIDDEN)


@given(st.floats(1, 2**31))
def test_a_line_says_the_millisecond_that_it_was_written_in(now: float) -> None:
    log = PredictionLog({"model": "credit"})
    with_time = _at(log, now)
    whole, _, fraction = with_time["timestamp"].rstrip("Z").partition(".")
    assert with_time["_aws"]["Timestamp"] == int(now) * 1000 + int((now - int(now)) * 1000)
    assert int(fraction) == with_time["_aws"]["Timestamp"] % 1000
    assert len(whole) == len("2026-01-01T00:00:00")


def _at(log: PredictionLog, now: float) -> dict[str, Any]:
    with patch("boringml.serving.prediction_log.time.time", lambda: now):
        text = log.lines('"a":1', [], code=None, failed=False, latency_ms=0.5)
    line: dict[str, Any] = json.loads(text)
    return line
