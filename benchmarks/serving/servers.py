"""The servers that are compared, each in an environment of its own, and a client of theirs."""

import http.client
import json
import os
import platform
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.environments import ROOT, python_of
from benchmarks.serving import credit
from benchmarks.serving.store import store

PEERS = Path(__file__).with_name("peers")
_FUNCTIONS = {
    "function": "app.handler",
    "raw": "raw_handler.handler",
    "null": "null_handler.handler",
}
_INVOKE = "/2015-03-31/functions/function/invocations"
_WAIT_SECONDS = 120


@dataclass
class Server:
    """A server that answers `body` at `path`; `turns` lets one call in at a time."""

    port: int
    path: str
    body: bytes
    turns: AbstractContextManager[Any] | None = None
    _local: threading.local = field(default_factory=threading.local)

    def ask(self) -> bytes:
        """Return the answer, over a connection that each thread keeps. Raises OSError."""
        with self.turns or nullcontext():
            try:
                return self._ask()
            except (ConnectionError, http.client.RemoteDisconnected):
                # Servers close a connection that was idle while others had their turn.
                return self._ask()

    def _ask(self) -> bytes:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            self._local.connection = connection
        try:
            connection.request("POST", self.path, self.body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content: bytes = answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            raise
        if answer.status != 200:
            raise OSError(f"{self.path}: {answer.status} {content[:200]!r}")
        return content


def free_port() -> int:
    """Return a port that nobody listens to."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def running(command: list[Any], environ: Mapping[str, str], server: Server) -> Iterator[Server]:
    """Run a server; yield it once it answers. Raises TimeoutError where it does not."""
    home = Path(environ["HOME"])
    with (home / f"{server.port}.log").open("w") as log:
        process = subprocess.Popen(
            [str(part) for part in command],
            # Some start programs of their own environment by name.
            env={**environ, "PATH": f"{Path(command[0]).parent}{os.pathsep}{environ['PATH']}"},
            cwd=PEERS,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            deadline = time.monotonic() + _WAIT_SECONDS
            while True:
                try:
                    server.ask()
                    break
                except (OSError, http.client.HTTPException) as error:
                    if time.monotonic() > deadline or process.poll() is not None:
                        told = (home / f"{server.port}.log").read_text()[-2000:]
                        raise TimeoutError(f"{command}: {error!r}\n{told}") from error
                    time.sleep(0.25)
            yield server
        finally:
            # Some have workers of their own, which end with their group.
            _end(process, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                _end(process, signal.SIGKILL)
                process.wait()


def _end(process: "subprocess.Popen[bytes]", how: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, how)


@contextmanager
def peers(package: Path, home: Path, record: Mapping[str, Any]) -> Iterator[dict[str, Server]]:
    """Run the five peers, one worker each, all at once."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PACKAGE": str(package),
        "PYTHONPATH": str(PEERS),
        "BENTOML_DO_NOT_TRACK": "True",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "PYTHONWARNINGS": "ignore",
    }
    plain = json.dumps(record).encode()

    def python(name: str) -> Path:
        return python_of(name, PEERS / f"requirements-{name}.txt")

    bento, mlflow = python("bentoml"), python("mlflow")
    saved = home / "mlflow-model"
    subprocess.run(
        [mlflow, PEERS / "mlflow_sklearn.py", saved],
        env=environ,
        cwd=home,
        check=True,
        capture_output=True,
    )
    split = {"columns": list(record), "data": [list(record.values())]}
    ports = [free_port() for _ in range(5)]
    local = ["--env-manager", "local", "--workers", "1", "--port"]
    host = ["--host", "127.0.0.1", "--port"]
    uvicorn = ["-m", "uvicorn", "--log-level", "warning", "--no-access-log", "--port"]
    commands: dict[str, tuple[list[Any], Server]] = {
        "MLflow": (
            [mlflow, "-m", "mlflow", "models", "serve", "--model-uri", saved, *local, ports[0]],
            Server(ports[0], "/invocations", json.dumps({"dataframe_split": split}).encode()),
        ),
        "BentoML": (
            [bento, "-m", "bentoml", "serve", "bentoml_sklearn:Credit", *host, ports[1]],
            Server(ports[1], "/predict", json.dumps({"record": record}).encode()),
        ),
        "LitServe": (
            [python("litserve"), PEERS / "litserve_sklearn.py", ports[2]],
            Server(ports[2], "/predict", plain),
        ),
        "FastAPI + sklearn": (
            [python("fastapi-sklearn"), *uvicorn, ports[3], "fastapi_sklearn:app"],
            Server(ports[3], "/predict", plain),
        ),
        "FastAPI + ONNX": (
            [python("fastapi-onnx"), *uvicorn, ports[4], "fastapi_onnx:app"],
            Server(ports[4], "/predict", plain),
        ),
    }
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(running(command, environ, server))
            for name, (command, server) in commands.items()
        }


@contextmanager
def functions(package: Path, home: Path, record: Mapping[str, Any]) -> Iterator[dict[str, Server]]:
    """Run the function, raw ONNX Runtime and nothing at all, each behind Lambda's runtime client.

    The emulator of the runtime's interface gives one call at a time, as Lambda does: a second one
    would end it. It is that of the SAM CLI; awslambdaric is what Lambda itself runs.
    """
    onnx = python_of("onnx", ROOT / "layers/onnx/requirements.txt")
    client = python_of("lambda", PEERS / "requirements-lambda.txt")
    packages = [
        next((each.parents[1] / "lib").glob("python*/site-packages")) for each in (client, onnx)
    ]
    paths = [PEERS, ROOT / "functions/serving/predict", ROOT / "layers/core", *packages]
    machine = {"x86_64": "x86_64", "AMD64": "x86_64"}.get(platform.machine(), "arm64")
    (emulator,) = (ROOT / ".venvs/sam/lib").glob(
        f"python*/site-packages/samcli/local/rapid/aws-lambda-rie-{machine}"
    )
    event = json.dumps(credit.event(record)).encode()
    with store(package) as at, ExitStack() as stack:
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            **credit.function_settings(package),
            "AWS_LAMBDA_FUNCTION_TIMEOUT": "60",
            "PACKAGE": str(package),
            "RECORD": json.dumps(record),
            **at,
        }
        found = {}
        for name, handler in _FUNCTIONS.items():
            port, api = free_port(), free_port()
            command = [
                emulator,
                "--log-level=error",
                f"--runtime-interface-emulator-address=127.0.0.1:{port}",
                f"--runtime-api-address=127.0.0.1:{api}",
                client,
                "-m",
                "awslambdaric",
                handler,
            ]
            server = Server(port, _INVOKE, event, threading.Lock())
            found[name] = stack.enter_context(running(command, environ, server))
        yield found
