"""What a request leaves in the log."""

import json
import re
from typing import Any

import pytest

from boringml.serving.predict import Predictor
from tests.unit.serving import tiny
from tests.unit.serving.conftest import Log


def test_a_prediction_is_one_line_with_its_metrics(predictor: Predictor, log: Log) -> None:
    event = tiny.sample("predict_one")
    predictor.answer(event)
    (line,) = log.lines
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive == {
        "Namespace": "BoringML",
        "Dimensions": [["model", "model_version"]],
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
    assert first["requests"] == 1
    assert "_aws" in first
    assert "_aws" not in second
    assert first["request_id"] == second["request_id"]
    rates = [record["int_rate"] for record in json.loads(event["body"])]
    assert [line["features"]["int_rate"] for line in (first, second)] == rates


def test_sensitive_features_stay_out_of_the_log(predictor: Predictor, log: Log) -> None:
    predictor.answer(tiny.sample("predict_one"))
    (line,) = log.lines
    names = set(tiny.DOCUMENT["key_features"]) - set(tiny.DOCUMENT["sensitive"])
    assert line["features"] == {name: tiny.RECORD[name] for name in names}
    assert not any(name in log.content for name in tiny.DOCUMENT["sensitive"])


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
