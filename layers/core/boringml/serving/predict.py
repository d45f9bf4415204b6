"""The use case of the online pattern: an API Gateway event in, its answer out."""

import sys
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from boringml.errors import BoringError
from boringml.serving import proxy_event
from boringml.serving.decoder import Record
from boringml.serving.prediction_log import (
    NAMESPACE,
    PredictionLog,
    ProcessStart,
    line_constants,
)
from boringml.serving.served_model import ServedModel
from boringml.serving.stages import UNCOUNTED
from boringml.serving.trace_id import is_trace
from boringml.serving.upstream_id import is_upstream_id

Write = Callable[[str], Any]
Body = dict[str, Any]
Line = dict[str, Any]


def _print(lines: str) -> None:
    # Looked up each time: Lambda's runtime puts its own stream there.
    sys.stdout.write(lines)


class Predictor:
    """Answers the requests of one process. `model` is None before the first release.

    `flags` are the words of the setting FEATURE_FLAGS, and `start` is that of the process.
    """

    def __init__(
        self,
        name: str,
        model: ServedModel | None,
        function_version: str,
        write: Write = _print,
        namespace: str = NAMESPACE,
        pattern: str = "online",
        flags: str = "",
        start: ProcessStart | None = None,
    ) -> None:
        self.name = name
        self.model = model
        self._write = write
        constants = line_constants(
            name,
            model.version if model else None,
            model.contract.version if model else None,
            function_version,
            pattern,
            flags,
        )
        self._log = PredictionLog(constants, namespace, start=start)

    def answer(self, event: Mapping[str, Any], invocation_id: str = "none") -> dict[str, Any]:
        """Return {"statusCode", "headers", "body"}. Whatever happens, the log tells it.

        `invocation_id` names a request that does not come from API Gateway.
        """
        begin = time.perf_counter()
        context = event.get("requestContext") or {}
        request_id = context.get("requestId") or invocation_id
        status, code = 200, None
        lines: list[Line]
        try:
            body, lines = self._predict(event)
        except BoringError as error:
            status, body, code, lines = error.status, error.body(), error.code, []
        except Exception as error:  # noqa: BLE001 - the last line of defence: a caller sees no stack trace
            told = "The service failed; the request_id finds the cause in the log."
            failure = BoringError("internal_error", told)
            status, body, code, lines = (
                failure.status,
                failure.body(),
                failure.code,
                [_trace(error)],
            )
        answer = proxy_event.answer(status, body, request_id)
        stage = context.get("stage")
        headers = event.get("headers") or {}
        upstream = proxy_event.header(headers, "X-Request-Id")
        trace = proxy_event.header(headers, "X-Amzn-Trace-Id")
        written = self._log.lines(
            {
                "stage": stage,
                "request_id": request_id,
                "upstream_request_id": upstream if is_upstream_id(upstream) else None,
                "trace_id": trace if is_trace(trace) else None,
            },
            lines,
            code=code,
            failed=status >= 500,
            latency_ms=(time.perf_counter() - begin) * 1000,
            counted=stage not in UNCOUNTED,
        )
        self._write(written.decode())
        return answer

    def _predict(self, event: Mapping[str, Any]) -> tuple[Body, list[Line]]:
        model = self.model
        if model is None:
            told = f"No version of {self.name} has been released yet: train one, then try again."
            raise BoringError("model_not_released", told)
        decoded = model.decoder.decode(proxy_event.body_of(event, model.contract.max_body_bytes))
        if isinstance(decoded, list):
            shown, lines = predictions_of(model, decoded)
            body: Body = {"predictions": shown}
        else:
            (body,), lines = predictions_of(model, [decoded])
        body["model"] = self.name
        body["model_version"] = model.version
        return body, lines


def predictions_of(model: ServedModel, records: list[Record]) -> tuple[list[Body], list[Line]]:
    """Return what the caller sees of each record, and what the log has of it."""
    loggable = model.decoder.loggable
    shown, lines = [], []
    for record, probability in zip(records, model.predict(records), strict=True):
        label = model.label(probability)
        shown.append({"prediction": label, "probability": probability})
        features = orjson.Fragment(loggable(record))
        lines.append({"features": features, "prediction": label, "probability": probability})
    return shown, lines


def _trace(error: BaseException) -> Line:
    """Return where an error and its causes were raised: what they say may be a person's data."""
    told = []
    cause: BaseException | None = error
    while cause is not None:
        told.append("".join(traceback.format_tb(cause.__traceback__)) + type(cause).__qualname__)
        cause = cause.__cause__ or cause.__context__
    return {"traceback": "\n".join(reversed(told))}
