"""A job's message, as API Gateway writes it: tools/openapi_jobs.py has the other side.

What a client controls, its body first of all, comes in base64, so it can end no string of the
message and add no field to it, whatever the parsers between make of it.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from boringml.errors import BoringError
from boringml.jobs.callback_endpoint import NAME
from boringml.jobs.client import client_of
from boringml.jobs.job_id import job_id_of
from boringml.serving.trace_id import root_of
from boringml.serving.upstream_id import is_upstream_id

VERSION: Final = 1
# SQS, "Amazon SQS message quotas": a message has at most 1 MiB.
MAX_BYTES: Final = 1024 * 1024
_TEXTS: Final = (
    "request_id",
    "client",
    "idempotency_key",
    "idempotency_key_http2",
    "trace_id",
)
# Messages that were posted before there were these lack them.
_LATER: Final = ("upstream_request_id", "upstream_request_id_http2")


@dataclass(frozen=True)
class JobMessage:
    """One posted job. `body` is what the client sent; `posted_ms` is when, since 1970.

    `upstream_request_id` is what the client names its own request by, where that has an id's form.
    """

    job_id: str
    model: str
    client: str
    idempotency_key: str | None
    trace_id: str | None
    request_id: str
    posted_ms: int
    body: bytes
    upstream_request_id: str | None = None

    @property
    def body_digest(self) -> str:
        """The sha256 of the body: another body has another."""
        return hashlib.sha256(self.body).hexdigest()

    @property
    def callback(self) -> str | None:
        """The name of the endpoint that is to be told, whatever else the body is; None without."""
        try:
            told = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        name = told.get("callback") if isinstance(told, dict) else None
        return name if isinstance(name, str) and NAME.fullmatch(name) else None


class PoisonError(BoringError):
    """A message that no attempt can run: it goes to the dead-letter queue as it is."""

    def __init__(self, message: str) -> None:
        super().__init__("message_poisonous", message, 422)


def parse(text: str, model: str | None = None) -> JobMessage:
    """Return the job of a message. Raises PoisonError: not JSON, another version, another model.

    Without `model`, of any model.
    """
    if len(text) > MAX_BYTES:
        raise PoisonError(f"A message has at most {MAX_BYTES} bytes.")
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PoisonError("The message is not JSON.") from error
    if not isinstance(told, dict) or told.get("version") != VERSION:
        raise PoisonError(f"The message is not of version {VERSION}, which this code reads.")
    if model is not None and told.get("model") != model:
        raise PoisonError(f"The message is of model {told.get('model')!r}, not of {model}.")
    try:
        return _of(told)
    except (KeyError, TypeError, ValueError) as error:
        raise PoisonError(f"The message lacks {error}.") from error


def _of(told: Mapping[str, Any]) -> JobMessage:
    coded = told["base64"]
    known = (*_TEXTS, *(name for name in _LATER if name in coded))
    texts = {name: _decoded(coded[name]).decode("utf-8", "replace") for name in known}
    posted_ms, model = told["posted_ms"], told["model"]
    if not isinstance(posted_ms, int) or not isinstance(model, str):
        raise ValueError("posted_ms or model")
    job_id = job_id_of(posted_ms, texts["request_id"])
    if job_id is None:
        raise ValueError("an id that can be one")
    return JobMessage(
        job_id=job_id,
        model=model,
        client=client_of(texts["client"]),
        idempotency_key=texts["idempotency_key"] or texts["idempotency_key_http2"] or None,
        trace_id=root_of(texts["trace_id"]),
        request_id=texts["request_id"],
        posted_ms=posted_ms,
        body=_decoded(coded["body"]),
        upstream_request_id=_upstream(texts),
    )


def _upstream(texts: Mapping[str, str]) -> str | None:
    given = next((texts[name] for name in _LATER if texts.get(name)), None)
    return given if is_upstream_id(given) else None


def _decoded(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
