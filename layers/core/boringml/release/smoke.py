"""The smoke test of a candidate: golden requests, and a request that must be refused."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from boringml.errors import BoringError

Invoke = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def request_event(model: str, body: str) -> dict[str, Any]:
    """Return the event that API Gateway sends for a prediction with this body."""
    return {
        "httpMethod": "POST",
        "path": f"/models/{model}/predictions",
        "resource": f"/models/{model}/predictions",
        "headers": {"Content-Type": "application/json", "X-Request-Id": "smoke"},
        "body": body,
        "isBase64Encoded": False,
        "requestContext": {"requestId": "smoke", "stage": "smoke"},
    }


def smoke(
    invoke: Invoke, model: str, version: int, golden: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return {"requests", "largest_difference"} of a candidate that answers as it must.

    Raises BoringError `smoke_failed`, telling each request that went wrong; a package without
    golden requests is refused, since nothing was shown.
    """
    problems: list[str] = []
    largest = 0.0
    for case in golden:
        answer = invoke(request_event(model, json.dumps(case["record"])))
        body = _body_of(answer)
        given = body.get("probability")
        difference = abs(given - case["probability"]) if isinstance(given, float | int) else 2.0
        largest = max(largest, difference)
        if (
            answer.get("statusCode") != 200
            or body.get("model_version") != version
            or body.get("prediction") != case["prediction"]
            or difference > case["tolerance"]
        ):
            problems.append(f"{case['name']}: {answer.get('statusCode')} {body}")
    refusal = invoke(request_event(model, "{"))
    if refusal.get("statusCode") != 400:
        problems.append(f"malformed JSON: {refusal.get('statusCode')} instead of 400")
    if not golden:
        problems.append("the package has no golden requests")
    if problems:
        raise BoringError("smoke_failed", "; ".join(problems)[:900], 422)
    return {"requests": len(golden) + 1, "largest_difference": largest}


def _body_of(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the JSON object that an answer carries, or {} where it carries none."""
    try:
        body = json.loads(answer.get("body") or "{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
