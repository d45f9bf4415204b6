"""The use case of a migration: what another endpoint answered is compared with live's answer."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from boringml.contract.contract import Contract
from boringml.errors import BoringError
from boringml.release.divergence import Answer
from boringml.release.replay import replay_event
from boringml.serving import proxy_event
from boringml.serving.comparison import Given, given_of, line_of, most_bytes, pairs

# Asks live: API Gateway's event in, its answer out.
Invoke = Callable[[Mapping[str, Any]], Mapping[str, Any]]
_OK, _ACCEPTED, _FAILED = 200, 202, 500


class RequestComparer:
    """Compares requests of one model. `document` is its contract.json, parsed."""

    def __init__(
        self,
        document: Mapping[str, Any],
        invoke: Invoke,
        write: Callable[[str], Any],
        namespace: str,
    ) -> None:
        self._contract = Contract.of(document)
        self._response = document["response"]
        self._invoke = invoke
        self._write = write
        self._namespace = namespace

    def answer(self, event: Mapping[str, Any], invocation_id: str) -> dict[str, Any]:
        """Return {"statusCode", "headers", "body"}: 202 once the comparison is in the log.

        A body that breaks the contract has the contract's codes, and so has a model that is not
        released or has no room: then nothing was compared. What live fails is a result.
        """
        context = event.get("requestContext") or {}
        request_id = proxy_event.request_id_of(context, invocation_id)
        try:
            body = proxy_event.body_of(event, most_bytes(self._contract))
            given = given_of(body, self._contract, self._response)
            version, ours = self._ask(given, request_id)
        except BoringError as error:
            return proxy_event.answer(error.status, error.body(), request_id)
        fields = {
            "model": self._contract.model,
            "model_version": version,
            "contract_version": self._contract.version,
            "stage": context.get("stage"),
            "request_id": request_id,
        }
        found = pairs(given, ours, self._contract, request_id)
        self._write(line_of(found, fields, self._namespace))
        return proxy_event.answer(_ACCEPTED, {}, request_id)

    def _ask(self, given: Given, request_id: str) -> tuple[int | None, tuple[Answer, ...]]:
        """Return the version that answers, and its answers, each with the request's latency."""
        event = replay_event(self._contract.model, request_id, given.request)
        begin = time.perf_counter()
        try:
            answer = self._invoke(event)
            status, body = answer["statusCode"], json.loads(answer["body"])
        except BoringError as error:
            if error.code == "function_throttled":
                raise BoringError("throttled", "Live has no room now; try again later.") from error
            status, body = error.status, error.body()
        latency_ms = (time.perf_counter() - begin) * 1000
        if status == _OK:
            shown = body["predictions"] if given.is_list else [body]
            return body["model_version"], tuple(
                Answer(latency_ms, one["prediction"], one["probability"]) for one in shown
            )
        told = body["error"]
        if status < _FAILED:
            # Live's own contract refuses what this one lets pass.
            field = str(told.get("field", "$")).replace("$", "$.request", 1)
            raise BoringError(told["code"], told["message"], field=field)
        if told["code"] == "model_not_released":
            raise BoringError(told["code"], told["message"])
        failed = Answer(latency_ms, failure=told["code"])
        return None, (failed,) * len(given.records)
