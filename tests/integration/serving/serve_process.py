"""`container/serve` as a process, as SageMaker starts it: a package unpacked, a port given."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[3]
TIMEOUT = 60


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    content_type: str
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Serve:
    """One server, started on entry and stopped by SIGTERM on exit, unless it ended before."""

    def __init__(self, root: Path, **environment: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._root = root
        self._environment = environment
        self.output: list[str] = []

    def __enter__(self) -> "Serve":
        self.process = subprocess.Popen(
            [sys.executable, str(REPOSITORY / "container" / "serve")],
            cwd=self._root,
            env={
                "PATH": os.environ["PATH"],
                "ML_ROOT": str(self._root),
                "SERVE_HOST": "127.0.0.1",
                "SAGEMAKER_BIND_TO_PORT": str(self._port),
                **self._environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.terminate()
        self.ended()

    def ended(self) -> int:
        """Wait for the end; return the exit code."""
        code = self.process.wait(TIMEOUT)
        self._reader.join(TIMEOUT)
        return code

    def ask(
        self, path: str, body: bytes | None = None, kind: str = "", accept: str = "*/*"
    ) -> Reply:
        """Return the answer to a GET, or to a POST of `body`."""
        headers = {"Content-Type": kind, "Accept": accept}
        request = urllib.request.Request(f"http://127.0.0.1:{self._port}{path}", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                return Reply(answer.status, answer.headers["Content-Type"], answer.read())
        except urllib.error.HTTPError as error:
            return Reply(error.code, error.headers["Content-Type"], error.read())

    def ready(self) -> list[int]:
        """Ask /ping until it says 200; return every status that came before."""
        deadline, before = time.monotonic() + TIMEOUT, []
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                status = self.ask("/ping").status
            except (urllib.error.URLError, ConnectionError):
                continue
            if status == 200:
                return before
            before.append(status)
        raise AssertionError("\n".join(self.output))

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.output.extend(line.rstrip() for line in self.process.stdout)
        self.process.stdout.close()
