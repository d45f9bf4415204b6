"""State on disk while the server runs.

AWS loses nothing when a laptop loses power. MiniStack 1.5.33 writes its state at a graceful stop
only (objects in S3 excepted), so that a killed process forgets all since it started.
Here it is written as well a few seconds after requests that may have changed it.
Seams: app._dispatch_service_request, _build_persistence_save_dict, save_all.
"""

import logging
import threading
import time
from typing import Any

from ministack import app
from ministack.core import persistence

from local.aws.seams import seam

SAVE_SECONDS = 5.0
_changed = threading.Event()


def install() -> None:
    """Write the state in the background, after requests."""
    dispatch = seam(app, "_dispatch_service_request")
    seam(app, "_build_persistence_save_dict")
    seam(persistence, "save_all")
    # One line per service and save is too much.
    logging.getLogger("persistence").setLevel(logging.WARNING)

    async def dispatch_and_note(method: str, *args: Any) -> Any:
        try:
            return await dispatch(method, *args)
        finally:
            if method not in ("GET", "HEAD"):
                _changed.set()

    app._dispatch_service_request = dispatch_and_note
    threading.Thread(target=save_forever, name="checkpoint", daemon=True).start()


def save_forever() -> None:
    """Save some seconds after each change, so that many changes are one save."""
    while True:
        _changed.wait()
        time.sleep(SAVE_SECONDS)
        _changed.clear()
        # A store that changes while it is read fails its save, which keeps the file of before.
        persistence.save_all(app._build_persistence_save_dict())
