"""What is asked for: one file, the files of a manifest, or those under a prefix."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from boringml.batch.settings import MAP, TRANSFORM
from boringml.errors import BoringError

MANIFEST_ENDING = ".manifest.json"
# A manifest of more files would not be a file of a few hundred kilobytes any more.
MOST_FILES = 1000
MOST_MANIFEST_BYTES = 1_000_000

_KEY = re.compile(r"batch/(?P<model>[a-z][a-z0-9-]{0,31})/(?P<rest>[A-Za-z0-9._/-]+)")
_OCCASION = re.compile(r"[A-Za-z0-9:._+-]{1,64}")
# What runs write lies below; it is no input.
_OWN = "runs/"
# Each file that lands here is a run of its own.
_INCOMING = "incoming/"


@dataclass(frozen=True)
class BatchRequest:
    """Files of one model: `key` is one of them, or a manifest; `prefix` ends in a slash.

    `occasion` tells apart runs over the same input, such as those of two nights; "" for none.
    `engine` is asked for in place of the one of model.yaml. `version_id` is that of `key` where an
    event told it: what was overwritten meanwhile is scored as it was sent.
    """

    model: str
    key: str | None
    prefix: str | None
    occasion: str
    trigger: str
    engine: str | None = None
    version_id: str | None = None

    @property
    def apart(self) -> str:
        """What tells this run apart from others over the same input."""
        return self.occasion if self.engine is None else f"{self.occasion}/{self.engine}"


def request_of(event: Mapping[str, Any]) -> BatchRequest | None:
    """Return what an execution's input asks for; None where there is nothing to do.

    `Object Created` of S3 names one key: markers of tools (_SUCCESS, .part) and folders are no
    input. Anything else is {"model", "key" or "prefix", "occasion"?, "engine"?, "trigger"?}.
    Raises BoringError `key_unsafe`, `model_missing`, `input_missing` or `engine_unknown`.
    """
    if event.get("detail-type") == "Object Created":
        put = event["detail"]["object"]
        created = str(put["key"])
        name = created.rsplit("/", 1)[-1]
        if not name or name[0] in "._":
            return None
        return BatchRequest(
            _model_of(created), created, None, "", "data", version_id=put.get("version-id")
        )
    model = event.get("model")
    if not isinstance(model, str) or not model:
        raise _refused("model_missing", 'Start a batch with {"model": "<name>", "key": "..."}.')
    key, prefix = event.get("key"), event.get("prefix")
    if (key is None) == (prefix is None):
        raise _refused("input_missing", "Name either one key or one prefix that ends in a slash.")
    occasion = str(event.get("occasion", ""))
    if occasion and not _OCCASION.fullmatch(occasion):
        raise _refused("key_unsafe", f"{occasion!r} is no occasion: use a date or a time.")
    if prefix is None:
        check_key(model, str(key))
    else:
        _check_part(model, str(prefix), folder=True)
    engine = event.get("engine")
    if engine not in (None, MAP, TRANSFORM):
        raise _refused("engine_unknown", f"{engine!r} is no engine: {MAP} or {TRANSFORM}.")
    return BatchRequest(model, key, prefix, occasion, str(event.get("trigger", "person")), engine)


def check_key(model: str, key: str, *, folder: bool = False) -> None:
    """Raise BoringError `key_unsafe` unless a key is input of a model: under batch/<model>/."""
    if _model_of(key) != model:
        raise _refused("key_unsafe", f"{key} does not lie under batch/{model}/.")
    if key.endswith("/") != folder:
        raise _refused("key_unsafe", f"{key}: a prefix ends in a slash, a file does not.")


def manifest_of(model: str, content: bytes) -> tuple[list[str], str | None]:
    """Return the keys, or the prefix, that a manifest names.

    A manifest is {"files": [keys]} or {"prefix": "batch/<model>/.../"}.
    Raises BoringError `manifest_invalid` or `key_unsafe`.
    """
    try:
        document = json.loads(content)
    except ValueError as error:
        raise _refused("manifest_invalid", f"The manifest is no JSON: {error}.") from error
    if not isinstance(document, dict) or set(document) not in ({"files"}, {"prefix"}):
        raise _refused("manifest_invalid", 'A manifest has either "files" or "prefix".')
    if "prefix" in document:
        _check_part(model, str(document["prefix"]), folder=True)
        return [], str(document["prefix"])
    files = document["files"]
    if not isinstance(files, list) or not all(isinstance(key, str) for key in files) or not files:
        raise _refused("manifest_invalid", '"files" is a list of at least one key.')
    if len(files) > MOST_FILES or len(set(files)) < len(files):
        told = f"{len(files)} keys: at most {MOST_FILES}, and none twice."
        raise _refused("manifest_invalid", told)
    for key in files:
        _check_part(model, key)
    return files, None


def _check_part(model: str, key: str, *, folder: bool = False) -> None:
    """Raise BoringError `key_unsafe` unless a key may be a part of a larger input."""
    check_key(model, key, folder=folder)
    if key.removeprefix(f"batch/{model}/").startswith(_INCOMING):
        told = f"{key}: a file under {_INCOMING} is a run already; put parts elsewhere."
        raise _refused("key_unsafe", told)


def is_input(key: str) -> bool:
    """Tell whether a key that was found under a prefix is data."""
    name = key.rsplit("/", 1)[-1]
    return bool(name) and name[0] not in "._" and not name.endswith(MANIFEST_ENDING)


def _model_of(key: str) -> str:
    found = _KEY.fullmatch(key)
    if found is None or ".." in key.split("/") or found["rest"].startswith(_OWN):
        raise _refused(
            "key_unsafe",
            f"{key!r} is no batch input: use batch/<model>/incoming/<file> with letters, digits, "
            "'.', '_', '-' and '/'.",
        )
    return found["model"]


def _refused(code: str, message: str) -> BoringError:
    return BoringError(code, message, 422)
