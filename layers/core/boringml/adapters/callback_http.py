"""POST a callback to addresses that were judged.

The connection is made to the address itself; the name is for TLS (server name and certificate) and
the Host header. Nothing is followed, no proxy of the environment is asked, and one clock limits all
of it: a receiver that sends a byte now and then gains nothing.
"""

import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NoAnswerInTimeError
from contextlib import suppress
from http.client import HTTPConnection, HTTPException

from boringml.errors import BoringError
from boringml.jobs.callback_target import Target
from boringml.jobs.deliver_callback import Answer

CONNECT_SECONDS = 5.0
# Standard Webhooks asks for 15 to 30 s for an answer ("Timeouts").
TOTAL_SECONDS = 15.0
RESOLVE_SECONDS = 5.0
# The answer's body is not needed; what is there of it is read so far and no further.
MAX_ANSWER_BYTES = 4096
# A name's addresses are tried in order, so many of them: each may take CONNECT_SECONDS.
MOST_ADDRESSES = 2
_USER_AGENT = "boringml-callbacks/1"


def resolve(host: str, port: int) -> Sequence[str]:
    """Return every address of a name. Raises BoringError `callback_failed`.

    The resolver of the C library has no time limit of its own: it is left alone after
    RESOLVE_SECONDS.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="resolve")
    try:
        asked = pool.submit(socket.getaddrinfo, host, port, 0, socket.SOCK_STREAM)
        found = asked.result(RESOLVE_SECONDS)
    except (OSError, UnicodeError, NoAnswerInTimeError) as error:
        raise _failed(f"{host} does not resolve") from error
    finally:
        pool.shutdown(wait=False)
    return [str(address[0]) for *_, address in found]


def post(
    target: Target,
    body: bytes,
    headers: Mapping[str, str],
    *,
    total_seconds: float = TOTAL_SECONDS,
    context: ssl.SSLContext | None = None,
) -> Answer:
    """Return the status of a receiver that got `body`.

    `context` is for tests with a certificate of their own. Raises BoringError `callback_failed`
    where there is no answer within `total_seconds`.
    """
    place = target.place
    connected = _connect(target.addresses[:MOST_ADDRESSES], place.port, place.host)
    # A copy of the descriptor outlives the wrapping by TLS, and shuts the same connection.
    watched = connected.dup()
    timer = threading.Timer(total_seconds, _shut, [watched])
    timer.daemon = True
    timer.start()
    connection = HTTPConnection(place.host, place.port)
    try:
        connected.settimeout(total_seconds)
        connection.sock = connected
        # Never by name: without a connection it fails.
        connection.auto_open = 0
        if place.scheme == "https":
            secure = context or ssl.create_default_context()
            connection.sock = secure.wrap_socket(connected, server_hostname=place.host)
        connection.request("POST", place.path, body, _headers(target, headers))
        answer = connection.getresponse()
        answer.read(MAX_ANSWER_BYTES)
        return Answer(answer.status, answer.getheader("Retry-After"))
    except (OSError, HTTPException, ValueError) as error:
        raise _failed(f"{place.host} did not answer: {type(error).__name__}") from error
    finally:
        timer.cancel()
        connection.close()
        connected.close()
        watched.close()


def _headers(target: Target, headers: Mapping[str, str]) -> dict[str, str]:
    place = target.place
    default = {"https": 443, "http": 80}[place.scheme]
    host = f"[{place.host}]" if ":" in place.host else place.host
    return {
        "Host": host if place.port == default else f"{host}:{place.port}",
        "Content-Type": "application/json",
        "User-Agent": _USER_AGENT,
        "Connection": "close",
        **headers,
    }


def _connect(addresses: Sequence[str], port: int, host: str) -> socket.socket:
    failure: OSError | None = None
    for address in addresses:
        try:
            # A literal address: nothing is resolved here.
            connected = socket.create_connection((address, port), CONNECT_SECONDS)
        except OSError as error:
            failure = error
            continue
        return connected
    raise _failed(f"{host} takes no connection") from failure


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _failed(why: str) -> BoringError:
    return BoringError("callback_failed", f"The callback was not delivered: {why}.", 503)
