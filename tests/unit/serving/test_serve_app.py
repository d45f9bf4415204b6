"""The routes of the image's server before there is a model, and when a model breaks."""

import io
import json
from typing import Any

from boringml.serving.model import load_model
from container.server.answers import JSON_LINES
from container.server.app import App
from tests.unit.serving import tiny


class Server:
    """An application asked without a socket."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []
        self.app = App(1000, {"MaxConcurrentTransforms": 1}, self.said.append)

    def ask(self, method: str, path: str, body: bytes = b"", **environ: str) -> tuple[int, Any]:
        found: list[str] = []
        content = self.app(
            {
                "REQUEST_METHOD": method,
                "PATH_INFO": path,
                "wsgi.input": io.BytesIO(body),
                **environ,
            },
            lambda status, _headers: found.append(status),
        )
        return int(found[0][:3]), json.loads(b"".join(content))


def test_ping_says_503_until_there_is_a_model() -> None:
    server = Server()
    status, body = server.ask("GET", "/ping")
    assert (status, body["error"]["code"]) == (503, "model_loading")
    files, digest = tiny.package()
    server.app.give(load_model(files.__getitem__, "credit", digest, 1))
    assert server.ask("GET", "/ping") == (200, {})


def test_a_body_in_chunks_is_bounded_before_it_is_parsed() -> None:
    status, body = Server().ask("POST", "/invocations", b" " * 1001, CONTENT_TYPE=JSON_LINES)
    assert (status, body["error"]["code"]) == (413, "body_too_large")


def test_a_model_that_breaks_shows_its_caller_no_trace_and_the_log_all_of_it() -> None:
    server = Server()

    class Broken:
        decoder = contract = None

    server.app.give(Broken())  # type: ignore[arg-type]
    status, body = server.ask("POST", "/invocations", b"{}", CONTENT_TYPE=JSON_LINES)
    assert (status, body["error"]["code"]) == (500, "internal_error")
    assert server.said[0]["request_id"] == body["request_id"]
    assert "AttributeError" in server.said[0]["traceback"]
    assert "Traceback" not in json.dumps(body)
