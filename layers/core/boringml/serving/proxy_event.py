"""API Gateway's proxy event (REST API, payload format 1.0): what is read of it, and its answer."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from boringml.errors import BoringError
from boringml.serving.json_text import members_of
from boringml.serving.refusals import body_too_large
from boringml.serving.stages import UNCOUNTED

JSON = "application/json"


def request_id_of(context: Mapping[str, Any], invocation_id: str) -> str:
    """Return what names a request, given its `requestContext`: Lambda's id of the invocation.

    That of API Gateway a client may choose (X-Amzn-RequestId), and so have the same for all its
    requests: labels would find but one of them. What a release asks itself it names itself.
    """
    own = context.get("requestId") if context.get("stage") in UNCOUNTED else None
    return own or invocation_id


def header(headers: Mapping[str, Any], name: str) -> str | None:
    """Return a header by its name in the usual spelling, however the client spelled it.

    None where it is absent or empty.
    """
    value = headers.get(name)
    if value is None:
        length, lower = len(name), name.lower()
        for key in headers:
            # Comparing lengths first spares most of the lower-casing.
            if len(key) == length and key.lower() == lower:
                value = headers[key]
                break
    return value or None


def body_of(event: Mapping[str, Any], most: int) -> bytes:
    """Return the body, of at most `most` bytes where it is plain, before anything is made of it.

    Raises BoringError `unsupported_content_type`, `body_too_large` or `malformed_json`.
    """
    kind = header(event.get("headers") or {}, "Content-Type")
    if kind != JSON and (kind or "").partition(";")[0].strip().lower() != JSON:
        raise BoringError("unsupported_content_type", f"Send the body as Content-Type: {JSON}.")
    text: str = event.get("body") or ""
    if event.get("isBase64Encoded"):
        # Four characters carry three bytes.
        if len(text) > (most + 3) * 4 // 3 + 4:
            raise body_too_large(most)
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise BoringError("malformed_json", "The body is not base64.") from error
    if len(text) > most:
        raise body_too_large(most)
    # Half of a surrogate pair is no UTF-8: the decoder says so.
    return text.encode("utf-8", "surrogatepass")


def answer(status: int, body: Mapping[str, Any], request_id: str) -> dict[str, Any]:
    """Return {"statusCode", "headers", "body"}; `request_id` is in the body and in a header."""
    return answer_of(status, members_of({**body, "request_id": request_id}), request_id)


def answer_of(status: int, members: str, request_id: str) -> dict[str, Any]:
    """Return what `answer` does, given all members of the body in JSON."""
    return {
        "statusCode": status,
        "headers": {"Content-Type": JSON, "X-Request-Id": request_id},
        "body": f"{{{members}}}",
    }
