"""HTTP connections whose other end is a script: http.client itself runs, without a network."""

import io
from http.client import HTTPConnection
from typing import Any


def answer(status: int, content: bytes, promised: int | None = None) -> bytes:
    """Return the bytes of an HTTP answer, which may promise more than it has."""
    length = len(content) if promised is None else promised
    return b"HTTP/1.1 %d Reason\r\nContent-Length: %d\r\n\r\n%b" % (status, length, content)


class Wire:
    """Gives one answer after the other, or raises it, and keeps what was sent."""

    def __init__(self, *answers: bytes | OSError) -> None:
        self.answers = list(answers)
        self.sent: list[bytes] = []
        self.places: list[tuple[str, str]] = []
        self.open = 0

    def connect(self, scheme: str, host: str) -> HTTPConnection:
        self.places.append((scheme, host))
        return _Connection(self, host)


class _Connection(HTTPConnection):
    def __init__(self, wire: Wire, host: str) -> None:
        super().__init__(host)
        self._wire = wire

    def connect(self) -> None:
        self._wire.open += 1
        self.sock: Any = _Socket(self._wire)


class _Socket:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def sendall(self, content: bytes) -> None:
        self._wire.sent.append(content)

    def makefile(self, *_: Any, **__: Any) -> io.BytesIO:
        given = self._wire.answers.pop(0)
        if isinstance(given, OSError):
            raise given
        return io.BytesIO(given)

    def close(self) -> None:
        self._wire.open -= 1
