"""CPU of one request in a server that runs all the time: `python -m benchmarks.growth.server_cpu`.

The repository's own container (gunicorn, same model, contract and checks) is asked over loopback
by four clients that keep their connections. Told is the CPU of the server's processes per request,
which says how many requests a second one core answers; the clients' own CPU is not in it. Results
go to benchmarks/results/server-cpu.json. Half a minute.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks import machine
from benchmarks.goals import write
from benchmarks.growth.sizing import NAME, ROOT, VERSION, train
from benchmarks.racing import Spread
from boringml.package.manifest import package_digest

CLIENTS, ROUNDS, SECONDS = 4, 8, 2.0
HEADERS = {"content-type": "application/json"}


@contextmanager
def server(home: Path) -> Iterator[tuple[int, int]]:
    """Serve the package below `home`; yield the port and the process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    manifest = json.loads((home / "model" / "manifest.json").read_text())
    environment = {
        "PATH": os.environ["PATH"],
        "ML_ROOT": str(home),
        "SERVE_HOST": "127.0.0.1",
        "SAGEMAKER_BIND_TO_PORT": str(port),
        "MODEL_NAME": NAME,
        "MODEL_VERSION": str(VERSION),
        "MODEL_DIGEST": package_digest(manifest),
    }
    command = [sys.executable, str(ROOT / "container" / "serve")]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        _await(port)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def _await(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/ping")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise TimeoutError("the server does not answer")


def cpu_of(process: int) -> float:
    """Return the CPU seconds of a process and its children."""
    first = psutil.Process(process)
    times = [one.cpu_times() for one in [first, *first.children(recursive=True)]]
    return sum(one.user + one.system for one in times)


def ask(port: int, body: bytes, seconds: float) -> int:
    """Ask as fast as answers come; return how many came. Raises RuntimeError for a bad one."""
    counts = [0] * CLIENTS

    def client(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            connection.request("POST", "/invocations", body, HEADERS)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"the server answered {answer.status}")
            counts[number] += 1

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


def main() -> int:
    """Measure; return 0."""
    body = json.loads((ROOT / "events/serving/predict_one.json").read_text())["body"].encode()
    cpu, rate = [], []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        train(home)
        with server(home) as (port, process):
            ask(port, body, SECONDS)
            for _ in range(ROUNDS):
                before, began = cpu_of(process), time.monotonic()
                answers = ask(port, body, SECONDS)
                cpu.append((cpu_of(process) - before) / answers * 1000)
                rate.append(answers / (time.monotonic() - began))
    report = {
        "machine": machine.facts(["numpy", "onnxruntime", "gunicorn"]),
        "clients": CLIENTS,
        "cpu_ms_per_request": Spread.of(cpu).rounded(4),
        "requests_per_second": Spread.of(rate).rounded(1),
    }
    write("server-cpu", report)
    print(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
