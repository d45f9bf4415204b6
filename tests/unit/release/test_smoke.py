import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from boringml.errors import BoringError
from boringml.release.smoke import smoke

CASE = {"name": "a", "record": {"x": 1}, "probability": 0.5, "prediction": "bad", "tolerance": 1e-6}
CONTRACT = {
    "examples": [{"record": {"x": 1}}],
    "bad_requests": [
        {"name": "no JSON", "body": "{", "status": 400, "code": "malformed_json"},
        {
            "name": "too many",
            "generate": {"kind": "repeat", "count": 3},
            "status": 422,
            "code": "list_too_long",
        },
    ],
}


def invoker(refusals: dict[str, Any] | None = None, **changes: Any) -> Any:
    body = {"probability": 0.5, "prediction": "bad", "model_version": 3, **changes}

    def invoke(event: Any) -> dict[str, Any]:
        code = {"{": "malformed_json", "[": "list_too_long"}.get(event["body"][0])
        if event["body"] == '{"x": 1}' or code is None:
            return {"statusCode": 200, "body": json.dumps(body)}
        status = 400 if code == "malformed_json" else 422
        told = (refusals or {}).get(code, (status, code))
        return {"statusCode": told[0], "body": json.dumps({"error": {"code": told[1]}})}

    return invoke


def clock_of(milliseconds: float) -> Any:
    # It is read before and after each request.
    ticks: Iterator[int] = count()
    return lambda: next(ticks) * milliseconds / 1000


def smoked(invoke: Any, golden: Any = (CASE,), milliseconds: float = 5) -> dict[str, Any]:
    return smoke(invoke, "credit", 3, list(golden), CONTRACT, 300, clock_of(milliseconds))


def test_a_good_candidate_passes() -> None:
    found = smoked(invoker())
    assert (found["requests"], found["refusals"], found["p95_ms"]) == (41, 2, 5)


@pytest.mark.parametrize(
    "changes",
    [
        {"probability": 0.6},
        {"prediction": "good"},
        {"model_version": 2},
        {"refusals": {"malformed_json": (200, None)}},
        {"refusals": {"list_too_long": (422, "wrong_type")}},
    ],
)
def test_a_wrong_answer_is_told(changes: dict[str, Any]) -> None:
    with pytest.raises(BoringError) as refusal:
        smoked(invoker(**changes))
    assert refusal.value.code == "smoke_failed"


def test_a_package_without_golden_requests_shows_nothing() -> None:
    with pytest.raises(BoringError, match="no golden requests"):
        smoked(invoker(), golden=())


def test_a_slow_candidate_is_above_its_budget() -> None:
    assert smoked(invoker(), milliseconds=299)["p95_ms"] == 299
    with pytest.raises(BoringError, match="p95 of 301 ms is above its budget of 300 ms"):
        smoked(invoker(), milliseconds=301)


def test_a_busy_moment_is_not_the_candidates_fault() -> None:
    # Three late answers in the first round, and then none.
    ticks = iter([0, 1, 1, 2, 2, 3, *(3 + n / 1000 for n in range(200))])
    found = smoke(invoker(), "credit", 3, [CASE], CONTRACT, 300, lambda: next(ticks))
    assert found["p95_ms"] < 300
