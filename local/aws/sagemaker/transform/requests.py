"""The requests of one transform job: how many at a time, of what size, and their answers."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.aws.sagemaker.transform.container import Answer, Container
from local.aws.sagemaker.transform.inputs import Source
from local.aws.sagemaker.transform.records import TooLargeError, payloads

_MB = 1024 * 1024
_STRATEGIES = {"SINGLE_RECORD": "SingleRecord", "MULTI_RECORD": "MultiRecord"}
# ModelClientConfig, SageMaker API reference.
_TIMEOUT_SECONDS = 600
_CLIENT_FAULT, _SERVER_FAULT = 400, 500
_SHOWN = 1000


@dataclass(frozen=True)
class Choice:
    """The parameters in force: the request's, else the container's, else SageMaker's."""

    concurrency: int
    payload_mb: int
    strategy: str

    @classmethod
    def of(cls, record: dict[str, Any], own: dict[str, Any]) -> "Choice":
        """Return them for a job's record and the answer of /execution-parameters."""
        return cls(
            record.get("MaxConcurrentTransforms") or int(own.get("MaxConcurrentTransforms") or 1),
            record.get("MaxPayloadInMB") or int(own.get("MaxPayloadInMB") or 6),
            record.get("BatchStrategy")
            or _STRATEGIES.get(str(own.get("BatchStrategy")), "MultiRecord"),
        )


@dataclass
class Output:
    """The answers to one object, in the order of its records. One failure spoils all of it."""

    source: Source
    given: Path
    answers: Path
    fault: str = ""


class Requests:
    """Asks a container about objects. `say` gets the lines of the job's data log."""

    def __init__(
        self,
        container: Container,
        record: dict[str, Any],
        choice: Choice,
        say: Callable[[str], None],
        over: Callable[[], bool],
    ) -> None:
        self._container = container
        self._choice = choice
        self._say = say
        self._over = over
        self._split = record["TransformInput"]["SplitType"]
        self._lines = record["TransformOutput"]["AssembleWith"] == "Line"
        kind, accept = record["TransformInput"].get("ContentType"), record["TransformOutput"]
        self._headers = {"Content-Type": kind} if kind else {}
        if accept.get("Accept"):
            self._headers["Accept"] = accept["Accept"]
        client = record.get("ModelClientConfig", {})
        self._timeout = client.get("InvocationsTimeoutInSeconds", _TIMEOUT_SECONDS)
        self._attempts = 1 + client.get("InvocationsMaxRetries", 0)

    def run(self, outputs: Iterator[Output]) -> Iterator[Output]:
        """Yield each output once it has every answer, or a fault; in order.

        At most `concurrency` requests are open at a time, across objects.
        """
        window: deque[tuple[Output, Future[Answer] | None]] = deque()
        for output, body in self._bodies(outputs):
            while sum(asked is not None for _, asked in window) >= self._choice.concurrency:
                yield from self._settle(*window.popleft())
            if self._over():
                return
            window.append((output, None if body is None else self._submit(body)))
        while window:
            yield from self._settle(*window.popleft())

    def _bodies(self, outputs: Iterator[Output]) -> Iterator[tuple[Output, bytes | None]]:
        """Yield every body, and None after the last one of each object."""
        for output in outputs:
            output.answers.touch()
            most = self._choice.payload_mb * _MB
            with output.given.open("rb") as stream:
                try:
                    for body in payloads(stream, self._split, self._choice.strategy, most):
                        if output.fault:
                            break
                        yield output, body
                except TooLargeError:
                    self._spoil(output, "ClientError", "Too much data for max payload size")
            yield output, None

    def _settle(self, output: Output, asked: Future[Answer] | None) -> Iterator[Output]:
        """Take one answer; yield the output where it was the end of it."""
        if asked is None:
            yield output
            return
        answer = asked.result()
        if 0 < answer.status < _CLIENT_FAULT:
            with output.answers.open("ab") as file:
                file.write(answer.body)
                if self._lines and not answer.body.endswith(b"\n"):
                    file.write(b"\n")
        elif answer.status == 0:
            self._spoil(output, "AlgorithmError", "Unable to get response from algorithm")
        elif answer.status < _SERVER_FAULT:
            self._spoil(output, "ClientError", f"ClientError: {answer.status}", answer.body)
        else:
            told = f"Bad HTTP status received from algorithm: {answer.status}"
            self._spoil(output, "AlgorithmError", told, answer.body)

    def _submit(self, body: bytes) -> "Future[Answer]":
        """Ask on a thread of its own: an executor's would keep the server from ending."""
        future: Future[Answer] = Future()

        def work() -> None:
            try:
                future.set_result(self._ask(body))
            except Exception as error:  # noqa: BLE001 - raised where the answer is awaited
                future.set_exception(error)

        threading.Thread(target=work, daemon=True).start()
        return future

    def _ask(self, body: bytes) -> Answer:
        answer = Answer(0, b"")
        for _ in range(self._attempts):
            answer = self._container.invoke(body, self._headers, self._timeout)
            if 0 < answer.status < _SERVER_FAULT or self._over():
                break
        return answer

    def _spoil(self, output: Output, fault: str, told: str, body: bytes = b"") -> None:
        output.fault = output.fault or fault
        if self._over():
            return
        where = f"[sagemaker logs]: {output.source.bucket}/{output.source.key}"
        self._say(f"{where}: {told}")
        if body:
            self._say(f"{where}: Message: {body[:_SHOWN].decode(errors='replace')}")
