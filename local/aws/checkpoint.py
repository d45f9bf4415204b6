"""State on disk while the server runs.

AWS loses nothing when a laptop loses power. MiniStack 1.5.33 writes its state at a graceful stop
only (objects in S3 excepted), so that a killed process forgets all since it started, and takes
seconds for it, as its way of writing JSON does not use the fast encoder.
Here it is written as well when requests pause, and a service only where it has changed: most of
the state is the code of functions and layers, which seldom does.
Seams: app._dispatch_service_request, _build_persistence_save_dict;
persistence.save_all, save_state, _json_default, _state_format_version, STATE_DIR.
"""

import hashlib
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

_changed = threading.Event()
_last_request = 0.0
_saved: dict[str, str] = {}


def install() -> None:
    """Write the state in the background, after requests, and fast."""
    dispatch = seam(app, "_dispatch_service_request")
    seam(app, "_build_persistence_save_dict")
    for name in ("save_all", "save_state", "_json_default", "_state_format_version", "STATE_DIR"):
        seam(persistence, name)

    async def dispatch_and_note(method: str, *args: Any) -> Any:
        global _last_request
        try:
            return await dispatch(method, *args)
        finally:
            if method not in ("GET", "HEAD"):
                _last_request = time.monotonic()
                _changed.set()

    app._dispatch_service_request = dispatch_and_note
    persistence.save_state = save_state
    threading.Thread(target=save_forever, name="checkpoint", daemon=True).start()


def save_state(service: str, data: dict[str, Any]) -> None:
    """Write the state of one service, where it changed: what MiniStack writes, but faster."""
    folder = Path(persistence.STATE_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    version = persistence._state_format_version(service)
    content = {"__ministack_format__": version, "payload": data}
    try:
        outline = json.dumps(content, default=_outline)
        digest = hashlib.sha256(outline.encode()).hexdigest()
        if _saved.get(service) == digest:
            return
        text = json.dumps(content, default=persistence._json_default)
    except (TypeError, ValueError, RuntimeError) as error:
        # A store that changed while it was read; the file of before stays.
        logger.warning("the state of %s was not saved: %s", service, error)
        return
    temporary = folder / f"{service}.json.{os.getpid()}.tmp"
    temporary.write_text(text)
    temporary.replace(folder / f"{service}.json")
    _saved[service] = digest


def _outline(value: Any) -> Any:
    """Stand for an archive by which object it is: it is never changed in place."""
    if isinstance(value, bytes | bytearray):
        return [id(value), len(value)]
    return persistence._json_default(value)


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
        persistence.save_all(app._build_persistence_save_dict())
