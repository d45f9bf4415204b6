"""Callbacks over real sockets: where connections go, what ends them, what is believed."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from boringml.adapters import callback_http
from boringml.errors import BoringError
from boringml.jobs import callback_target
from boringml.jobs.callback_target import Place, Target

NAME = "hooks.example.com"
BODY = b'{"type":"job.succeeded"}'


class Server:
    """Accepts connections on an address of loopback and does to each what a test says."""

    def __init__(self, behave: Callable[[socket.socket], None], address: str = "127.0.0.1") -> None:
        self.connections = 0
        self._behave = behave
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.create_server((address, 0), family=family)
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._one, args=[connection], daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        try:
            with connection:
                self._behave(connection)
        except OSError:
            pass

    def close(self) -> None:
        self._socket.close()


Serve = Callable[..., Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    made: list[Server] = []

    def start(behave: Callable[[socket.socket], None], address: str = "127.0.0.1") -> Server:
        made.append(Server(behave, address))
        return made[-1]

    yield start
    for server in made:
        server.close()


def answering(text: bytes, seen: list[bytes] | None = None) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        got = b""
        while BODY not in got and (part := connection.recv(65536)):
            got += part
        if seen is not None:
            seen.append(got)
        connection.sendall(text)

    return behave


OK = b"HTTP/1.1 204 No Content\r\n\r\n"


def target(port: int, *addresses: str, scheme: str = "http", host: str = NAME) -> Target:
    return Target(Place(scheme, host, port, "/a?b=c"), addresses or ("127.0.0.1",))


def failure(wanted: Target, **options: object) -> str:
    with pytest.raises(BoringError) as failed:
        callback_http.post(wanted, BODY, {}, **options)  # type: ignore[arg-type]
    assert (failed.value.code, failed.value.status) == ("callback_failed", 503)
    return failed.value.message


def test_the_receiver_gets_path_body_headers_and_its_own_name(serve: Serve) -> None:
    seen: list[bytes] = []
    server = serve(answering(OK, seen))
    assert callback_http.post(target(server.port), BODY, {"webhook-id": "msg_1"}).status == 204
    head, _, body = seen[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /a?b=c HTTP/1.1")
    assert f"Host: {NAME}:{server.port}".encode() in head
    assert head.count(b"Host:") == 1
    assert b"webhook-id: msg_1" in head
    assert body == BODY


def test_a_name_that_changes_its_answer_is_called_where_it_was_judged(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = serve(answering(OK), "127.0.0.2")
    rebound = serve(answering(OK), "127.0.0.3")
    answers = iter(["127.0.0.2", "127.0.0.3", "127.0.0.3"])
    real = socket.getaddrinfo

    def lookup(host: str, port: int, *rest: object) -> object:
        # A name server whose second answer is another one; addresses are what they are.
        found = next(answers) if host == NAME else host
        return real(found, port, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    url = f"http://{NAME}:{judged.port}/"
    wanted = callback_target.judge(url, callback_http.resolve, loopback=True)
    assert callback_http.post(wanted, BODY, {}).status == 204
    assert (judged.connections, rebound.connections) == (1, 0)
    # The second answer was there to be had.
    assert list(callback_http.resolve(NAME, 1)) == ["127.0.0.3"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(serve: Serve, status: int) -> None:
    inner = serve(answering(OK))
    text = f"HTTP/1.1 {status} Moved\r\nLocation: http://127.0.0.1:{inner.port}/\r\n\r\n"
    outer = serve(answering(text.encode()))
    assert callback_http.post(target(outer.port), BODY, {}).status == status
    assert (outer.connections, inner.connections) == (1, 0)


def test_no_proxy_of_the_environment_is_asked(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, server = serve(answering(OK)), serve(answering(OK))
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    callback_http.post(target(server.port), BODY, {})
    assert (proxy.connections, server.connections) == (0, 1)


def silent(connection: socket.socket) -> None:
    time.sleep(30)


def dripping(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"x-drip: 1\r\n")
        time.sleep(0.05)


def dripping_status(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"H")
        time.sleep(0.05)


def endless_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


@pytest.mark.parametrize("behave", [silent, dripping_status])
def test_a_receiver_that_is_slow_in_any_way_has_one_time_limit(
    serve: Serve, behave: Callable[[socket.socket], None]
) -> None:
    started = time.monotonic()
    failure(target(serve(behave).port), total_seconds=0.5)
    assert time.monotonic() - started < 5


def test_a_status_counts_though_the_body_behind_it_never_ends(serve: Serve) -> None:
    started = time.monotonic()
    answer = callback_http.post(target(serve(endless_body).port), BODY, {}, total_seconds=0.5)
    assert answer.status == 200
    assert time.monotonic() - started < 5


def test_endless_headers_end(serve: Serve) -> None:
    failure(target(serve(dripping).port), total_seconds=30)


def test_a_large_answer_is_read_no_further_than_needed(serve: Serve) -> None:
    def flood(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(2000):
            connection.sendall(b"x" * 65536)
        flooded.append(True)

    flooded: list[bool] = []
    assert callback_http.post(target(serve(flood).port), BODY, {}).status == 200
    assert flooded == []


@pytest.mark.parametrize(
    "text", [b"", b"SSH-2.0-OpenSSH\r\n", b"\0" * 100, b"HTTP/1.1 abc\r\n\r\n"]
)
def test_what_is_no_answer_is_a_failure(serve: Serve, text: bytes) -> None:
    failure(target(serve(answering(text)).port))


def test_nobody_listens(serve: Serve) -> None:
    server = serve(silent)
    server.close()
    assert NAME in failure(target(server.port))


def test_the_next_address_is_tried_where_the_first_takes_no_connection(serve: Serve) -> None:
    server = serve(answering(OK), "127.0.0.2")
    wanted = target(server.port, "127.0.0.9", "127.0.0.2")
    assert callback_http.post(wanted, BODY, {}).status == 204


def test_a_name_that_does_not_exist_is_a_failure() -> None:
    with pytest.raises(BoringError, match="callback_failed"):
        callback_http.resolve("no-such-name.invalid", 443)


# TLS


def certificate(folder: Path, *names: x509.GeneralName) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


def over_tls(
    file: Path, behave: Callable[[socket.socket], None], names: list[str | None]
) -> Callable[[socket.socket], None]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    context.sni_callback = lambda _socket, name, _context: names.append(name)

    def serve_securely(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            behave(secure)

    return serve_securely


def test_tls_names_and_proves_the_name_and_not_the_address(serve: Serve, tmp_path: Path) -> None:
    file, names = certificate(tmp_path, x509.DNSName(NAME)), []
    server = serve(over_tls(file, answering(OK), names))
    trusted = ssl.create_default_context(cafile=str(file))
    wanted = target(server.port, scheme="https")
    assert callback_http.post(wanted, BODY, {}, context=trusted).status == 204
    assert names == [NAME]


def test_a_certificate_of_another_name_is_not_believed(serve: Serve, tmp_path: Path) -> None:
    file = certificate(
        tmp_path, x509.DNSName("other.example.com"), x509.IPAddress(ip_address("127.0.0.1"))
    )
    seen: list[bytes] = []
    server = serve(over_tls(file, answering(OK, seen), []))
    trusted = ssl.create_default_context(cafile=str(file))
    assert "SSL" in failure(target(server.port, scheme="https"), context=trusted)
    assert seen == []


def test_a_certificate_that_nobody_vouches_for_is_not_believed(
    serve: Serve, tmp_path: Path
) -> None:
    file = certificate(tmp_path, x509.DNSName(NAME))
    server = serve(over_tls(file, answering(OK), []))
    assert "SSL" in failure(target(server.port, scheme="https"))


def test_a_handshake_that_hangs_has_the_same_time_limit(serve: Serve) -> None:
    def drip(connection: socket.socket) -> None:
        # The head of a TLS record that never ends.
        connection.sendall(b"\x16\x03\x03\x40\x00")
        while True:
            connection.sendall(b"\0")
            time.sleep(0.05)

    started = time.monotonic()
    failure(target(serve(drip).port, scheme="https"), total_seconds=0.5)
    assert time.monotonic() - started < 5
