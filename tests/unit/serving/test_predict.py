"""From an API Gateway event to its answer."""

import base64
import json
from typing import Any

import pytest
from onnx import TensorProto, helper

from boringml.package import layout
from boringml.serving.model import Model
from boringml.serving.predict import Predictor
from tests.unit.serving import tiny
from tests.unit.serving.conftest import Log

ERRORS = {error["code"]: error["status"] for error in tiny.DOCUMENT["errors"]}


def told(answer: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(answer["body"])
    return body


def test_one_record_gets_one_prediction(predictor: Predictor) -> None:
    event = tiny.sample("predict_one")
    request_id = "invocation-1"
    answer = predictor.answer(event, request_id)
    assert answer["statusCode"] == 200
    assert answer["headers"] == {"Content-Type": "application/json", "X-Request-Id": request_id}
    assert told(answer) == {
        "prediction": "bad",
        "probability": pytest.approx(tiny.probability(tiny.RECORD)),
        "model": "credit",
        "model_version": 3,
        "request_id": request_id,
    }


def test_a_list_gets_its_predictions_in_order(predictor: Predictor) -> None:
    event = tiny.sample("predict_list")
    body = told(predictor.answer(event))
    expected = [tiny.probability(record) for record in json.loads(event["body"])]
    assert [p["probability"] for p in body["predictions"]] == pytest.approx(expected)
    assert (body["model"], body["model_version"]) == ("credit", 3)


def test_a_list_of_one_stays_a_list(predictor: Predictor) -> None:
    body = told(predictor.answer(tiny.event(json.dumps([tiny.RECORD]))))
    assert len(body["predictions"]) == 1


@pytest.mark.parametrize(
    ("name", "status", "code", "field"),
    [
        ("predict_bad_category", 422, "unknown_category", "$.term"),
        ("predict_malformed_json", 400, "malformed_json", None),
        ("predict_not_finite", 422, "not_finite", "$.int_rate"),
        ("predict_wrong_content_type", 415, "unsupported_content_type", None),
    ],
)
def test_each_bad_sample_is_refused_by_its_code(
    predictor: Predictor, name: str, status: int, code: str, field: str | None
) -> None:
    answer = predictor.answer(tiny.sample(name))
    error = told(answer)["error"]
    assert (answer["statusCode"], error["code"], error.get("field")) == (status, code, field)


@pytest.mark.parametrize("case", tiny.DOCUMENT["bad_requests"], ids=lambda case: case["name"])
def test_each_bad_request_of_the_contract_is_refused_as_told(
    predictor: Predictor, case: dict[str, Any]
) -> None:
    answer = predictor.answer(tiny.event(tiny.bad_body(case), case["content_type"]))
    body = told(answer)
    assert (answer["statusCode"], body["error"]["code"]) == (case["status"], case["code"])
    assert ERRORS[case["code"]] == case["status"]
    if "field" in case:
        assert body["error"]["field"] == case["field"]
    assert body["request_id"] == answer["headers"]["X-Request-Id"]


@pytest.mark.parametrize(
    "body",
    [
        "[" * 60_000,
        '{"\\ud800": 1}',
        '{"funded_amnt": "\\udfff"}',
        "\ud800",
        json.dumps({**tiny.RECORD, "annual_inc": 0}).replace(
            '"annual_inc": 0', '"annual_inc": ' + "9" * 5000
        ),
    ],
    ids=["deep", "surrogate name", "surrogate value", "raw surrogate", "5000 digits"],
)
def test_a_hostile_body_is_refused_as_the_clients_mistake(predictor: Predictor, body: str) -> None:
    answer = predictor.answer(tiny.event(body))
    assert answer["statusCode"] in (400, 422)
    assert told(answer)["error"]["code"] in ERRORS


def test_a_content_type_may_have_parameters(predictor: Predictor) -> None:
    event = tiny.event(json.dumps(tiny.RECORD), "Application/JSON; charset=utf-8")
    assert predictor.answer(event)["statusCode"] == 200


def test_a_base64_body_is_decoded(predictor: Predictor) -> None:
    text = base64.b64encode(json.dumps(tiny.RECORD).encode()).decode()
    assert predictor.answer({**tiny.event(text), "isBase64Encoded": True})["statusCode"] == 200


def test_a_body_that_is_not_base64_is_malformed(predictor: Predictor) -> None:
    answer = predictor.answer({**tiny.event("{}"), "isBase64Encoded": True})
    assert (answer["statusCode"], told(answer)["error"]["code"]) == (400, "malformed_json")


def test_a_long_body_is_refused_before_it_is_parsed(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(_body: bytes) -> None:
        raise AssertionError("parsed")

    monkeypatch.setattr(predictor.model.decoder, "_decode", never)  # type: ignore[union-attr]
    most = tiny.CONTRACT.max_body_bytes
    assert predictor.answer(tiny.event(" " * (most + 1)))["statusCode"] == 413


def test_the_bound_is_of_bytes_not_of_characters(predictor: Predictor) -> None:
    most = tiny.CONTRACT.max_body_bytes
    assert predictor.answer(tiny.event('"' + "é" * (most // 2) + '"'))["statusCode"] == 413


def test_before_the_first_release_the_answer_says_so(log: Log) -> None:
    answer = Predictor("credit", None, "1", log.write).answer(tiny.sample("predict_one"))
    assert answer["statusCode"] == 503
    assert told(answer)["error"]["code"] == "model_not_released"


def test_a_failure_of_the_service_shows_in_the_log_alone_and_without_its_words(
    model: Model, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_records: Any) -> None:
        try:
            raise KeyError("a secret of the cause")
        except KeyError as cause:
            raise ZeroDivisionError("a secret of the service") from cause

    monkeypatch.setattr(model, "predict", broken)
    answer = Predictor("credit", model, "1", log.write).answer(tiny.sample("predict_one"))
    assert (answer["statusCode"], told(answer)["error"]["code"]) == (500, "internal_error")
    assert "secret" not in answer["body"]
    (line,) = log.lines
    assert line["failures"] == 1
    trace = line["traceback"]
    assert trace.index("KeyError") < trace.index("ZeroDivisionError")
    assert "test_predict.py" in trace
    assert '"a secret of the service"' in trace  # the line of code, which is ours
    assert "ZeroDivisionError: " not in trace


def test_what_a_model_says_of_a_sensitive_value_reaches_no_log(
    log: Log, capfd: pytest.CaptureFixture[str]
) -> None:
    """ONNX Runtime repeats an index that is out of bounds, here an income, as it raises."""
    sentinel = 123457
    model = Model(tiny.CONTRACT, throwing_model("annual_inc"), 3)
    record = {**tiny.RECORD, "annual_inc": sentinel}
    answer = Predictor("credit", model, "1", log.write).answer(tiny.event(json.dumps(record)))
    assert answer["statusCode"] == 500
    assert "serving/model.py" in log.lines[0]["traceback"]
    written = capfd.readouterr()
    assert str(sentinel) not in log.content + answer["body"] + written.out + written.err


def throwing_model(feature: str) -> bytes:
    """Return a model.onnx that looks a feature's value up in a table which has no such row."""
    numeric = tiny.CONTRACT.features.numeric
    index = TensorProto.INT64
    nodes = [
        helper.make_node("Gather", [layout.NUMERIC_INPUT, "column"], ["value"], axis=1),
        helper.make_node("Cast", ["value"], ["row"], to=index),
        helper.make_node("Gather", ["table", "row"], ["one"], axis=0),
        helper.make_node("Concat", ["one", "one"], [layout.PROBABILITIES_OUTPUT], axis=1),
    ]
    categories = len(tiny.CONTRACT.features.categorical)
    shapes = {
        layout.NUMERIC_INPUT: (TensorProto.DOUBLE, len(numeric)),
        layout.CATEGORICAL_INPUT: (TensorProto.STRING, categories),
    }
    inputs = [
        helper.make_tensor_value_info(name, kind, [None, width])
        for name, (kind, width) in shapes.items()
    ]
    output = helper.make_tensor_value_info(
        layout.PROBABILITIES_OUTPUT, TensorProto.FLOAT, [None, 2]
    )
    constants = [
        helper.make_tensor("column", index, [1], [list(numeric).index(feature)]),
        helper.make_tensor("table", TensorProto.FLOAT, [2], [0.5, 0.5]),
    ]
    graph = helper.make_graph(nodes, "throwing", inputs, [output], constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(made.SerializeToString())
