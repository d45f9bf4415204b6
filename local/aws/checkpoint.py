"""State on disk while the server runs.

AWS loses nothing when a laptop loses power. MiniStack 1.5.33 writes its state at a graceful stop
only (objects in S3 excepted), so that a killed process forgets all since it started, and takes
seconds for it, as its way of writing JSON does not use the fast encoder.
Here it is written as well when requests pause, and a service only where it has changed: most of
the state is the code of functions and layers, which seldom does. Log events and the points of
metrics grow with every request, and copying them stopped all of them for seconds: only a graceful
stop writes those.
Seams: app._dispatch_service_request, _build_persistence_save_dict;
persistence.save_all, save_state, _json_default, _state_format_version, STATE_DIR;
cloudwatch.get_state, _metrics; cloudwatch_logs.get_state, _log_groups, _log_records.
"""

import copy
import hashlib
import json
import logging
import os
import threading
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from ministack import app
from ministack.core import persistence
from ministack.core.responses import AccountRegionScopedDict
from ministack.services import cloudwatch, cloudwatch_logs

from local.aws.seams import SeamMissingError, seam

logger = logging.getLogger("local.aws.checkpoint")

# A save holds up requests for some tenths of a second: it waits for a pause of so long, but not
# for ever.
PAUSE_SECONDS = 2.0
LONGEST_SECONDS = 30.0

CLOUDWATCH = (
    "alarms",
    "composite_alarms",
    "composite_triggers",
    "alarm_history",
    "dashboards",
    "resource_tags",
)
LOGS = (
    "destinations",
    "resource_policies",
    "log_group_policies",
    "metric_filters",
    "queries",
    "delivery_sources",
    "delivery_destinations",
    "deliveries",
)

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
    # A new store of these services would be forgotten by a save that names them one by one.
    _check(cloudwatch, {"metrics", *CLOUDWATCH})
    _check(cloudwatch_logs, {"log_groups", "log_records", *LOGS})
    threading.Thread(target=save_forever, name="checkpoint", daemon=True).start()


def _check(service: ModuleType, stores: set[str]) -> None:
    """Raise SeamMissingError where a service has other stores than this module knows."""
    if set(service.get_state()) != stores:
        raise SeamMissingError(f"{service.__name__}: its state is not {sorted(stores)}")


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
        persistence.save_all({**app._build_persistence_save_dict(), **WITHOUT_WHAT_GROWS})


def cloudwatch_state() -> dict[str, Any]:
    """Return the state of CloudWatch without the points of its metrics."""
    return {"metrics": {}, **_copies(cloudwatch, CLOUDWATCH)}


def logs_state() -> dict[str, Any]:
    """Return the state of CloudWatch Logs without log events: groups, and their filters."""
    groups = AccountRegionScopedDict()
    for key, group in list(cloudwatch_logs._log_groups._data.items()):
        groups._data[key] = copy.deepcopy({**group, "streams": {}})
    return {"log_groups": groups, "log_records": {}, **_copies(cloudwatch_logs, LOGS)}


def _copies(service: ModuleType, stores: tuple[str, ...]) -> dict[str, Any]:
    return {name: copy.deepcopy(getattr(service, f"_{name}")) for name in stores}


WITHOUT_WHAT_GROWS = {"cloudwatch": cloudwatch_state, "cloudwatch_logs": logs_state}
