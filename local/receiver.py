"""A receiver of callbacks, for the demo and for tests: `python -m local.receiver PORT SECRET`.

It verifies signatures with the official package of Standard Webhooks, records each id, and can fail
a share of calls, answer late, with 410, or with a redirect.
"""

import random
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

MAX_BODY_BYTES = 20_000


@dataclass
class Behaviour:
    """How it answers. `fails` is the share of calls that get 500; `status` what all others get."""

    status: int = 204
    fails: float = 0.0
    seconds: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Record:
    """What it saw: ids that were verified and answered with 2xx, all attempts, bad signatures."""

    delivered: Counter[str] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)
    bodies: dict[str, Any] = field(default_factory=dict)
    headers: list[dict[str, str]] = field(default_factory=list)
    unverified: int = 0


class Receiver:
    """A context manager that listens on a port of 127.0.0.1 (0: any free one).

    `secrets` are those that verify: a call is verified where one of them matches.
    """

    def __init__(
        self, secrets: list[str], behaviour: Behaviour | None = None, port: int = 0, seed: int = 7
    ) -> None:
        self.secrets = secrets
        self.behaviour = behaviour or Behaviour()
        self.record = Record()
        self._random = random.Random(seed)  # noqa: S311 - a share of failures, no secret
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Where callbacks go."""
        return f"http://127.0.0.1:{self._server.server_port}/callbacks"

    def __enter__(self) -> "Receiver":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Return the status of a call, having recorded it."""
        document = self._verified(headers, body)
        with self._lock:
            self.record.headers.append(headers)
            if document is None:
                self.record.unverified += 1
                return 401
            message_id = headers["webhook-id"]
            self.record.attempts[message_id] += 1
            self.record.bodies[message_id] = document
            failed = self._random.random() < self.behaviour.fails
            status = 500 if failed else self.behaviour.status
            if 200 <= status < 300:
                self.record.delivered[message_id] += 1
            return status

    def _verified(self, headers: dict[str, str], body: bytes) -> Any:
        for secret in self.secrets:
            try:
                return Webhook(secret).verify(body, headers)
            except WebhookVerificationError:
                continue
        return None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = min(int(self.headers.get("Content-Length", 0)), MAX_BODY_BYTES)
                body = self.rfile.read(length)
                headers = {name.lower(): value for name, value in self.headers.items()}
                time.sleep(receiver.behaviour.seconds)
                self.send_response(receiver.take(headers, body))
                for name, value in receiver.behaviour.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments: Any) -> None:
                """Say nothing: the record tells."""

        return Handler


def main(arguments: list[str]) -> int:
    """Listen until interrupted, and print what came."""
    port, *secrets = arguments
    with Receiver(secrets, port=int(port)) as receiver:
        sys.stdout.write(f"listening on {receiver.url}\n")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            record = receiver.record
            sys.stdout.write(f"{len(record.delivered)} delivered, {record.unverified} unverified\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
