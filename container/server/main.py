"""The processes around the application: gunicorn, a worker on each processor.

A worker loads the model on a thread, so that /ping is answered from the start. A package that is
not the one of MODEL_DIGEST ends the whole server: SageMaker then says so, and asks no more.

Only that thread imports ONNX Runtime, in the worker: what it starts does not survive a fork.
"""

import json
import os
import sys
import threading
import traceback
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer

from boringml.errors import BoringError
from container.server.app import App
from container.server.settings import Settings, processors

# More than a worker can predict with at a time, so that /ping never waits for a batch.
_THREADS = 4
# SageMaker gives a container 30 s from SIGTERM to SIGKILL (hosting; batch documents none).
_GRACE_SECONDS = 20


def main() -> int:
    """Serve until SIGTERM and return 0; 1 where the environment names no model.

    3 where the model cannot be loaded: gunicorn's code for a worker that does not start.
    """
    try:
        settings = Settings.of(os.environ)
    except BoringError as error:
        _say({"level": "ERROR", **error.body()["error"]})
        return 1
    workers = processors()
    try:
        _Server(settings, workers).run()
    except HaltServer as halted:  # a second worker that does not start, while it halts
        return int(halted.exit_status)
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


class _Server(BaseApplication):
    """Gunicorn without its command line and its files."""

    def __init__(self, settings: Settings, workers: int) -> None:
        self._settings = settings
        self._workers = workers
        super().__init__()

    def load_config(self) -> None:
        """Set what is not gunicorn's default."""
        chosen: dict[str, Any] = {
            "bind": f"{self._settings.serve_host}:{self._settings.sagemaker_bind_to_port}",
            "workers": self._workers,
            "worker_class": "gthread",
            "threads": _THREADS,
            "graceful_timeout": _GRACE_SECONDS,
            "control_socket_disable": True,
            "loglevel": "warning",
            "proc_name": "serve",
            "worker_exit": _leave,
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> App:
        """Return the application of one worker, called in its process."""
        settings = self._settings
        parameters = {
            "MaxConcurrentTransforms": self._workers,
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": settings.max_payload_mb,
        }
        app = App(settings.max_payload_bytes, parameters, _say)
        threading.Thread(target=_give_model, args=(app, settings), daemon=True).start()
        return app


def _leave(_server: Any, worker: Any) -> None:
    """End a worker that was told to stop, at once.

    The interpreter's own end would abort where a thread is still within a library, such as one that
    loads the model.
    """
    if worker.booted and not worker.alive:
        os._exit(0)


def _give_model(app: App, settings: Settings) -> None:
    try:
        from container.server.loading import load_package

        app.give(load_package(settings))
    except Exception as error:  # noqa: BLE001 - whatever it is, there is nothing to answer with
        told = {"code": "model_unusable", "traceback": traceback.format_exc()}
        if isinstance(error, BoringError):
            told = error.body()["error"]
        _say({"level": "ERROR", "model": settings.model_name, **told})
        # Gunicorn starts a worker again that ends with any other code.
        os._exit(Arbiter.WORKER_BOOT_ERROR)


def _say(line: dict[str, Any]) -> None:
    # One write, so that the workers' lines do not mix.
    os.write(sys.stdout.fileno(), (json.dumps(line) + "\n").encode())
