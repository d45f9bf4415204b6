"""GET over one connection of HTTP/1.1, with sockets alone.

`http.client` reads headers as mail: with the package `email` it was a tenth of the online start:
docs/adr/0002-signed-s3-get-without-boto3.md.
"""

import socket
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, Final

_OK: Final = 200
# Both as in http.client.
_LINE_BYTES: Final = 65536
_HEADERS: Final = 100


class BrokenAnswerError(Exception):
    """What came back is no answer of HTTP/1.1, or not the whole of one."""


class HttpGet:
    """One connection, opened at the first `get`; `host` may end with a port."""

    def __init__(
        self,
        scheme: str,
        host: str,
        timeout: float,
        connect: Callable[[str, str, float], Any] | None = None,
    ) -> None:
        self._scheme = scheme
        self._host = host
        self._timeout = timeout
        self._connect = connect or _connected
        self._socket: Any = None

    def get(self, path: str, headers: Mapping[str, str], max_bytes: int) -> tuple[int, bytes]:
        """Return the status, and of a 200 the body, of which at most `max_bytes` and one more.

        `path` is encoded, `headers` need no host. Raises OSError or BrokenAnswerError: then, and
        after another status than 200, the connection is closed.
        """
        try:
            if self._socket is None:
                self._socket = self._connect(self._scheme, self._host, self._timeout)
            told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            request = f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\n{told}\r\n"
            self._socket.sendall(request.encode("ascii"))
            with self._socket.makefile("rb") as stream:
                status, content, is_whole = _read(stream, max_bytes)
        except (OSError, BrokenAnswerError):
            self.close()
            raise
        if not is_whole:
            self.close()
        return status, content

    def close(self) -> None:
        """Close the connection, if it is open."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _connected(scheme: str, host: str, timeout: float) -> socket.socket:
    name, _, port = host.rpartition(":") if ":" in host.rpartition("]")[2] else (host, "", "")
    name = name.strip("[]")
    # As bytes: Python would import its tables of international names for a text.
    place = (name.encode("ascii"), int(port or (443 if scheme == "https" else 80)))
    plain = socket.create_connection(place, timeout)  # type: ignore[arg-type]
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if scheme != "https":
        return plain
    # A service of one's own without TLS does not pay for it.
    import ssl

    try:
        return ssl.create_default_context().wrap_socket(plain, server_hostname=name)
    except BaseException:
        plain.close()
        raise


def _read(stream: BinaryIO, max_bytes: int) -> tuple[int, bytes, bool]:
    """Return status, content, and whether another request may follow."""
    version, _, rest = _line(stream).partition(" ")
    digits = rest[:3]
    if not version.startswith("HTTP/1.") or not digits.isdecimal():
        raise BrokenAnswerError("it is no HTTP/1.1")
    status, headers = int(digits), _headers(stream)
    if status != _OK:
        # Its body, of whatever framing, is left unread.
        return status, b"", False
    if "transfer-encoding" in headers:
        # S3 frames the content of an object by its length alone.
        raise BrokenAnswerError("the length of the content is not told")
    if "content-length" not in headers:
        # It ends where the connection does.
        return status, stream.read(max_bytes + 1), False
    if not headers["content-length"].isdecimal():
        raise BrokenAnswerError(f"the content's length is {headers['content-length']!r}")
    length = int(headers["content-length"])
    content = stream.read(min(length, max_bytes + 1))
    if len(content) < min(length, max_bytes + 1):
        raise BrokenAnswerError(f"{len(content)} bytes came of {length}")
    is_last = headers.get("connection", "").lower() == "close"
    return status, content, len(content) == length and not is_last


def _headers(stream: BinaryIO) -> dict[str, str]:
    found: dict[str, str] = {}
    for _ in range(_HEADERS):
        line = _line(stream)
        if not line:
            return found
        name, _, value = line.partition(":")
        found[name.lower()] = value.strip()
    raise BrokenAnswerError("it has too many headers")


def _line(stream: BinaryIO) -> str:
    line = stream.readline(_LINE_BYTES)
    if not line.endswith(b"\n"):
        raise BrokenAnswerError("it breaks off")
    return line.rstrip(b"\r\n").decode("latin-1")
