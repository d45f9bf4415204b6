"""What starts a training: new data in S3, a schedule, or a person."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from boringml.errors import BoringError

_KEY = re.compile(r"data/(?P<model>[a-z][a-z0-9-]{0,31})/(?P<file>[A-Za-z0-9._/-]+)")


@dataclass(frozen=True)
class Trigger:
    """The model to train, the object with its data (None: the newest), and the identity."""

    model: str
    key: str | None
    trigger_id: str
    kind: str


def trigger_of(event: Mapping[str, Any], execution_name: str) -> Trigger:
    """Return the trigger of an execution's input.

    `Object Created` of S3 is told apart by key, version and sequencer, so that an event that is
    delivered twice is one trigger. Anything else is {"model", "key"?, "trigger"?}, and each
    execution is a trigger of its own.
    Raises BoringError `key_unsafe` or `model_missing`.
    """
    detail = event.get("detail", {})
    if event.get("detail-type") == "Object Created":
        key = str(detail["object"]["key"])
        parts = [key, detail["object"].get("version-id"), detail["object"].get("sequencer")]
        identity = hashlib.sha256("\n".join(str(part) for part in parts).encode()).hexdigest()
        return Trigger(_model_of(key), key, f"s3-{identity[:32]}", "data")
    model = event.get("model")
    if not isinstance(model, str) or not model:
        raise BoringError("model_missing", 'Start training with {"model": "<name>"}.', 422)
    asked = event.get("key")
    if asked is not None and _model_of(str(asked)) != model:
        raise BoringError("key_unsafe", f"{asked} does not lie under data/{model}/.", 422)
    return Trigger(model, asked, f"run-{execution_name}", str(event.get("trigger", "person")))


def _model_of(key: str) -> str:
    found = _KEY.fullmatch(key)
    if found is None:
        raise BoringError(
            "key_unsafe",
            f"{key!r} is no training data: use data/<model>/<file> with letters, digits, "
            "'.', '_', '-' and '/'.",
            422,
        )
    return found["model"]
