"""What another endpoint answered, beside what live answers."""

import json
from typing import Any

import pytest

from boringml.errors import BoringError
from boringml.release.divergence import summarise
from boringml.serving.compare_request import RequestComparer
from boringml.serving.comparison import pairs_of
from boringml.serving.predict import Predictor
from tests.unit.serving import tiny
from tests.unit.serving.conftest import Log

RATE = tiny.probability(tiny.RECORD)
GIVEN = {"prediction": "good", "probability": RATE - 0.25}
COMPARISON = {"request": tiny.RECORD, "response": GIVEN, "latency_ms": 41.5}


class Live:
    """The tiny model as `live`, which may also refuse or fail."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor
        self.asked: list[Any] = []
        self.instead: Any = None

    def __call__(self, event: Any) -> Any:
        self.asked.append(event)
        if isinstance(self.instead, Exception):
            raise self.instead
        return self.instead or self.predictor.answer(event)


class World:
    def __init__(self, predictor: Predictor) -> None:
        self.live, self.log = Live(predictor), Log()
        self.comparer = RequestComparer(
            tiny.DOCUMENT, self.live, self.log.write, "BoringML/a-stack"
        )

    def send(self, body: Any, content_type: str | None = "application/json") -> tuple[int, Any]:
        text = body if isinstance(body, str) else json.dumps(body)
        answer = self.comparer.answer(tiny.event(text, content_type), "invocation-1")
        return answer["statusCode"], json.loads(answer["body"])


@pytest.fixture
def world(predictor: Predictor) -> World:
    return World(predictor)


def test_a_request_is_compared_accepted_and_told_in_one_line(world: World) -> None:
    event = tiny.sample("compare_request")
    answer = world.comparer.answer(event, "invocation-1")
    request_id = "invocation-1"
    assert (answer["statusCode"], json.loads(answer["body"])) == (202, {"request_id": request_id})
    (line,) = world.log.lines
    expected = {
        "kind": "migration_comparison",
        "level": "INFO",
        "model": "credit",
        "model_version": 3,
        "request_id": request_id,
        "comparisons": 1,
        "comparison_failures": 0,
        "disagreements": 0,
        "given_latency_ms": 41.5,
        "probability_shift": [pytest.approx(abs(RATE - 0.31))],
    }
    assert expected.items() <= line.items()
    assert line["our_latency_ms"] > 0
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("BoringML/a-stack", [["model"]])
    assert all(metric["Name"] in line for metric in directive["Metrics"])
    assert not any(name in world.log.content for name in tiny.DOCUMENT["sensitive"])


def test_live_is_asked_the_whole_request_as_what_is_no_traffic(world: World) -> None:
    assert world.send(COMPARISON)[0] == 202
    (event,) = world.live.asked
    assert json.loads(event["body"]) == tiny.RECORD
    assert event["requestContext"]["stage"] == "shadow"
    assert event["requestContext"]["requestId"].endswith("-shadow")


def test_a_list_is_one_request_with_an_answer_for_each(world: World) -> None:
    records = [tiny.RECORD, tiny.RECORDS["a typical loan"]]
    told = {"predictions": [{**GIVEN, "note": "more is not read"}, GIVEN], "model": "old"}
    assert world.send({**COMPARISON, "request": records, "response": told})[0] == 202
    (line,) = world.log.lines
    assert (line["comparisons"], line["disagreements"]) == (2, 2)
    assert len(line["probability_shift"]) == 2


def test_the_lines_are_summarised_by_the_rules_of_a_shadow(world: World) -> None:
    for _ in range(3):
        world.send(COMPARISON)
    world.live.instead = BoringError("candidate_failed", "It failed.", 502)
    world.send(COMPARISON)
    found = [pair for line in world.log.lines for pair in pairs_of(line)]
    summary = summarise(found, tiny.CONTRACT.key_features, {})
    assert (summary.samples, summary.compared, summary.disagreements) == (4, 3, 3)
    assert summary.failure_codes == {"candidate_failed": 1}
    assert summary.probability_shift["max"] == pytest.approx(0.25)
    assert summary.live_latency_ms["p95"] == 41.5
    assert {s.feature for s in summary.segments} == {"int_rate", "sub_grade", "term"}
    assert pairs_of({"kind": "another"}) == []


def test_what_live_fails_is_a_result(world: World) -> None:
    body = {"error": {"code": "internal_error", "message": "It failed."}}
    world.live.instead = {"statusCode": 500, "body": json.dumps(body)}
    assert world.send(COMPARISON)[0] == 202
    (line,) = world.log.lines
    assert (line["level"], line["comparison_failures"]) == ("ERROR", 1)
    names = {m["Name"] for m in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert "probability_shift" not in names
    assert all(name in line for name in names)


def test_where_nothing_could_be_compared_the_caller_hears_why(world: World) -> None:
    world.live.predictor = Predictor("credit", None, "1", world.log.write)
    status, body = world.send(COMPARISON)
    assert (status, body["error"]["code"]) == (503, "model_not_released")
    world.live.instead = BoringError("function_throttled", "No room.", 429)
    status, body = world.send(COMPARISON)
    assert (status, body["error"]["code"]) == (429, "throttled")
    assert "migration_comparison" not in world.log.content


def test_what_lives_own_contract_refuses_is_refused_at_its_place(world: World) -> None:
    error = {"code": "unknown_field", "message": "No such field.", "field": "$.term"}
    world.live.instead = {"statusCode": 422, "body": json.dumps({"error": error})}
    status, body = world.send(COMPARISON)
    assert (status, body["error"]["code"], body["error"]["field"]) == (
        422,
        "unknown_field",
        "$.request.term",
    )


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in COMPARISON.items() if key != name}


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ("{", 400, "malformed_json", None),
        ("[" * 60_000, 400, "malformed_json", None),
        ("7", 422, "wrong_type", "$"),
        (" " * 131_073, 413, "body_too_large", None),
        ({**COMPARISON, "more": 1}, 422, "unknown_field", "$"),
        (without("request"), 422, "missing_field", "$.request"),
        (without("response"), 422, "missing_field", "$.response"),
        (without("latency_ms"), 422, "missing_field", "$.latency_ms"),
        ({**COMPARISON, "latency_ms": -1}, 422, "out_of_bounds", "$.latency_ms"),
        ({**COMPARISON, "latency_ms": float("nan")}, 422, "not_finite", "$.latency_ms"),
        ({**COMPARISON, "request": []}, 422, "list_empty", "$.request"),
        ({**COMPARISON, "request": [1] * 101}, 422, "list_too_long", "$.request"),
        ({**COMPARISON, "request": 7}, 422, "wrong_type", "$.request"),
        (
            {**COMPARISON, "request": {**tiny.RECORD, "term": "term_48"}},
            422,
            "unknown_category",
            "$.request.term",
        ),
        (
            {**COMPARISON, "request": [tiny.RECORD, {}]},
            422,
            "missing_field",
            "$.request[1].funded_amnt",
        ),
        ({**COMPARISON, "response": []}, 422, "wrong_type", "$.response"),
        ({**COMPARISON, "response": {}}, 422, "missing_field", "$.response.prediction"),
        (
            {**COMPARISON, "response": {**GIVEN, "prediction": "maybe"}},
            422,
            "unknown_category",
            "$.response.prediction",
        ),
        (
            {**COMPARISON, "response": {**GIVEN, "probability": 1.5}},
            422,
            "out_of_bounds",
            "$.response.probability",
        ),
        (
            {**COMPARISON, "request": [tiny.RECORD], "response": {"predictions": []}},
            422,
            "wrong_type",
            "$.response.predictions",
        ),
        (
            {**COMPARISON, "request": [tiny.RECORD], "response": {"predictions": [7]}},
            422,
            "wrong_type",
            "$.response.predictions[0]",
        ),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else None,
)
def test_a_bad_body_gets_the_contracts_code_and_asks_nobody(
    world: World, body: Any, status: int, code: str, field: str | None
) -> None:
    told, answer = world.send(body)
    assert (told, answer["error"]["code"], answer["error"].get("field")) == (status, code, field)
    assert answer["request_id"]
    assert world.live.asked == []
    assert world.log.content == ""


def test_a_body_that_is_not_json_by_its_type_is_refused(world: World) -> None:
    assert world.send(COMPARISON, "text/csv")[1]["error"]["code"] == "unsupported_content_type"
