"""SageMaker's routes as a WSGI application: /ping, /invocations, /execution-parameters.

Source: "Custom Inference Code with Hosting Services" and "Custom Inference Code with Batch
Transform", SageMaker Developer Guide.
"""

import threading
import traceback
import uuid
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

import orjson

from boringml.errors import BoringError
from boringml.serving.refusals import body_too_large
from container.server.answers import JSON, JSON_LINES, answer_json, answer_lines
from container.server.servable import Servable

Environ = Mapping[str, Any]
Start = Callable[[str, list[tuple[str, str]]], Any]
Say = Callable[[dict[str, Any]], None]

# A model takes a second or two; what takes longer is told to come again.
_LOADING_SECONDS = 30.0
_ACCEPTABLE = {"", "*/*", "application/*"}


class App:
    """One worker's application. Its model is None until `give` has one.

    `parameters` is the answer of /execution-parameters; `say` gets the log's lines.
    """

    def __init__(self, max_bytes: int, parameters: Mapping[str, Any], say: Say) -> None:
        self._max_bytes = max_bytes
        self._parameters = parameters
        self._say = say
        self._model: Servable | None = None
        self._loaded = threading.Event()
        # A model's buffers are used again, so one request at a time; /ping passes by.
        self._busy = threading.Lock()

    def give(self, model: Servable) -> None:
        """Answer with this model from now on."""
        self._model = model
        self._loaded.set()

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        """Answer one request (PEP 3333). Whatever happens, the caller sees no stack trace."""
        request_id = uuid.uuid4().hex
        try:
            kind, content = self._answer(environ, request_id)
            status = 200
        except BoringError as error:
            status, kind, content = error.status, JSON, _shown(error.body(), request_id)
            path = environ["PATH_INFO"]
            if path == "/invocations":
                self._say({"level": "WARNING", "request_id": request_id, **error.body()["error"]})
        except Exception:  # noqa: BLE001 - the last line of defence
            self._say(
                {"level": "ERROR", "request_id": request_id, "traceback": traceback.format_exc()}
            )
            told = "The service failed; the request_id finds the cause in the log."
            failure = BoringError("internal_error", told)
            status, kind, content = failure.status, JSON, _shown(failure.body(), request_id)
        start(
            f"{status} {HTTPStatus(status).phrase}",
            [
                ("Content-Type", kind),
                ("Content-Length", str(len(content))),
                ("X-Request-Id", request_id),
            ],
        )
        return [content]

    def _answer(self, environ: Environ, request_id: str) -> tuple[str, bytes]:
        match environ["REQUEST_METHOD"], environ["PATH_INFO"]:
            case "GET", "/ping":
                self._ready(0)
                return JSON, b"{}\n"
            case "GET", "/execution-parameters":
                return JSON, orjson.dumps(self._parameters)
            case "POST", "/invocations":
                return self._invoke(environ, request_id)
        told = "There are GET /ping, GET /execution-parameters and POST /invocations."
        raise BoringError("route_not_found", told)

    def _invoke(self, environ: Environ, request_id: str) -> tuple[str, bytes]:
        kind = str(environ.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower()
        if kind not in (JSON, JSON_LINES):
            told = f"Send {JSON_LINES}, one record a line, or {JSON}."
            raise BoringError("unsupported_content_type", told)
        _check_accept(str(environ.get("HTTP_ACCEPT", "")), kind)
        body = self._body(environ)
        model = self._ready(_LOADING_SECONDS)
        with self._busy:
            if kind == JSON_LINES:
                return JSON_LINES, answer_lines(model, body)
            answer = answer_json(model, body)
        return JSON, _shown(answer, request_id)

    def _body(self, environ: Environ) -> bytes:
        # Read even where the length says too much: a caller that still writes hears no answer.
        most = self._max_bytes
        body: bytes = environ["wsgi.input"].read(most + 1)
        if len(body) > most:
            raise body_too_large(most)
        return body

    def _ready(self, seconds: float) -> Servable:
        if not self._loaded.wait(seconds) or self._model is None:
            told = "The model is being loaded: try again in a moment."
            raise BoringError("model_loading", told, status=503)
        return self._model


def _check_accept(accept: str, kind: str) -> None:
    wanted = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    if not wanted & (_ACCEPTABLE | {kind}):
        told = f"The answer to {kind} is {kind}: ask for it by Accept."
        raise BoringError("not_acceptable", told, status=406)


def _shown(body: Mapping[str, Any], request_id: str) -> bytes:
    return orjson.dumps({**body, "request_id": request_id})
