"""Start, watch and stop the process of the local AWS."""

import contextlib
import fcntl
import functools
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from local.natives import folder as natives_of
from local.paths import MINISTACK_PYTHON, ROOT
from local.settings import client_environment, server_environment
from local.telling import Say

START_SECONDS = 60
# A stop writes every service's state; what is not done by then is killed.
STOP_SECONDS = 30
# A person who waits longer than this hears why, as often.
SAY_SECONDS = 2
POLL_SECONDS = 0.05
# A proxy of the caller's shell cannot reach this machine's loopback.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class LocalAWSError(RuntimeError):
    """The local AWS did not start or stop; the message says why and where its log lies."""


class LocalAWS:
    """One local AWS, whose state, log, port and process id lie under `home`.

    As a context manager it starts on entry and stops on exit. `port` forces a port of 127.0.0.1;
    else the recorded one is used again where it is free, so that URLs stay as they are.
    `natives` is a folder of the host's own libraries for functions (see local/natives.py).
    """

    def __init__(self, home: Path, port: int | None = None, natives: Path | None = None) -> None:
        self.home = home
        self.log = home / "ministack.log"
        self._pid_file = home / "pid"
        self._port_file = home / "port"
        self._code_file = home / "code"
        self._port = port
        self._natives = natives or natives_of(home)

    @property
    def port(self) -> int:
        """The port, recorded at the first start. Raises LocalAWSError before that."""
        if self._port is None:
            try:
                self._port = int(self._port_file.read_text())
            except (FileNotFoundError, ValueError):
                raise LocalAWSError("the local AWS was never started: run `make up`") from None
        return self._port

    @property
    def endpoint_url(self) -> str:
        """The URL of every service, as AWS_ENDPOINT_URL takes it.

        An address, not `localhost`: boto3 then puts the bucket in the path, and not in a host name
        that some machines cannot resolve.
        """
        return f"http://127.0.0.1:{self.port}"

    def environ(self) -> dict[str, str]:
        """Return the environment variables that make any AWS client talk to it."""
        return client_environment(self.endpoint_url)

    def client(self, service: str, **options: Any) -> Any:
        """Return a new boto3 client of `service`, with the root key of the local account.

        `options` go to boto3, such as `config` or `aws_access_key_id`. Environment variables and
        profiles of the caller are not read.
        """
        import boto3
        import botocore.session
        from botocore.config import Config

        nowhere = {
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
        given: dict[str, Any] = {
            "endpoint_url": self.endpoint_url,
            "region_name": self.environ()["AWS_REGION"],
            "aws_access_key_id": self.environ()["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": self.environ()["AWS_SECRET_ACCESS_KEY"],
        }
        config = Config(proxies={}).merge(options.pop("config", Config()))
        core = botocore.session.Session(nowhere)
        core.register_component("data_loader", _model_loader())
        session = boto3.session.Session(botocore_session=core)
        return session.client(service, config=config, **(given | options))

    def pid(self) -> int | None:
        """Return the id of the running process, or None where it does not run."""
        try:
            descriptor = os.open(self._pid_file, os.O_RDWR)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(self._pid_file.read_text() or 0) or None
        finally:
            os.close(descriptor)
        return None

    def is_healthy(self) -> bool:
        """Return whether it answers requests."""
        try:
            url = f"{self.endpoint_url}/_ministack/health"
            with DIRECT.open(url, timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError, LocalAWSError):
            return False

    def start(self) -> bool:
        """Start it unless it runs this very code; return whether it had to be started.

        Returns when it answers. Raises LocalAWSError with the end of the log where it ends or
        does not answer in START_SECONDS.
        """
        code = code_fingerprint()
        if self.pid() is not None:
            current = self._code_file.exists() and self._code_file.read_text() == code
            if current and self._wait_until_healthy(lambda: self.pid() is None):
                return False
            self.stop()
        if not MINISTACK_PYTHON.exists():
            raise LocalAWSError(f"{MINISTACK_PYTHON} is missing: run `make setup`")
        self.home.mkdir(parents=True, exist_ok=True)
        # Worker folders of an earlier run are never removed by MiniStack.
        shutil.rmtree(self.home / "tmp", ignore_errors=True)
        (self.home / "tmp").mkdir()
        self._port = self._choose_port()
        self._port_file.write_text(f"{self._port}\n")
        self._code_file.write_text(code)
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [MINISTACK_PYTHON, "-m", "local.aws"],
                cwd=ROOT,
                env=server_environment(self.home, self._port, self._natives),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if not self._wait_until_healthy(lambda: process.poll() is not None):
            raise LocalAWSError(
                f"the local AWS ended with status {process.returncode}; the end of "
                f"{self.log}:\n{self.log_tail()}"
            )
        return True

    def stop(self, say: Say = lambda _doing: None) -> bool:
        """Stop it and keep its state; return whether it ran.

        Returns when it and all of its functions are gone; what takes long is told to `say`. Raises
        LocalAWSError where a process does not end.
        """
        pid = self.pid()
        if pid is None:
            return False

        def is_gone() -> bool:
            return self.pid() is None

        os.kill(pid, signal.SIGTERM)
        if not _wait_until(is_gone, "writes its state", say):
            os.kill(pid, signal.SIGKILL)
            if not _wait_until(is_gone, "is killed", say):
                raise LocalAWSError(f"process {pid} does not end")
        # It leads a session of its own: functions still at work end with it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        if not _wait_until(lambda: not members(pid), "waits for its functions to end", say):
            raise LocalAWSError(f"functions of the local AWS do not end: {members(pid)}")
        return True

    def forget(self, say: Say = lambda _doing: None) -> None:
        """Stop it and remove all that lies under `home`."""
        self.stop(say)
        shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self) -> "LocalAWS":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def log_tail(self, lines: int = 25) -> str:
        """Return the last lines of the log."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return ""

    def _choose_port(self) -> int:
        """Return the port of the constructor, the recorded one where it is free, or a free one."""
        if self._port is not None:
            return self._port
        try:
            recorded = int(self._port_file.read_text())
        except (FileNotFoundError, ValueError):
            recorded = 0
        return recorded if recorded and _is_free(recorded) else _free_port()

    def _wait_until_healthy(self, has_ended: Callable[[], bool]) -> bool:
        """Return True when it answers, False when it has ended; raise where it does neither."""
        deadline = time.monotonic() + START_SECONDS
        while not self.is_healthy():
            if has_ended():
                return False
            if time.monotonic() > deadline:
                raise LocalAWSError(
                    f"the local AWS did not answer in {START_SECONDS} s; the end of "
                    f"{self.log}:\n{self.log_tail()}"
                )
            time.sleep(POLL_SECONDS)
        return True


def members(group: int) -> list[int]:
    """Return the ids of the processes of a group that still run; none where there is no /proc.

    One that has ended, and that its parent has not asked about, runs no more.
    """
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            # Behind the name, which may hold anything: state, parent, group (proc_pid_stat(5)).
            state, _parent, of = file.read_text().rpartition(")")[2].split()[:3]
            if int(of) == group and state not in "ZX":
                found.append(int(file.parent.name))
    return found


def _wait_until(is_done: Callable[[], bool], doing: str, say: Say) -> bool:
    """Return whether it is done within STOP_SECONDS, and say what takes so long meanwhile."""
    begin = told = time.monotonic()
    while not is_done():
        now = time.monotonic()
        if now - begin > STOP_SECONDS:
            return False
        if now - told > SAY_SECONDS:
            say(f"{doing}, {now - begin:.0f} s")
            told = now
        time.sleep(POLL_SECONDS)
    return True


@functools.cache
def _model_loader() -> Any:
    """Return the reader of service models: one for all clients reads each file once."""
    from botocore.loaders import create_loader

    return create_loader()


def code_fingerprint() -> str:
    """Return a digest of what the server runs: the code, its settings and its pins."""
    digest = hashlib.sha256()
    settings = (ROOT / "local" / "settings.py", ROOT / "requirements" / "ministack.txt")
    for file in (*sorted((ROOT / "local" / "aws").rglob("*.py")), *settings):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
