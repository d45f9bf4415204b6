"""State on disk while the server runs.

AWS loses nothing when a laptop loses power. MiniStack 1.5.33 writes its state at a graceful stop
only (objects in S3 excepted), so that a killed process forgets all since it started, and takes
seconds for it, as its way of writing JSON does not use the fast encoder.
Here it is written as well when requests pause, functions and layers only where they may have
changed: they are most of it.
Seams: app._dispatch_service_request, detect_service, _build_persistence_save_dict;
persistence.save_all, save_state, _json_default, _state_format_version, STATE_DIR.
"""

import json
import logging
import os
import threading
import time
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core import persistence

from local.aws.seams import seam

logger = logging.getLogger("local.aws.checkpoint")

# A save holds up requests for some tenths of a second: it waits for a pause of so long, but not
# for ever.
PAUSE_SECONDS = 2.0
LONGEST_SECONDS = 30.0
LAMBDA = "lambda"

_changed = threading.Event()
_lambda_changed = threading.Event()
_last_request = 0.0


def install() -> None:
    """Write the state in the background, after requests, and fast."""
    dispatch = seam(app, "_dispatch_service_request")
    detect = seam(app, "detect_service")
    seam(app, "_build_persistence_save_dict")
    for name in ("save_all", "save_state", "_json_default", "_state_format_version", "STATE_DIR"):
        seam(persistence, name)

    async def dispatch_and_note(
        method: str, path: str, headers: dict[str, str], body: bytes, query: Any, request_id: str
    ) -> Any:
        try:
            return await dispatch(method, path, headers, body, query, request_id)
        finally:
            if method not in ("GET", "HEAD"):
                note_change(detect(method, path, headers, query), path)

    app._dispatch_service_request = dispatch_and_note
    persistence.save_state = save_state
    threading.Thread(target=save_forever, name="checkpoint", daemon=True).start()


def note_change(service: str, path: str) -> None:
    """Remember that a request may have changed state."""
    global _last_request
    _last_request = time.monotonic()
    if service == "cloudformation" or (
        service == LAMBDA and not path.endswith(("/invocations", "/response-streaming-invocations"))
    ):
        _lambda_changed.set()
    _changed.set()


def save_state(service: str, data: dict[str, Any]) -> None:
    """Write the state of one service: what MiniStack writes, by the fast encoder."""
    folder = Path(persistence.STATE_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    version = persistence._state_format_version(service)
    content = {"__ministack_format__": version, "payload": data}
    try:
        text = json.dumps(content, default=persistence._json_default)
    except (TypeError, ValueError, RuntimeError) as error:
        # A store that changed while it was read; the file of before stays.
        logger.warning("the state of %s was not saved: %s", service, error)
        return
    temporary = folder / f"{service}.json.{os.getpid()}.tmp"
    temporary.write_text(text)
    temporary.replace(folder / f"{service}.json")


def save_forever() -> None:
    """Save in a pause after each change, so that many changes are one save."""
    while True:
        _changed.wait()
        begin = time.monotonic()
        while time.monotonic() - begin < LONGEST_SECONDS:
            pause = time.monotonic() - _last_request
            if pause >= PAUSE_SECONDS:
                break
            time.sleep(PAUSE_SECONDS - pause)
        _changed.clear()
        states = app._build_persistence_save_dict()
        if not _lambda_changed.is_set():
            states.pop(LAMBDA, None)
        _lambda_changed.clear()
        persistence.save_all(states)
