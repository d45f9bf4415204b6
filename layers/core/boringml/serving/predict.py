"""The use case of the online pattern: an API Gateway event in, its answer out."""

import base64
import binascii
import re
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from boringml.errors import BoringError
from boringml.serving import prediction_log
from boringml.serving.model import Model, Prediction

Write = Callable[[bytes], Any]
_UPSTREAM_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


@dataclass
class Predictor:
    """Answers the requests of one process. `model` is None before the first release."""

    name: str
    model: Model | None
    function_version: str
    write: Write = field(default=lambda line: sys.stdout.write(line.decode()))
    _cold: bool = True

    def answer(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return {"statusCode", "headers", "body"}. Whatever happens, one line is written."""
        begin = time.perf_counter()
        headers = {k.lower(): v for k, v in (event.get("headers") or {}).items() if v}
        request_id = (event.get("requestContext") or {}).get("requestId") or "none"
        fields = self._fields(headers, request_id)
        lines: list[dict[str, Any]] = [{}]
        code: str | None = None
        try:
            status, body, lines = self._predict(event, headers)
        except BoringError as error:
            status, body, code = error.status, error.body(), error.code
        except Exception:  # noqa: BLE001 - the last line of defence: a caller sees no stack trace
            status, code = 500, "internal_error"
            lines = [{"traceback": traceback.format_exc()}]
            told = "The service failed; the request_id finds the cause in the log."
            body = BoringError(code, told).body()
        latency_ms = (time.perf_counter() - begin) * 1000
        first, *more = lines
        self.write(
            prediction_log.request_line({**fields, **first}, latency_ms=latency_ms, code=code)
            + b"".join(prediction_log.record_line({**fields, **line}) for line in more)
        )
        return {
            "statusCode": status,
            "headers": {"Content-Type": "application/json", "X-Request-Id": request_id},
            "body": orjson.dumps({**body, "request_id": request_id}).decode(),
        }

    def _predict(
        self, event: Mapping[str, Any], headers: Mapping[str, str]
    ) -> tuple[int, dict[str, Any], list[dict[str, Any]]]:
        model = self.model
        if model is None:
            told = f"No version of {self.name} has been released yet: train one, then try again."
            raise BoringError("model_not_released", told, 503)
        _check_content_type(headers)
        decoded = model.decoder.decode(_body(event, model.contract.max_body_bytes))
        records = decoded if isinstance(decoded, list) else [decoded]
        answers = model.predict(records)
        logged = model.contract.logged_features
        lines = [
            {
                "features": {name: getattr(record, name) for name in logged},
                "prediction": answer.prediction,
                "probability": answer.probability,
            }
            for record, answer in zip(records, answers, strict=True)
        ]
        who = {"model": self.name, "model_version": model.version}
        if isinstance(decoded, list):
            return 200, {"predictions": [_shown(answer) for answer in answers], **who}, lines
        return 200, {**_shown(answers[0]), **who}, lines

    def _fields(self, headers: Mapping[str, str], request_id: str) -> dict[str, Any]:
        upstream = headers.get("x-request-id", "")
        cold, self._cold = self._cold, False
        model = self.model
        return {
            "model": self.name,
            # A dimension of the metrics, so text.
            "model_version": str(model.version if model else 0),
            "contract_version": model.contract.version if model else None,
            "function_version": self.function_version,
            "pattern": "online",
            "request_id": request_id,
            "upstream_request_id": upstream if _UPSTREAM_ID.fullmatch(upstream) else None,
            "trace_id": headers.get("x-amzn-trace-id"),
            "cold_start": cold,
        }


def _check_content_type(headers: Mapping[str, str]) -> None:
    kind = (headers.get("content-type") or "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise BoringError("unsupported_content_type", "Send Content-Type: application/json.", 415)


def _body(event: Mapping[str, Any], most: int) -> bytes:
    """Return the body's bytes, bounded before anything is made of them."""
    text = event.get("body") or ""
    if len(text) > 4 * most:
        raise BoringError("body_too_large", f"A body has at most {most} bytes.", 413)
    if not event.get("isBase64Encoded"):
        return str(text).encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise BoringError("malformed_json", "The body is not base64.", 400) from error


def _shown(answer: Prediction) -> dict[str, Any]:
    return {"prediction": answer.prediction, "probability": answer.probability}
