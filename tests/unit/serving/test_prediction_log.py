"""What a request leaves in the log."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boringml.contract.contract import Contract
from boringml.serving.decoder import Decoder
from boringml.serving.model import Model
from boringml.serving.predict import Predictor
from boringml.serving.prediction_log import LATENCY_BOUNDS, PredictionLog, ProcessStart
from tests.unit.serving import tiny
from tests.unit.serving.conftest import Log


def test_a_prediction_is_one_line_with_its_metrics(predictor: Predictor, log: Log) -> None:
    event = tiny.sample("predict_one")
    predictor.answer(tiny.sample("predict_bad_category"))
    predictor.answer(event, "invocation-1")
    _first, line = log.lines
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
        "request_id": "invocation-1",
        "upstream_request_id": "order-4711",
        "trace_id": event["headers"]["X-Amzn-Trace-Id"],
        "cold_start": False,
        "feature_flags": [],
        "record": 0,
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
    assert [line["record"] for line in (first, second)] == [0, 1]
    assert "latency_ms" not in second, "one latency a request"
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
    sent = {name: value for name, value in tiny.RECORD.items() if name != "all_util"}
    told = json.loads(decoder.loggable(decoder.decode(json.dumps(sent).encode())))
    hidden = tiny.DOCUMENT["sensitive"]
    assert told == {n: sent.get(n) for n in tiny.RECORD if n not in hidden}


def test_a_refused_request_is_one_line_with_its_code(predictor: Predictor, log: Log) -> None:
    predictor.answer(tiny.sample("predict_bad_category"))
    (line,) = log.lines
    assert (line["code"], line["requests"], line["failures"]) == ("unknown_category", 1, 0)
    assert "prediction" not in line


def test_only_the_first_request_of_a_process_is_cold(predictor: Predictor, log: Log) -> None:
    for _ in range(2):
        predictor.answer(tiny.sample("predict_one"))
    assert [line["cold_start"] for line in log.lines] == [True, False]


def test_the_start_of_a_process_is_counted_with_its_first_line(model: Model, log: Log) -> None:
    predictor = Predictor("credit", model, "7", log.write, start=ProcessStart(load_ms=81.25))
    for _ in range(2):
        predictor.answer(tiny.sample("predict_one"))
    first, second = log.lines
    assert (first["cold_starts"], first["model_load_ms"]) == (1, 81.25)
    assert first["_aws"]["CloudWatchMetrics"][1] == {
        "Namespace": "BoringML",
        "Dimensions": [["model"]],
        "Metrics": [
            {"Name": "cold_starts", "Unit": "Count"},
            {"Name": "model_load_ms", "Unit": "Milliseconds"},
        ],
    }
    assert not {"cold_starts", "model_load_ms"} & set(second)
    assert len(second["_aws"]["CloudWatchMetrics"]) == 1


def test_a_process_that_a_release_started_is_no_cold_start_of_a_client(
    predictor: Predictor, log: Log
) -> None:
    event = tiny.sample("predict_one")
    predictor.answer({**event, "requestContext": {**event["requestContext"], "stage": "smoke"}})
    predictor.answer(event)
    assert [line["cold_start"] for line in log.lines] == [True, False]
    assert "cold_starts" not in log.content


def test_two_logs_of_one_process_have_one_start() -> None:
    start = ProcessStart()
    logs = [PredictionLog({"model": "credit", "model_version": "1"}, start=start) for _ in range(2)]
    lines = [
        json.loads(each.lines('"a":1', [], code=None, failed=False, latency_ms=0.5))
        for each in logs
    ]
    assert [line["cold_start"] for line in lines] == [True, False]


@given(st.floats(0, 1e6))
def test_a_bucket_holds_what_is_above_the_one_before(latency_ms: float) -> None:
    lines = PredictionLog({"model": "credit"})
    text = lines.lines('"a":1', [], code=None, failed=False, latency_ms=latency_ms)
    bucket = json.loads(text)["latency_bucket"]
    bounds = (0, *LATENCY_BOUNDS)
    if bucket.startswith(">"):
        assert latency_ms > int(bucket[1:])
    else:
        bound = int(bucket[2:])
        assert latency_ms <= bound
        assert latency_ms > bounds[bounds.index(bound) - 1] or latency_ms == 0


def test_the_flags_of_a_version_are_words(model: Model, log: Log) -> None:
    predictor = Predictor("credit", model, "7", log.write, flags="wide-model, ,fast")
    predictor.answer(tiny.sample("predict_one"))
    assert log.lines[0]["feature_flags"] == ["wide-model", "fast"]


def test_an_id_that_a_client_chose_for_all_its_requests_names_none_of_them(
    predictor: Predictor, log: Log
) -> None:
    event: dict[str, Any] = tiny.sample("predict_one")
    event["requestContext"]["requestId"] = "always-the-same"
    event["headers"].pop("X-Request-Id", None)
    answers = [predictor.answer(event, f"invocation-{number}") for number in (1, 2)]
    named = ["invocation-1", "invocation-2"]
    assert [json.loads(answer["body"])["request_id"] for answer in answers] == named
    assert [answer["headers"]["X-Request-Id"] for answer in answers] == named
    assert [line["request_id"] for line in log.lines] == named
    assert {line["upstream_request_id"] for line in log.lines} == {"always-the-same"}


@pytest.mark.parametrize("chosen", ["a b", "x" * 129, "a\n", '"},{"', "é"])
def test_an_upstream_id_of_another_form_is_not_repeated(
    predictor: Predictor, log: Log, chosen: str
) -> None:
    event: dict[str, Any] = tiny.sample("predict_one")
    event["headers"]["X-Request-Id"] = chosen
    predictor.answer(event)
    (line,) = log.lines
    assert line["upstream_request_id"] is None


@pytest.mark.parametrize("chosen", ["", "x" * 257, "a\nb", "é", "\ud800"])
def test_a_trace_id_of_another_form_is_not_repeated(
    predictor: Predictor, log: Log, chosen: str
) -> None:
    event: dict[str, Any] = tiny.sample("predict_one")
    event["headers"]["X-Amzn-Trace-Id"] = chosen
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
        line = json.loads(lines.lines('"a":1', [], code=None, failed=False, latency_ms=0.5))
        seen.append((line["timestamp"], line["_aws"]["Timestamp"]))
    assert seen == [
        ("2026-01-01T00:00:00.000Z", 1767225600000),
        ("2026-01-01T00:00:00.999Z", 1767225600999),
        ("2026-01-01T00:00:01.250Z", 1767225601250),
    ]
