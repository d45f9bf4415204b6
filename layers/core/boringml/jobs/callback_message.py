"""What the callback queue carries: one event for one registered endpoint."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from boringml.errors import BoringError

# Standard Webhooks recommends payloads below 20 KB ("Payload size").
MAX_BODY_BYTES: Final = 20_000
# The envelope adds the client's ARN and two names; SQS itself would take 1 MiB.
MAX_MESSAGE_BYTES: Final = MAX_BODY_BYTES + 4_000
# The id is signed as `id.timestamp.body`: a dot in it would let parts move.
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


@dataclass(frozen=True)
class CallbackMessage:
    """An event that a client is told: the same id on every attempt, so receivers drop doubles.

    `payload` is {"type", "timestamp", "data"}, such as job.succeeded. Receivers do not see which
    request it comes of: that is for our own logs.
    """

    id: str
    client: str
    endpoint: str
    payload: Mapping[str, Any]
    trace_id: str | None = None
    upstream_request_id: str | None = None

    def body(self) -> bytes:
        """Return the bytes that are sent and signed: the same on every attempt."""
        return _encoded(self.payload)

    def origin(self) -> dict[str, str]:
        """Return what is known of the request that it comes of, as lines of logs have it."""
        known = {"trace_id": self.trace_id, "upstream_request_id": self.upstream_request_id}
        return {name: value for name, value in known.items() if value is not None}

    def text(self) -> str:
        """Return what the queue carries. Raises BoringError as `parse` does."""
        document = {
            "id": self.id,
            "client": self.client,
            "endpoint": self.endpoint,
            "payload": self.payload,
            **self.origin(),
        }
        text = _encoded(document).decode()
        parse(text)
        return text


def parse(text: str) -> CallbackMessage:
    """Return the message that the queue carried.

    Raises BoringError `callback_malformed`, or `callback_too_large` where the body is more than
    MAX_BODY_BYTES.
    """
    if len(text.encode()) > MAX_MESSAGE_BYTES:
        raise _too_large()
    try:
        given = json.loads(text)
        message = CallbackMessage(**given)
    except (ValueError, TypeError) as error:
        raise _malformed("it is no {id, client, endpoint, payload}") from error
    texts = (message.id, message.client, message.endpoint)
    if not all(isinstance(value, str) and value for value in texts):
        raise _malformed("id, client and endpoint are texts that say something")
    if not all(isinstance(value, str) for value in message.origin().values()):
        raise _malformed("trace_id and upstream_request_id are texts")
    if not _ID.fullmatch(message.id):
        raise _malformed("its id has letters, digits, - and _ alone, at most 128")
    if not isinstance(message.payload, dict) or not isinstance(message.payload.get("type"), str):
        raise _malformed("its payload is an object with a type")
    if len(message.body()) > MAX_BODY_BYTES:
        raise _too_large()
    return message


def _encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _malformed(wanted: str) -> BoringError:
    return BoringError("callback_malformed", f"A callback is sent where {wanted}.", 422)


def _too_large() -> BoringError:
    return BoringError(
        "callback_too_large",
        f"A callback's body has at most {MAX_BODY_BYTES} bytes: send where the result lies.",
        413,
    )
