"""What a request leaves in the log."""

import json
import re
from typing import Any

import pytest

from boringml.contract.contract import Contract
from boringml.serving.decoder import Decoder
from boringml.serving.model import Model
from boringml.serving.predict import Predictor
from boringml.serving.prediction_log import PredictionLog
from tests.unit.serving import tiny
from tests.unit.serving.conftest import Log


def test_a_prediction_is_one_line_with_its_metrics(predictor: Predictor, log: Log) -> None:
    event = tiny.sample("predict_one")
    predictor.answer(event)
    (line,) = log.lines
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive == {
        "Namespace": "BoringML",
        "Dimensions": [["model"], ["model", "model_version", "function_version"]],
        "Metrics": [
            {"Name": "requests", "Unit": "Count"},
            {"Name": "failures", "Unit": "Count"},
            {"Name": "latency_ms", "Unit": "Milliseconds"},
        ],
    }
    assert isinstance(line["_aws"]["Timestamp"], int)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["timestamp"])
    assert line["latency_ms"] > 0
    expected = {
        "level": "INFO",
        "model": "credit",
        "model_version": "3",
        "contract_version": "1.0.0",
        "pattern": "online",
        "stage": "v1",
        "function_version": "7",
        "request_id": event["requestContext"]["requestId"],
        "upstream_request_id": "order-4711",
        "trace_id": event["headers"]["X-Amzn-Trace-Id"],
        "cold_start": True,
        "code": None,
        "requests": 1,
        "failures": 0,
        "prediction": "bad",
        "probability": pytest.approx(tiny.probability(tiny.RECORD)),
    }
    assert expected.items() <= line.items()


def test_a_list_counts_as_one_request(predictor: Predictor, log: Log) -> None:
    event = tiny.sample("predict_list")
    predictor.answer(event)
    first, second = log.lines
    assert log.writes == 1
    assert first["requests"] == 1
    assert "_aws" in first
    assert "_aws" not in second
    assert first["request_id"] == second["request_id"]
    rates = [record["int_rate"] for record in json.loads(event["body"])]
    assert [line["features"]["int_rate"] for line in (first, second)] == rates


def test_sensitive_features_stay_out_of_the_log(predictor: Predictor, log: Log) -> None:
    predictor.answer(tiny.sample("predict_one"))
    (line,) = log.lines
    names = set(tiny.RECORD) - set(tiny.DOCUMENT["sensitive"])
    assert len(names) == len(tiny.RECORD) - 2
    assert line["features"] == {name: tiny.RECORD[name] for name in names}
    assert not any(name in log.content for name in tiny.DOCUMENT["sensitive"])


@pytest.mark.parametrize("stage", ["smoke", "shadow"])
def test_what_a_release_asks_leaves_lines_without_metrics(
    predictor: Predictor, log: Log, stage: str
) -> None:
    event = tiny.sample("predict_list")
    event["requestContext"]["stage"] = stage
    predictor.answer(event)
    first, second = log.lines
    assert first["stage"] == second["stage"] == stage
    assert first["features"]["int_rate"] == json.loads(event["body"])[0]["int_rate"]
    assert "_aws" not in log.content


def test_each_stack_has_its_own_namespace(model: Model, log: Log) -> None:
    mine = Predictor("credit", model, "7", log.write, "BoringML/a-stack")
    mine.answer(tiny.sample("predict_one"))
    (line,) = log.lines
    assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "BoringML/a-stack"


def test_a_field_that_was_left_out_is_null_in_the_log() -> None:
    document = json.loads(json.dumps(tiny.DOCUMENT))
    document["request"]["required"].remove("all_util")
    decoder = Decoder(Contract.of(document))
    given = {name: value for name, value in tiny.RECORD.items() if name != "all_util"}
    told = json.loads(decoder.loggable(decoder.decode(json.dumps(given).encode())))
    hidden = tiny.DOCUMENT["sensitive"]
    assert told == {n: given.get(n) for n in tiny.RECORD if n not in hidden}


def test_a_refused_request_is_one_line_with_its_code(predictor: Predictor, log: Log) -> None:
    predictor.answer(tiny.sample("predict_bad_category"))
    (line,) = log.lines
    assert (line["code"], line["requests"], line["failures"]) == ("unknown_category", 1, 0)
    assert "prediction" not in line


def test_only_the_first_request_of_a_process_is_cold(predictor: Predictor, log: Log) -> None:
    for _ in range(2):
        predictor.answer(tiny.sample("predict_one"))
    assert [line["cold_start"] for line in log.lines] == [True, False]


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "a\n", '"},{"', "é"])
def test_an_upstream_id_of_another_form_is_not_repeated(
    predictor: Predictor, log: Log, given: str
) -> None:
    event: dict[str, Any] = tiny.sample("predict_one")
    event["headers"]["X-Request-Id"] = given
    predictor.answer(event)
    (line,) = log.lines
    assert line["upstream_request_id"] is None


@pytest.mark.parametrize("given", ["", "x" * 257, "a\nb", "é", "\ud800"])
def test_a_trace_id_of_another_form_is_not_repeated(
    predictor: Predictor, log: Log, given: str
) -> None:
    event: dict[str, Any] = tiny.sample("predict_one")
    event["headers"]["X-Amzn-Trace-Id"] = given
    assert predictor.answer(event)["statusCode"] == 200
    (line,) = log.lines
    assert line["trace_id"] is None


def test_before_the_first_release_the_line_has_version_0(log: Log) -> None:
    Predictor("credit", None, "1", log.write).answer(tiny.sample("predict_one"))
    (line,) = log.lines
    expected = {
        "level": "ERROR",
        "model": "credit",
        "model_version": "0",
        "contract_version": None,
        "code": "model_not_released",
        "failures": 1,
    }
    assert expected.items() <= line.items()


def test_a_refused_list_is_one_line(predictor: Predictor, log: Log) -> None:
    predictor.answer(tiny.event(json.dumps([tiny.RECORD, {}])))
    (line,) = log.lines
    assert (line["code"], line["requests"]) == ("missing_field", 1)


def test_a_failure_whose_text_is_no_utf_8_still_leaves_its_line(
    model: Model, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_records: Any) -> None:
        raise ZeroDivisionError("half a pair: \ud800")

    monkeypatch.setattr(model, "predict", broken)
    answer = Predictor("credit", model, "1", log.write).answer(tiny.sample("predict_one"))
    (line,) = log.lines
    assert (answer["statusCode"], line["code"], line["level"]) == (500, "internal_error", "ERROR")


def test_each_line_has_the_time_of_its_request(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = PredictionLog({"model": "credit", "model_version": "1"})
    seen = []
    for now in (1767225600.0, 1767225600.9996, 1767225601.25):
        monkeypatch.setattr("boringml.serving.prediction_log.time.time", lambda now=now: now)
        line = json.loads(lines.lines({"a": 1}, [], code=None, failed=False, latency_ms=0.5))
        seen.append((line["timestamp"], line["_aws"]["Timestamp"]))
    assert seen == [
        ("2026-01-01T00:00:00.000Z", 1767225600000),
        ("2026-01-01T00:00:00.999Z", 1767225600999),
        ("2026-01-01T00:00:01.250Z", 1767225601250),
    ]
