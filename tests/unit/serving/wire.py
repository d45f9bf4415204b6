"""HTTP connections whose other end is a script: HttpGet itself runs, without a network."""

import io
from typing import Any

from boringml.adapters.http_get import HttpGet


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

    def connect(self, scheme: str, host: str) -> HttpGet:
        """Return a connection that is not opened yet."""
        return HttpGet(scheme, host, 1, self._opened)

    def _opened(self, scheme: str, host: str, _timeout: float) -> Any:
        self.places.append((scheme, host))
        self.open += 1
        return _Socket(self)


class _Socket:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def sendall(self, content: bytes) -> None:
        self._wire.sent.append(content)

    def makefile(self, *_: Any, **__: Any) -> io.BytesIO:
        given = self._wire.answers.pop(0)
        if isinstance(given, OSError):
            raise given
        return _Stream(given)

    def close(self) -> None:
        self._wire.open -= 1


class _Stream(io.BytesIO):
    """What a whole answer is followed by is nothing, for as long as the connection stays open."""

    def __init__(self, given: bytes) -> None:
        super().__init__(given)
        head, _, content = given.partition(b"\r\n\r\n")
        self._stays_open = b"Content-Length: %d" % len(content) in head

    def read(self, size: int | None = -1, /) -> bytes:
        left = len(self.getbuffer()) - self.tell()
        if self._stays_open and (size is None or not 0 <= size <= left):
            raise TimeoutError("nothing more comes")
        return super().read(size)
