"""Real lines are what the schema of the prediction log says, and nothing else is."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from boringml.jobs.run_job import METRICS
from boringml.serving.model import Model
from boringml.serving.predict import Predictor
from boringml.serving.prediction_log import (
    PredictionLog,
    ProcessStart,
    line_constants,
    load_failure_line,
)
from boringml.serving.stages import SMOKE
from tests.unit.jobs.samples import text_of
from tests.unit.jobs.test_run_job import Broken, worker
from tests.unit.serving import tiny

SCHEMA = json.loads((tiny.REPOSITORY / "models/schemas/prediction_log.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA)
Lines = list[dict[str, Any]]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def answered(model: Any, *events: dict[str, Any]) -> Lines:
    """Return the lines of one process that answers events."""
    told: list[str] = []
    predictor = Predictor("credit", model, "7", told.append, start=ProcessStart(12.5))
    for event in events:
        predictor.answer(event)
    return parsed(told)


def run(model: Any, *bodies: Any, **message: Any) -> Lines:
    """Return the lines of one worker that runs jobs."""
    told: list[str] = []
    constants = line_constants("credit", 3, "1.0.0", "7", "async")
    log = PredictionLog(constants, further=METRICS, start=ProcessStart())
    runs = worker(model, write=told.append, log=log).run_job
    for body in bodies:
        runs(text_of(body, **message), 3)
    return parsed(told)


def parsed(told: list[str]) -> Lines:
    return [json.loads(line) for text in told for line in text.splitlines()]


def staged(event: dict[str, Any], stage: str) -> dict[str, Any]:
    return {**event, "requestContext": {**event["requestContext"], "stage": stage}}


ONE, LIST, BAD = (
    tiny.sample(name) for name in ("predict_one", "predict_list", "predict_bad_category")
)
JOB = {"request": tiny.RECORD}
CASES: dict[str, Callable[[Model], Lines]] = {
    "online": lambda model: answered(model, ONE, ONE),
    "list": lambda model: answered(model, LIST, LIST),
    "refused": lambda model: answered(model, BAD),
    "failed": lambda model: answered(Broken(model), ONE),
    "not released": lambda _model: answered(None, ONE),
    "asked by a release": lambda model: answered(model, staged(ONE, SMOKE), ONE),
    "without an API": lambda model: answered(model, {**ONE, "requestContext": {}}),
    "job": lambda model: run(model, JOB, trace_id="1-67891233-abc", upstream_request_id="o-1"),
    "list of a job": lambda model: run(model, {"request": [tiny.RECORD] * 3}),
    "refused job": lambda model: run(model, {"request": []}, b"{"),
    "failed job": lambda model: run(Broken(model), JOB),
}


@pytest.mark.parametrize("case", CASES)
def test_each_line_is_what_the_schema_says(model: Model, case: str) -> None:
    lines = CASES[case](model)
    assert lines
    for line in lines:
        VALIDATOR.validate(line)


def test_a_version_that_refuses_to_start_has_a_line_of_its_own() -> None:
    fields = {
        "model": "credit",
        "model_version": "3",
        "function_version": "7",
        "code": "package_changed",
        "message": "The package is not what was registered.",
    }
    line = json.loads(load_failure_line(fields))
    VALIDATOR.validate(line)
    assert "record" not in line, "the lake takes lines by it"


@pytest.mark.parametrize(
    "change",
    [
        {"annual_inc": 5},
        {"record": 1},
        {"record": None},
        {"latency_bucket": "quick"},
        {"model_version": 3},
        {"probability": 1.5},
        {"code": "failed"},
        {"trace_id": "x" * 257},
        {"upstream_request_id": '"},{"'},
        {"prediction": None},
    ],
    ids=str,
)
def test_another_line_is_not(model: Model, change: dict[str, Any]) -> None:
    (line,) = answered(model, ONE)
    with pytest.raises(ValidationError):
        VALIDATOR.validate({**line, **change})


def test_no_line_has_a_dimension_of_free_values(model: Model) -> None:
    """Each set of values is a metric that is paid for."""
    (line,) = answered(model, ONE)
    line["_aws"]["CloudWatchMetrics"][0]["Dimensions"].append(["request_id"])
    with pytest.raises(ValidationError):
        VALIDATOR.validate(line)
