"""A live request, made again from its line of the prediction log, and asked of two versions."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from boringml.contract.contract import Contract
from boringml.errors import BoringError
from boringml.release.divergence import Answer, Pair
from boringml.release.segments import typical_value
from boringml.serving.stages import SHADOW, UNCOUNTED

# Asks one function version: an event in, API Gateway's answer out.
Invoke = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
Clock = Callable[[], float]

_OK, _TOO_MANY = 200, 429


@dataclass(frozen=True)
class LoggedRequest:
    """One record that live answered. `id` is the same however often its line is read."""

    id: str
    request_id: str
    features: Mapping[str, Any]


def logged_request(line: Mapping[str, Any], model: str, version: str) -> LoggedRequest | None:
    """Return what a line says that function version `version` was asked, or None.

    None are other lines: of the runtime, of refusals and failures, and of what a release asked.
    """
    features = line.get("features")
    if (
        line.get("model") != model
        or line.get("function_version") != version
        or line.get("stage") in UNCOUNTED
        or not isinstance(features, dict)
        or "prediction" not in line
    ):
        return None
    request_id = str(line.get("request_id"))
    text = json.dumps(features, sort_keys=True)
    digest = hashlib.sha256(f"{request_id} {text}".encode()).hexdigest()
    return LoggedRequest(f"{request_id}/{digest[:12]}", request_id, features)


def is_mirrored(request_id: str, share: float) -> bool:
    """Return whether a request is among `share` of all; the same id is so at any time."""
    digest = hashlib.sha256(request_id.encode()).digest()
    return int.from_bytes(digest[:8]) < share * 2**64


class Rebuilder:
    """Makes records whole. `filled` are the fields that the log may lack, and what stands in.

    A required field that is sensitive is filled with what is typical of the baseline's training
    data, else (a text has no such thing) with the contract's first example; an optional one stays
    out. So both versions are asked the same, no person's data is made up, and what these fields do
    is not compared.
    """

    def __init__(
        self,
        document: Mapping[str, Any],
        baseline: Mapping[str, Any],
        live: Mapping[str, Any] | None = None,
    ) -> None:
        """`document` is the candidate's contract.json, `live` that of the version whose log it is.

        Lines lack what live's contract calls sensitive, answers of the candidate are not to be told
        apart by what its own does: neither's fields are compared.
        """
        contract = Contract.of(document)
        sensitive = {*contract.sensitive, *(Contract.of(live).sensitive if live else ())}
        schema = contract.schema
        example = document["examples"][0]["record"]
        self.required = frozenset(schema["required"])
        self._typical = {}
        for name, rule in schema["properties"].items():
            value = typical_value(baseline.get(name))
            if value is None:
                value = example.get(name)
            elif rule["type"] == "integer":
                value = round(value)
            self._typical[name] = value
        known = [name for name in schema["properties"] if name in sensitive]
        self.filled = {name: self._filled(name) for name in known}
        self.key_features = tuple(n for n in contract.segment_features if n not in sensitive)

    def record(self, features: Mapping[str, Any]) -> dict[str, Any]:
        """Return the record that a line's features are of."""
        # A field that was left out is null in the log, which only nullable fields take.
        known = {
            n: v
            for n, v in features.items()
            if n not in self.filled and (v is not None or n in self.required)
        }
        missing = {n: self._typical[n] for n in self.required if n not in known}
        return {**known, **missing}

    def _filled(self, name: str) -> Any:
        return self._typical[name] if name in self.required else None


def replay_event(model: str, request_id: str, request: Any) -> dict[str, Any]:
    """Return the event of the same request, told apart by its stage and its id."""
    told = f"{request_id}-shadow"
    path = f"/models/{model}/predictions"
    return {
        "httpMethod": "POST",
        "path": path,
        "resource": path,
        "headers": {"Content-Type": "application/json", "X-Request-Id": told},
        "body": json.dumps(request),
        "isBase64Encoded": False,
        "requestContext": {"requestId": told, "stage": SHADOW},
    }


def ask(
    invoke: Invoke, version: str, event: Mapping[str, Any], clock: Clock = time.perf_counter
) -> Answer:
    """Return what one version answers to a single record, with the milliseconds there and back.

    Raises BoringError with status 429 where the account, not the version, had no room.
    """
    begin = clock()
    try:
        told = invoke(version, event)
    except BoringError as error:
        if error.status == _TOO_MANY:
            raise
        return Answer((clock() - begin) * 1000, failure=error.code)
    return answer_of(told, (clock() - begin) * 1000)


def answer_of(told: Mapping[str, Any], latency_ms: float) -> Answer:
    """Return what API Gateway's answer to a single record says."""
    try:
        body = json.loads(told.get("body") or "null")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return Answer(latency_ms, failure="unreadable_answer")
    if told.get("statusCode") != _OK:
        error = body.get("error")
        code = error.get("code") if isinstance(error, dict) else None
        return Answer(latency_ms, failure=str(code or told.get("statusCode")))
    prediction, probability = body.get("prediction"), body.get("probability")
    if not isinstance(prediction, str) or not isinstance(probability, float | int):
        return Answer(latency_ms, failure="unreadable_answer")
    return Answer(latency_ms, prediction, float(probability))


def paired(
    request: LoggedRequest,
    event: Mapping[str, Any],
    ask_version: Callable[[str, Mapping[str, Any]], Answer],
    live: str,
    candidate: str,
    *,
    live_first: bool,
) -> Pair:
    """Return both answers to one request, one after the other, so neither disturbs the other."""
    if live_first:
        before = ask_version(live, event)
        after = ask_version(candidate, event)
    else:
        after = ask_version(candidate, event)
        before = ask_version(live, event)
    return Pair(request.id, before, after, request.features)
