"""A folder served as a bucket, in a process of its own: over HTTP or TLS, at a chosen distance.

The client that is measured must not wait for itself, so the server is no thread of the benchmark.
"""

import argparse
import datetime
import http.server
import ipaddress
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@contextmanager
def store(package: Path, delay_ms: float = 0, tls: bool = False) -> Iterator[dict[str, str]]:
    """Serve a package and yield the variables that point a client there.

    Each answer waits `delay_ms` for its first byte. With TLS, the file of trusted certificates is
    as long as one usually is.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.serving.store", str(package)]
        command += ["--delay-ms", str(delay_ms)]
        if tls:
            _certificates(Path(folder))
            command += ["--certificates", folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                port = int(server.stdout.readline())
                scheme = "https" if tls else "http"
                environment = {"AWS_ENDPOINT_URL_S3": f"{scheme}://127.0.0.1:{port}"}
                if tls:
                    trusted = str(Path(folder) / "trusted.pem")
                    environment |= {"SSL_CERT_FILE": trusted, "AWS_CA_BUNDLE": trusted}
                yield environment
            finally:
                server.terminate()


def _certificates(folder: Path) -> None:
    """Write a certificate of 127.0.0.1, and a file of trusted ones that has it, too."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    own = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=1))
    builder = builder.not_valid_after(now + datetime.timedelta(days=1))
    builder = builder.add_extension(own, critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "server.pem").write_bytes(certificate + secret)
    (folder / "trusted.pem").write_bytes(Path(certifi.where()).read_bytes() + b"\n" + certificate)


def _serve(package: Path, delay_ms: float, certificates: Path | None) -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Else the head and the body are two packets, and the second waits for an acknowledgement.
        wbufsize = -1

        def do_GET(self) -> None:
            name = self.path.partition("?")[0].rpartition("/")[2]
            content = (package / name).read_bytes()
            time.sleep(delay_ms / 1000)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", '"e"')
            self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificates:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / "server.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("package", type=Path)
    parser.add_argument("--delay-ms", type=float, default=0)
    parser.add_argument("--certificates", type=Path)
    asked = parser.parse_args()
    _serve(asked.package, asked.delay_ms, asked.certificates)
