"""The container's `serve` as a process on a port of its own, and the requests that it gets.

SageMaker asks /ping until it says 200, then /execution-parameters, then /invocations ("Custom
Inference Code with Batch Transform", SageMaker Developer Guide).
"""

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.aws.sagemaker import images
from local.aws.sagemaker.errors import SageMakerError
from local.aws.sagemaker.layout import JobFolder
from local.aws.sagemaker.process import EntryPoint
from local.aws.sagemaker.settings import JobSettings
from local.aws.sagemaker.store import Job

_HOST = "127.0.0.1"
_PING_SECONDS, _PING_TIMEOUT = 0.1, 2.0
# A job has no time limit.
_FOREVER = 10.0**8
_OK = 200


@dataclass(frozen=True)
class Answer:
    """What the container answered; status 0 where it did not."""

    status: int
    body: bytes


class _AnyOf(threading.Event):
    """Set where one of several events is."""

    def __init__(self, *events: threading.Event) -> None:
        super().__init__()
        self._events = events

    def is_set(self) -> bool:
        return any(event.is_set() for event in self._events)


class Container:
    """One running `serve`. `on_line` gets each line of its output."""

    def __init__(
        self,
        settings: JobSettings,
        folder: JobFolder,
        job: Job,
        image: str,
        environment: dict[str, str],
        on_line: Callable[[str], None],
    ) -> None:
        """Start it. Raises SageMakerError where the image is unknown or has no `serve`."""
        with socket.socket() as free:
            free.bind((_HOST, 0))
            self._port = free.getsockname()[1]
        self._job = job
        self._closing = threading.Event()
        self.ended = threading.Event()
        command = images.command(settings, image, "serve")
        # Only this machine may ask it: ours listens where SERVE_HOST says.
        variables = images.environment(
            settings,
            folder,
            environment,
            SAGEMAKER_BATCH="true",
            SAGEMAKER_BIND_TO_PORT=str(self._port),
            SERVE_HOST=_HOST,
        )
        try:
            self._entry = EntryPoint(
                command, variables, folder.home, folder.alive, on_line, job.wake
            )
        except OSError as error:
            raise SageMakerError(
                "AlgorithmError",
                "CannotStartContainerError. Please ensure the model container starts correctly "
                f"when invoked with 'docker run <image> serve': {error}",
            ) from error
        self._grace = settings.stop_grace
        self._waiting = threading.Thread(target=self._wait, daemon=True)
        self._waiting.start()

    @property
    def group(self) -> int:
        """Its process group."""
        return self._entry.group

    def ready(self, seconds: float) -> bool:
        """Ask /ping until it says 200; False where it ends, or has not after `seconds`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self._job.stop.is_set():
            if self.ended.wait(_PING_SECONDS):
                return False
            if self._ask("GET", "/ping", b"", {}, _PING_TIMEOUT).status == _OK:
                return True
        return False

    def parameters(self) -> dict[str, Any]:
        """Return the container's own choice of parameters, or {} where it has none."""
        answer = self._ask("GET", "/execution-parameters", b"", {}, _PING_TIMEOUT)
        if answer.status != _OK:
            return {}
        try:
            found = json.loads(answer.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def invoke(self, body: bytes, headers: dict[str, str], timeout: float) -> Answer:
        """Return the answer of /invocations."""
        return self._ask("POST", "/invocations", body, headers, timeout)

    def close(self) -> None:
        """End it: SIGTERM, and SIGKILL after the grace."""
        self._closing.set()
        self._job.wake.set()
        self._waiting.join()

    def _wait(self) -> None:
        over = _AnyOf(self._closing, self._job.stop)
        self._entry.wait(over, time.monotonic() + _FOREVER, self._grace)
        self.ended.set()

    def _ask(
        self, method: str, path: str, body: bytes, headers: dict[str, str], timeout: float
    ) -> Answer:
        connection = http.client.HTTPConnection(_HOST, self._port, timeout=timeout)
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read())
        except (OSError, http.client.HTTPException):
            return Answer(0, b"")
        finally:
            connection.close()
